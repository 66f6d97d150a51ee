import {
  bandOf,
  type BodyOf,
  type Checkpoint,
  digestText,
  entryHash,
  type FederationKeys,
  headOf,
  nextPosition,
  sealEntry,
  SECURE_AGGREGATION,
  statementKeyName,
  type EntryDraft,
} from '@regulon/shared/transparency';
import type { Manifest } from '@regulon/shared/secagg';
import type { Agreement } from '../../policy/index.js';
import type { SealDraft } from '../../state/index.js';
import { DAEMON_CODE, DAEMON_VERSION } from '../../version/index.js';

/** Signs this site's entries, each linked to the one before. @param seed identity key */
export function entrySealer(keys: FederationKeys, fed: string, site: string, seed: Uint8Array): SealDraft {
  const keyName = statementKeyName(keys.genesis.origin, 'site', site);
  return ({ kind, body, previous, ...place }) => {
    const position = nextPosition(previous && headOf(previous), new Date());
    const draft = { ...position, ...place, kind, fed, actor: { type: 'site', id: site }, body } as EntryDraft;
    const bytes = sealEntry(draft, [{ keyName, seed }]);
    return { seq: position.seq, bytes, hash: entryHash(bytes) };
  };
}

/** What a contribution entry says beyond the agreement of the run. */
export interface ContributionFacts {
  readonly ctx: Uint8Array;
  readonly silent: boolean;
  readonly modelHash: Uint8Array;
  readonly featureSpecification: Uint8Array;
  readonly h2: Uint8Array;
  readonly length: number;
  readonly root: Uint8Array;
  readonly units: number;
  /** RFC 3339, start and end of the R2 window */
  readonly start: string;
  readonly end: string;
  readonly gate: Checkpoint;
  /** what drew the noise, in the ring or in the steps of training */
  readonly sampler: string | null;
}

/** Body of `round.contribution`, signed before the commit leaves; its charge is not known yet. */
export function contributionBody(
  agreement: Agreement,
  facts: ContributionFacts,
): BodyOf<'round.contribution'> {
  const { approval } = agreement;
  return {
    context: digestText(facts.ctx),
    role: facts.silent ? 'silent' : 'contributor',
    modelIn: digestText(facts.modelHash),
    code: DAEMON_CODE,
    daemon: DAEMON_VERSION,
    policy: approval.policy,
    dataset: approval.dataset,
    datasetVersion: approval.datasetVersion,
    commitment: approval.commitment,
    featureSpecification: digestText(facts.featureSpecification),
    cohort: digestText(facts.h2),
    maskedInput: { length: facts.length, root: digestText(facts.root) },
    charge: null,
    cached: null,
    sampler: facts.sampler,
    band: bandOf(facts.units),
    window: { start: facts.start, end: facts.end },
    gate: { size: facts.gate.size, root: digestText(facts.gate.root) },
    attestation: null,
  };
}

/** Body of `egress.receipt`: the masked vector of a contribution, as it leaves. */
export function receiptBody(
  { ringBits }: Pick<Manifest, 'ringBits'>,
  { context, policy, charge, maskedInput }: BodyOf<'round.contribution'>,
): BodyOf<'egress.receipt'> {
  return {
    ...{ context, kind: SECURE_AGGREGATION, rule: policy, charge: charge?.ledgerSeq ?? null, count: 1 },
    bytes: (maskedInput.length * ringBits) / 8,
    digest: maskedInput.root,
  };
}
