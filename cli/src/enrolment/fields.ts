import { z } from 'zod';

/** Ed25519 public key, 32 bytes in hexadecimal. */
export const key = z.string().regex(/^[0-9a-f]{64}$/, '32 bytes in hexadecimal');
/** Ed25519 signature, 64 bytes in hexadecimal. */
export const signature = z.string().regex(/^[0-9a-f]{128}$/, '64 bytes in hexadecimal');
/** Name of a site. */
export const siteName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens, at most 63');
/** Name of a hospital as it is shown to people: one line, nothing that steers a terminal. */
export const organisation = z
  .string()
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,100}$/u, 'one line of 1 to 100 characters')
  .refine((text) => text.trim() !== '' && text === text.normalize('NFC'), 'visible text in NFC');
export const federationId = z
  .string()
  .regex(/^fed_[a-z0-9]{2,40}$/, 'fed_ and 2 to 40 lower-case letters and digits');
/** RFC 3339 UTC. */
export const time = z.iso.datetime();
const port = z.int().min(1).max(65_535);

/** Where the coordinator of a federation listens. */
export const coordinatorAddress = z.strictObject({
  host: z.string().min(1).max(253),
  controlPort: port,
  bulkPort: port,
});
