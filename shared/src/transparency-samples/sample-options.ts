import { canonicalJsonBytes, hashJson, sha256, utf8 } from '../crypto/index.js';
import { digestText } from '../transparency/index.js';

/** Canonical JSON of the sample plan. */
export const samplePlan = canonicalJsonBytes({ plan: 'sample' });

/** What every entry of a sample run shares. */
export const sample = {
  run: `run_${'07'.repeat(16)}`,
  runId: new Uint8Array(16).fill(7),
  code: digestText(sha256(utf8('software'))),
  planHash: digestText(hashJson('plan', samplePlan)),
  dataset: 'expression',
} as const;

/** Canonical JSON of a site's policy. */
export const samplePolicyBytes = (site: string): Uint8Array => canonicalJsonBytes({ policy: `of ${site}` });

/** Digest text of a site's policy. */
export const samplePolicy = (site: string): string => digestText(sha256(samplePolicyBytes(site)));

/** Commitment of a site to its data, digest text. */
export const sampleCommitment = (site: string): string => digestText(sha256(utf8(`data of ${site}`)));

/** Changes that make a run wrong in one way. */
export interface SampleOptions {
  /** site without approval */
  readonly unapproved?: number;
  /** every dataset is declared simulated (default) */
  readonly publicData?: boolean;
  /** site that commits to the same data again before the run, and calls them neither public nor simulated */
  readonly closedAgain?: number;
  /** `public` of run.start; by default what the datasets say */
  readonly claimPublic?: boolean;
  /** the aborted attempt was burnt, and the administrators reopened its round; an array: they name these contributors */
  readonly reopened?: boolean | readonly number[];
  /** mode of the gate: with `cosigned` all sites cosign the checkpoint after run.start and the last one */
  readonly gateMode?: 'signed' | 'cosigned';
  /** changes the body of an entry before it is signed; `seen` counts entries of this kind from 0 */
  readonly spoil?:
    undefined | ((kind: string, body: Record<string, unknown>, seen: number) => Record<string, unknown>);
  /** leaves an entry out */
  readonly omit?: (kind: string, seen: number) => boolean;
}
