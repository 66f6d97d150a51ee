import { equalBytes, sha256, u32, wipe } from '../crypto/index.js';
import { isRegulonError, RegulonError, type ErrorCode } from '../errors/index.js';
import type { ClientState } from './client-state.js';
import { signTagged } from './hashing.js';
import { cohortMinimum, contributorsOf, dealersMinimum, thresholdsOf } from './manifest-checks.js';
import { ctxOf, type SiteId } from './manifest.js';
import { encodeMessage } from './message-codec.js';
import type { AdvertiseKeys, Complaint, ShareDelivery, SurvivorEntry } from './messages.js';
import { contradiction, OutOfOrder } from './order.js';
import { sameKeys, verifyKeyList, type OpenedShares } from './r1-deal.js';
import { EnvelopeFailure, openDelivery } from './r2-open.js';
import type { CohortView } from './r3-survivors.js';
import type { RosterView } from './roster.js';
import { subCohortOf, subCohortsOf, type SubCohort } from './sub-cohorts.js';
import type { Thresholds } from './thresholds.js';
import { hashOfMembers, hashOfSurvivors } from './transcript.js';

/** State of a site in an attempt with the hashes that follow from it, and how the attempt ends. */
export abstract class ClientCore {
  /** digest of the manifest, 32 bytes */
  readonly ctx: Uint8Array;
  private known: readonly SubCohort[] | undefined;

  protected constructor(
    protected readonly state: ClientState,
    protected readonly roster: RosterView,
  ) {
    this.ctx = ctxOf(state.manifest);
  }

  /** The complaint after E_SHARE, else undefined. */
  complaint(): Complaint | undefined {
    return this.state.complaint;
  }

  /** Why the attempt ended at this site, or undefined while it goes on. */
  get ended(): ErrorCode | 'CLOSED' | undefined {
    return this.state.ended;
  }

  /** Close or Abort was seen: wipe the secrets. Nothing more can be asked of this object. */
  close(): void {
    this.end('CLOSED');
  }

  /** U3 ∩ contributors, sorted, for the `answered` record. @throws E_STATE before R3 */
  releasedContributors(): SiteId[] {
    if (!this.state.survivors) throw new OutOfOrder('no survivors');
    return this.contributorsAmong(this.state.survivors);
  }

  /** The group of this site, which is all of U1 without sub-cohorts. @throws E_STATE before R1 */
  cohort(): SubCohort {
    const own = subCohortOf(this.groups(), this.state.id);
    if (!own) throw new OutOfOrder('this site is not in U1');
    return own;
  }

  /** The groups of U1; one without sub-cohorts. @throws E_STATE before R1 */
  groups(): readonly SubCohort[] {
    const { keys, manifest } = this.state;
    if (!keys) throw new OutOfOrder('no U1');
    return (this.known ??= subCohortsOf(manifest, this.ctx, keys));
  }

  /** Thresholds of the group of this site. @throws E_STATE before R1 */
  limits(): Thresholds {
    return thresholdsOf(this.state.manifest, this.roster, this.cohort().keys.length);
  }

  /** @throws E_STATE before R1 */
  h1(): Uint8Array {
    return this.cohort().h1;
  }

  /** U2, sorted. @throws E_STATE before R2 */
  u2(): SiteId[] {
    if (!this.state.inbox) throw new OutOfOrder('no U2');
    return this.state.inbox.opened.map(({ from }) => from);
  }

  /** @throws E_STATE before R2 */
  h2(): Uint8Array {
    return hashOfMembers(this.ctx, this.h1(), this.u2());
  }

  /** @throws E_STATE before R3 */
  h3(): Uint8Array {
    if (!this.state.survivors) throw new OutOfOrder('no survivors');
    return hashOfSurvivors(this.ctx, this.h2(), this.state.survivors);
  }

  protected contributorsAmong(survivors: readonly SurvivorEntry[]): SiteId[] {
    const contributors = contributorsOf(this.state.manifest);
    return survivors.map(({ id }) => id).filter((id) => contributors.has(id));
  }

  protected view(): CohortView {
    const { manifest, uncounted } = this.state;
    const n = this.cohort().keys.length;
    const [h2, u2] = [this.h2(), this.u2()];
    return { manifest, roster: this.roster, ctx: this.ctx, h2, n, u2, uncounted: new Set(uncounted) };
  }

