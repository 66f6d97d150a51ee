import { equalBytes } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import {
  checkManifest,
  cohortMinimum,
  contributorsOf,
  dealersMinimum,
  thresholdsOf,
} from './manifest-checks.js';
import { ctxOf, type Manifest, type SiteId } from './manifest.js';
import { encodeMessage } from './message-codec.js';
import type {
  AdvertiseKeys,
  Complaint,
  ConsistencySignature,
  MaskedCommit,
  MessageKind,
  MessageOfKind,
  ShareKeys,
  UnmaskAnswer,
} from './messages.js';
import type { CohortView } from './r3-survivors.js';
import { contradiction, OutOfOrder } from './order.js';
import type { RosterView } from './roster.js';
import type { SubCohort } from './sub-cohorts.js';
import type { Thresholds } from './thresholds.js';
import { abortTranscript, byId, hashOfKeys, hashOfMembers, hashOfSurvivors } from './transcript.js';

/** What a coordinator brings to an attempt. */
export interface ServerInput {
  readonly manifest: Manifest;
  readonly roster: RosterView;
  /** contributors that count towards no minimum */
  readonly uncounted?: readonly SiteId[];
  /** the group that this machine collects for, from R1 on; by default all of U1, from R0 on */
  readonly group?: SubCohort;
}

/** The messages of one attempt with the sets and hashes that follow from them. */
export abstract class ServerCore {
  readonly manifest: Manifest;
  /** digest of the manifest, 32 bytes */
  readonly ctx: Uint8Array;
  protected readonly roster: RosterView;
  private readonly group: SubCohort | undefined;
  protected readonly uncounted: ReadonlySet<SiteId>;
  protected readonly keys = new Map<SiteId, AdvertiseKeys>();
  protected readonly shares = new Map<SiteId, ShareKeys>();
  protected readonly roots = new Map<SiteId, Uint8Array>();
  protected readonly commits = new Map<SiteId, MaskedCommit>();
  protected readonly confirmations = new Map<SiteId, ConsistencySignature>();
  protected readonly answers = new Map<SiteId, UnmaskAnswer>();
  protected readonly disputes: Complaint[] = [];
  protected stage: 0 | 1 | 2 | 3 = 0;

  /** @throws E_ROSTER, E_POLICY, E_RING_BOUND if no site could join this manifest */
  constructor({ manifest, roster, uncounted = [], group }: ServerInput) {
    checkManifest(manifest, roster);
    this.manifest = manifest;
    this.roster = roster;
    this.uncounted = new Set(uncounted);
    this.ctx = ctxOf(manifest);
    this.group = group;
    for (const entry of group?.keys ?? []) this.keys.set(entry.id, entry);
    if (group) this.stage = 1;
  }

  /** Sites of the group whose keys were accepted; fixed after `closeU1`. */
  get u1(): SiteId[] {
    return byId(this.keys.values()).map(({ id }) => id);
  }

  /** Sites whose shares were accepted; fixed after `closeU2`. */
  get u2(): SiteId[] {
    return byId(this.shares.values()).map(({ id }) => id);
  }

  /** Sites whose uploads were accepted; fixed after `closeU3`. */
  get u3(): SiteId[] {
    return byId(this.commits.values()).map(({ id }) => id);
  }

  /** |U1| */
  get n(): number {
    return this.keys.size;
  }

  /** Thresholds for the present |U1|; before `closeU1` as if nobody else came. */
  get thresholds(): Thresholds {
    return thresholdsOf(this.manifest, this.roster, Math.max(1, this.n));
  }

  /** @throws E_STATE before `closeU1` */
  get h1(): Uint8Array {
    this.expect(this.stage >= 1, 'U1 is open');
    return this.group?.h1 ?? hashOfKeys(this.ctx, byId(this.keys.values()));
  }

  /** @throws E_STATE before `closeU2` */
  get h2(): Uint8Array {
    this.expect(this.stage >= 2, 'U2 is open');
    return hashOfMembers(this.ctx, this.h1, this.u2);
  }

  /** @throws E_STATE before `closeU3` */
  get h3(): Uint8Array {
    this.expect(this.stage >= 3, 'U3 is open');
    return hashOfSurvivors(this.ctx, this.h2, byId(this.commits.values()));
  }

  /** Valid complaints so far; one is enough to abort the attempt. */
  get complaints(): readonly Complaint[] {
    return this.disputes;
  }

  /** Members of U2 without an accepted upload: their mask keys are opened in R4. */
  get dropped(): SiteId[] {
    return this.u2.filter((id) => !this.commits.has(id));
  }

  /**
   * T of this attempt when it is aborted now; the next prevTranscriptHash.
   *
   * @param reason error code with which the attempt ends
   */
  abortTranscript(reason: string): Uint8Array {
    const last = [new Uint8Array(32), () => this.h1, () => this.h2, () => this.h3][this.stage];
    return abortTranscript(
      this.ctx,
      reason,
      typeof last === 'function' ? last() : (last ?? new Uint8Array(32)),
    );
  }

  protected view(): CohortView {
    const { manifest, roster, ctx, h2, n, u2, uncounted } = this;
    return { manifest, roster, ctx, h2, n, u2, uncounted };
  }

  protected expect(condition: boolean, what: string): void {
    if (!condition) throw new OutOfOrder(what);
  }

  /** True when the site sent the very same message before. @throws E_STATE when it sent another one */
  protected repeated<K extends MessageKind>(
    kind: K,
    known: MessageOfKind[K] | undefined,
    now: MessageOfKind[K],
  ): boolean {
    if (known === undefined) return false;
    if (equalBytes(encodeMessage(kind, known), encodeMessage(kind, now))) return true;
    throw contradiction(`a second ${kind} message with another content`);
  }

  /** @throws E_COHORT if fewer than nMin, quorum, or uMin contributors are left */
  protected verifyCohort(name: 'U1' | 'U2' | 'U3', ids: readonly SiteId[]): void {
    const limits = this.thresholds;
    const least = { U1: cohortMinimum, U2: dealersMinimum, U3: () => limits.uMin }[name];
    const minimum = Math.max(least(this.manifest, limits), limits.uMin);
    const contributors = contributorsOf(this.manifest, this.uncounted);
    const contributing = ids.filter((id) => contributors.has(id)).length;
    if (ids.length >= minimum && contributing >= limits.uMin) return;
    const [have, need] = ids.length < minimum ? [ids.length, minimum] : [contributing, limits.uMin];
    const who = ids.length < minimum ? 'sites' : 'contributing sites';
    throw new RegulonError(
      'E_COHORT',
      `round ${this.manifest.round}: ${name} has ${have} ${who}, ${need} are needed`,
      {
        details: { set: name, have, need },
      },
    );
  }
}
