import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { privateFolder } from '@regulon/client/enrol';
import { RegulonError } from '@regulon/shared/errors';
import { ROSTER_CHANGES, rosterSchema } from '@regulon/shared/plan';
import { readJsonFile } from '../files/index.js';
import { coordinatorAddress, federationId, key } from './fields.js';

/** What the founder of a federation decides; everything else the hospitals bring. */
export const termsSchema = z.strictObject({
  schema: z.literal('regulon.federation-terms/1'),
  federationId,
  coordinator: coordinatorAddress.extend({ httpPort: coordinatorAddress.shape.controlPort }),
  policy: rosterSchema.shape.policy.pick({ nMin: true, gamma: true, retention: true }),
  /** administrators who must sign a roster; null = more than half */
  k: z.int().min(1).max(255).nullable(),
  /** how long the certificates of sites hold */
  certificateDays: z.int().min(1).max(398),
  people: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens'),
        role: z.enum(['researcher', 'auditor', 'operator']),
        key,
      }),
    )
    .max(64),
});
export type Terms = z.infer<typeof termsSchema>;

/** Where the founder keeps everything; the coordinator runs from `coordinator` and `federation`. */
export class FounderFolder {
  /** public: what every party has a copy of */
  readonly federation: string;
  readonly coordinator: string;
  readonly authority: string;
  readonly enrolment: string;
  /** requests that were admitted, one file a site */
  readonly requests: string;
  /** newest renewal of a certificate, one file a site */
  readonly renewals: string;
  readonly termsFile: string;
  readonly bookFile: string;
  readonly changeFile: string;
  readonly rosterFile: string;
  /** rosters that followed it */
  readonly changesFile: string;
  readonly authorityFile: string;
  readonly authorityKeyFile: string;

  constructor(readonly root: string) {
    this.federation = join(root, 'federation');
    this.coordinator = join(root, 'coordinator');
    this.authority = join(root, 'authority');
    this.enrolment = join(root, 'enrolment');
    this.requests = join(this.enrolment, 'requests');
    this.renewals = join(this.enrolment, 'renewals');
    this.termsFile = join(this.enrolment, 'terms.json');
    this.bookFile = join(this.enrolment, 'invitations.json');
    this.changeFile = join(this.enrolment, 'change.json');
    this.rosterFile = join(this.federation, 'roster.json');
    this.changesFile = join(this.federation, ROSTER_CHANGES);
    this.authorityFile = join(this.federation, 'ca.pem');
    this.authorityKeyFile = join(this.authority, 'ca.key.pem');
  }

  /** Make the folders. @throws E_ARGUMENT when a federation lies there already; E_KEY_FILE when one is open to others */
  create(): void {
    if (existsSync(this.enrolment)) {
      throw new RegulonError('E_ARGUMENT', `${this.root} holds a federation already`, {
        hint: 'choose an empty folder',
      });
    }
    mkdirSync(this.root, { recursive: true, mode: 0o700 });
    const parts = [this.coordinator, this.authority, this.enrolment, this.requests, this.renewals];
    [this.root, ...parts].forEach(privateFolder);
    mkdirSync(this.federation, { mode: 0o755 });
  }

  /** Whether the federation stands: its first roster is signed. */
  get stands(): boolean {
    return existsSync(this.rosterFile);
  }

  /** What was decided when the federation was created. @throws E_ARGUMENT when none was; E_KEY_FILE */
  terms(): Terms {
    if (!existsSync(this.termsFile)) {
      throw new RegulonError('E_ARGUMENT', `${this.root} holds no federation`, {
        hint: '`regulon fed create` makes one; name its folder',
      });
    }
    [this.coordinator, this.authority, this.enrolment].forEach(privateFolder);
    return readJsonFile(this.termsFile, termsSchema, 'E_CONFIG');
  }
}