  /** Run one method of the protocol: nothing after the end, and a failed check is the end; a call out of order is not. */
  protected step<T>(body: () => T): T {
    if (this.state.ended) throw new OutOfOrder(`the attempt ended (${this.state.ended})`);
    try {
      return body();
    } catch (error) {
      if (!(error instanceof OutOfOrder)) this.end(isRegulonError(error) ? error.code : 'E_INTERNAL');
      throw error;
    }
  }

  private end(reason: ErrorCode | 'CLOSED'): void {
    const { secrets, own, inbox } = this.state;
    this.state.ended ??= reason;
    wipe(secrets.cSk, secrets.sSk, secrets.b);
    for (const o of [...(own ? [own] : []), ...(inbox?.opened ?? [])]) wipe(o.sb, o.ss, o.rb, o.rs);
  }

  protected verifyKeys(keys: readonly AdvertiseKeys[]): void {
    const { state, roster, ctx } = this;
    this.verifyCohort('U1', keys.length);
    verifyKeyList(ctx, roster, new Set(state.manifest.roles.map(({ id }) => id)), keys);
    const own = keys.find(({ id }) => id === state.id);
    if (!own) throw contradiction('this site is not in U1');
    if (!sameKeys(own, state.advertise)) throw new RegulonError('E_SIG_R0', 'the own keys were replaced');
  }

  /** Open the deliveries and fix U2; on a bad envelope sign the complaint. */
  protected receive(deliveries: readonly ShareDelivery[], own: OpenedShares, seed: Uint8Array): void {
    const { state, ctx, roster } = this;
    const { keys } = this.cohort();
    const sorted = [...deliveries].sort((a, b) => a.from - b.from);
    const digest = sha256(...sorted.map((m) => encodeMessage('delivery', m)));
    if (state.inbox) {
      if (!equalBytes(state.inbox.digest, digest)) throw contradiction('other shares than before');
      return;
    }
    const members = new Set(keys.map(({ id }) => id));
    const distinct = new Set(sorted.map(({ from }) => from)).size === sorted.length;
    if (!distinct || sorted.some(({ from }) => !members.has(from)))
      throw contradiction('U2 is no part of U1');
    if (!sorted.some(({ from }) => from === state.id)) throw contradiction('this site is not in U2');
    this.verifyCohort('U2', sorted.length);
    const input = { ctx, h1: this.h1(), id: state.id, cSk: state.secrets.cSk, roster, keys, own };
    try {
      state.inbox = { digest, opened: sorted.map((m) => openDelivery(input, m)) };
    } catch (error) {
      if (error instanceof EnvelopeFailure) this.complain(error, seed);
      throw error;
    }
  }

  private complain({ sender, envelope }: EnvelopeFailure, seed: Uint8Array): void {
    const digest = sha256(envelope);
    const sig = signTagged(seed, this.ctx, 'CMP', this.h1(), u32(sender), digest);
    this.state.complaint = { id: this.state.id, sender, digest, sig };
  }

  private verifyCohort(name: 'U1' | 'U2', size: number): void {
    const { manifest } = this.state;
    const n = name === 'U1' ? Math.max(1, Math.min(size, 255)) : this.cohort().keys.length;
    const limits = thresholdsOf(manifest, this.roster, n);
    const minimum = name === 'U1' ? cohortMinimum(manifest, limits) : dealersMinimum(manifest, limits);
    const most = name === 'U2' && manifest.subCohort > 0 ? n : manifest.N;
    if (size >= minimum && size <= most) return;
    throw new RegulonError(
      'E_COHORT',
      `${name} has ${size} of ${most} sites, at least ${minimum} are needed`,
    );
  }

  /** A site with a receipt must be a survivor with its own root; a site without an upload cannot be one. */
  protected verifySelf(survivors: readonly SurvivorEntry[]): void {
    const { id, commit, receipt } = this.state;
    const own = survivors.find((entry) => entry.id === id);
    if (own ? !commit || !equalBytes(own.root, commit.root) : receipt) {
      throw new RegulonError('E_U3', own ? 'the own upload was replaced' : 'the own upload was left out');
    }
  }
}
