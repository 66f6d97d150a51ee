import { RegulonError } from '../errors/index.js';
import type { Manifest, SiteId } from './manifest.js';
import type {
  AdvertiseKeys,
  Complaint,
  ConsistencySignature,
  MaskedCommit,
  ShareKeys,
  UnmaskAnswer,
} from './messages.js';
import { OutOfOrder } from './order.js';
import type { ServerInput } from './server-core.js';
import { SecAggServer, type Unmasking } from './server.js';
import { hashOverGroups, subCohortsOf } from './sub-cohorts.js';
import type { Thresholds } from './thresholds.js';
import { abortTranscript, byId, closeTranscript } from './transcript.js';

/** Roots of the sums of a closed attempt, 32 bytes each. */
export interface SumRoots {
  /** of the sum of all groups */
  readonly aggRoot: Uint8Array;
  /** of the sum of each group, in their order */
  readonly groupRoots: readonly Uint8Array[];
}

/**
 * The coordinator in one attempt over all its groups: one, or as many as the manifest's sub-cohorts make of U1. A group
 * that falls under its least size ends the attempt of all: it is never left out, and never joined with another.
 */
export class AttemptServer {
  readonly manifest: Manifest;
  /** digest of the manifest, 32 bytes */
  readonly ctx: Uint8Array;
  private readonly whole: SecAggServer;
  private cohorts: readonly SecAggServer[] = [];
  private stage: 0 | 1 | 2 | 3 = 0;

  /** @throws E_ROSTER, E_POLICY, E_RING_BOUND if no site could join this manifest */
  constructor(private readonly input: ServerInput) {
    this.whole = new SecAggServer(input);
    this.manifest = input.manifest;
    this.ctx = this.whole.ctx;
  }

  /** One machine a group; none before `closeU1`. */
  get groups(): readonly SecAggServer[] {
    return this.cohorts;
  }

  /** The group of a site of U1. @throws E_STATE */
  groupOf(site: SiteId): SecAggServer {
    const group = this.cohorts.find((cohort) => cohort.u1.includes(site));
    if (!group) throw new OutOfOrder(`site ${site} is in no group`);
    return group;
  }

  get u1(): SiteId[] {
    return this.whole.u1;
  }

  get u2(): SiteId[] {
    return union(this.cohorts.map(({ u2 }) => u2));
  }

  get u3(): SiteId[] {
    return union(this.cohorts.map(({ u3 }) => u3));
  }

  /** Of U1; those of a group are its own. */
  get thresholds(): Thresholds {
    return this.whole.thresholds;
  }

  /** Hash of the keys of U1. @throws E_STATE before `closeU1` */
  get h1(): Uint8Array {
    return this.whole.h1;
  }

  /** h2, over all groups. @throws E_STATE before `closeU2` */
  get h2(): Uint8Array {
    return this.over(({ h2 }) => h2);
  }

  /** h3, over all groups. @throws E_STATE before `closeU3` */
  get h3(): Uint8Array {
    return this.over(({ h3 }) => h3);
  }

  /** R0. @throws E_STATE, E_ROSTER, E_SIG_R0, E_LOW_ORDER */
  addAdvertise(m: AdvertiseKeys): void {
    this.whole.addAdvertise(m);
  }

  /** Fix U1 and with it the groups. @returns L1, sorted @throws E_COHORT */
  closeU1(): AdvertiseKeys[] {
    const keys = this.whole.closeU1();
    if (this.stage > 0) return keys;
    const { manifest, ctx, input } = this;
    this.cohorts =
      manifest.subCohort === 0
        ? [this.whole]
        : subCohortsOf(manifest, ctx, keys).map((group) => new SecAggServer({ ...input, group }));
    this.stage = 1;
    return keys;
  }

  /** R1. @throws as `SecAggServer.addShares` */
  addShares(m: ShareKeys): void {
    this.groupOf(m.id).addShares(m);
  }

  /** Fix U2 in every group. @throws E_COHORT when one of them is too small */
  closeU2(): void {
    for (const group of this.cohorts) group.closeU2();
    this.stage = Math.max(this.stage, 2) as 2 | 3;
  }

  /** @throws as `SecAggServer.addComplaint` */
  addComplaint(m: Complaint): void {
    this.groupOf(m.id).addComplaint(m);
  }

  /** R2. @throws as `SecAggServer.addCommit` */
  addCommit(m: MaskedCommit): void {
    this.groupOf(m.id).addCommit(m);
  }

  /** Fix U3 in every group. @throws E_COHORT when one of them is too small */
  closeU3(): void {
    for (const group of this.cohorts) group.closeU3();
    this.stage = 3;
  }

  /** R3. @throws as `SecAggServer.addConsistency` */
  addConsistency(m: ConsistencySignature): void {
    this.groupOf(m.id).addConsistency(m);
  }

  /** R4. @throws as `SecAggServer.addAnswer` */
  addAnswer(m: UnmaskAnswer): void {
    this.groupOf(m.id).addAnswer(m);
  }

  /** True when every group has t answers. */
  canUnmask(): boolean {
    return this.cohorts.length > 0 && this.cohorts.every((group) => group.canUnmask());
  }

  /** What R4 opens of every group, in their order. @throws E_STATE, E_DEALER */
  unmaskGroups(): Unmasking[] {
    return this.cohorts.map((group) => group.unmaskKeys());
  }

  /** What proves that a site dealt wrong shares. @throws as `SecAggServer.dealerProof` */
  dealerProof(dealer: SiteId): Uint8Array | undefined {
    return this.groupOf(dealer).dealerProof(dealer);
  }

  /** T of this attempt when it is aborted now. @param reason error code with which the attempt ends */
  abortTranscript(reason: string): Uint8Array {
    const last = [() => new Uint8Array(32), () => this.h1, () => this.h2, () => this.h3][this.stage];
    return abortTranscript(this.ctx, reason, last?.() ?? new Uint8Array(32));
  }

  /**
   * T of the closed attempt: it covers the groups in their order.
   *
   * @param responders whose answers were used, of all groups
   * @param modelHash digest of what followed from the sums, 32 bytes
   */
  transcript(roots: SumRoots, responders: readonly SiteId[], modelHash: Uint8Array): Uint8Array {
    const { manifest, ctx, h1, h2, h3 } = this;
    const used = new Set(responders);
    const answers = this.cohorts.flatMap((group) =>
      group.answerHashes(group.u1.filter((id) => used.has(id))),
    );
    const aggRoot = aggRootOf(manifest, ctx, roots);
    return closeTranscript(ctx, { h1, h2, h3, answers, aggRoot, modelHash });
  }

  private over(hashOf: (group: SecAggServer) => Uint8Array): Uint8Array {
    if (this.cohorts.length === 0) throw new OutOfOrder('U1 is open');
    return hashOverGroups(this.manifest, this.ctx, this.cohorts.map(hashOf));
  }
}

/** What a transcript covers of the sums: aggRoot, or with sub-cohorts one hash over those of the groups and the total. */
export function aggRootOf(
  manifest: Pick<Manifest, 'subCohort'>,
  ctx: Uint8Array,
  { aggRoot, groupRoots }: SumRoots,
): Uint8Array {
  if (manifest.subCohort === 0) return aggRoot;
  if (groupRoots.length === 0) throw new RegulonError('E_INTERNAL', 'sub-cohorts without sums of their own');
  return hashOverGroups(manifest, ctx, [...groupRoots, aggRoot]);
}

const union = (sets: readonly (readonly SiteId[])[]): SiteId[] =>
  byId(sets.flat().map((id) => ({ id }))).map(({ id }) => id);
