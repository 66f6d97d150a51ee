import type { Roster, RosterMember, SitePolicy } from '@regulon/shared/plan';
import type { BodyOf } from '@regulon/shared/transparency';
import type { RingSamplers } from '@regulon/shared/secagg';
import type { DatasetConfig } from '../config/index.js';

/** What this site knows of itself when it judges a plan. */
export interface SiteView {
  readonly roster: Roster;
  readonly own: RosterMember;
  readonly policy: SitePolicy;
  readonly dataset: DatasetConfig;
  /** digest (32 bytes), size and names of the local gene panel, or of the steps of the series */
  readonly panel: { readonly digest: Uint8Array; readonly size: number; readonly names: readonly string[] };
  /** units of the dataset; never leaves */
  readonly units: number;
  /** what this site draws noise in the ring with */
  readonly samplers: RingSamplers;
  /** digest of the identifiers and values that were loaded, 32 bytes; never leaves */
  readonly content: Uint8Array;
  /** what the steward would be asked to sign now about these data and this policy */
  readonly statement: {
    readonly dataset: BodyOf<'dataset.commit'>;
    readonly policy: Pick<BodyOf<'policy.set'>, 'policy'>;
  };
}
