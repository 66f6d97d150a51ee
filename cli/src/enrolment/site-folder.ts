import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { privateFolder } from '@regulon/client/enrol';
import { RegulonError } from '@regulon/shared/errors';
import { readJsonFile } from '../files/index.js';
import { key } from './fields.js';
import { invitationSchema } from './invitation.js';

/** What a site remembers of its enrolment; nothing in it is secret, and only the owner may change it. */
const siteRecordSchema = z.strictObject({
  schema: z.literal('regulon.site-enrolment/1'),
  /** who invited it, without the token */
  invitation: invitationSchema.omit({ token: true, signature: true }),
  identityKey: key,
  cosignerKey: key,
  stewardKey: key,
  administratorKey: key,
  /** keys that the site has handed over to, until the roster that lists them is installed */
  pending: z
    .strictObject({
      site: key.exactOptional(),
      cosigner: key.exactOptional(),
      steward: key.exactOptional(),
      administrator: key.exactOptional(),
    })
    .default({}),
  /** hash of the first roster, once this site has signed it: what is installed begins with it */
  founding: key.nullable().default(null),
  /** the roster that is installed: an older one is refused */
  pinned: z.strictObject({ version: z.int().min(1), hash: key }).nullable(),
});
export type SiteRecord = z.infer<typeof siteRecordSchema>;

/** Where a site keeps everything. */
export class SiteFolder {
  /** of the daemon: its keys, database, ledger */
  readonly state: string;
  /** keys of the steward and the administrator: people, not the daemon; they may move to their holders */
  readonly people: string;
  /** copy of the federation's public files */
  readonly federation: string;
  readonly recordFile: string;
  readonly config: string;
  readonly policyFile: string;
  readonly certificate: string;

  constructor(readonly root: string) {
    this.state = join(root, 'state');
    this.people = join(root, 'people');
    this.federation = join(root, 'federation');
    this.recordFile = join(root, 'enrolment.json');
    this.config = join(root, 'daemon.yaml');
    this.policyFile = join(root, 'policy.yaml');
    this.certificate = join(root, 'tls.cert.pem');
  }

  /** What was kept when the site asked to join. @throws E_ARGUMENT when it did not; E_KEY_FILE */
  record(): SiteRecord {
    if (!existsSync(this.recordFile)) {
      throw new RegulonError('E_ARGUMENT', `${this.root} is no folder of a site`, {
        hint: '`regulon site join` makes one; name its folder with --folder',
      });
    }
    [this.root, this.state].forEach(privateFolder);
    return readJsonFile(this.recordFile, siteRecordSchema, 'E_CONFIG');
  }
}
