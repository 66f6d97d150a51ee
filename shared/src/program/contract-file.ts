import { z } from 'zod';
import { utf8 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { parseStrict } from '../plan/index.js';

/** Most bytes of a run contract on the wire. */
const MAX_CONTRACT_BYTES = 15 << 20;

const contractFileSchema = z.strictObject({
  schema: z.literal('regulon.contract/1'),
  /** `run_` and 32 hexadecimal digits */
  run: z.string().regex(/^run_[0-9a-f]{32}$/),
  /** the plan as JSON, defaults filled in; its digest is the one the stewards approved */
  plan: z.unknown(),
  panel: z.strictObject({ digest: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().min(1) }),
  isPublic: z.boolean(),
  /** log entries that every site checks by itself: plan.approve, dataset.commit, policy.set and run.start, base64 */
  entries: z.array(z.base64()).max(2048),
});

/** What the coordinator sends before a run; a daemon believes none of it without the signed entries. */
export interface ContractFile {
  readonly run: string;
  readonly plan: unknown;
  /** digest in hexadecimal */
  readonly panel: { readonly digest: string; readonly size: number };
  readonly isPublic: boolean;
  /** bytes of log entries */
  readonly entries: readonly Uint8Array[];
}

/** Bytes of a run contract for the wire. */
export function encodeContractFile(file: ContractFile): Uint8Array {
  const entries = file.entries.map((entry) => Buffer.from(entry).toString('base64'));
  return utf8(JSON.stringify({ schema: 'regulon.contract/1', ...file, entries }));
}

/** Read a run contract. @throws E_MESSAGE when it is too large, not JSON or not of the schema */
export function decodeContractFile(bytes: Uint8Array): ContractFile {
  if (bytes.length > MAX_CONTRACT_BYTES)
    throw new RegulonError('E_MESSAGE', 'a run contract has more than 15 MiB');
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new RegulonError('E_MESSAGE', 'a run contract is not JSON', { cause });
  }
  const { run, plan, panel, isPublic, entries } = parseStrict(
    contractFileSchema,
    value,
    'run contract',
    'E_MESSAGE',
  );
  return {
    run,
    plan,
    panel,
    isPublic,
    entries: entries.map((e) => Uint8Array.from(Buffer.from(e, 'base64'))),
  };
}
