import {
  boxBefore,
  equalBytes,
  hex,
  inclusionPaths,
  leafHashOf,
  rootOf,
  sha256,
  u32,
} from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { verifyTagged } from './hashing.js';
import { vectorLength, type SiteId } from './manifest.js';
import { unmaskKeysOf, type MaskKey, type Revealed } from './mask-keys.js';
import {
  ENVELOPE_BYTES,
  type AdvertiseKeys,
  type Complaint,
  type ConsistencySignature,
  type MaskedCommit,
  type ShareDelivery,
  type ShareKeys,
  type SurvivorEntry,
  type UnmaskAnswer,
} from './messages.js';
import { verifyAdvertise } from './r1-deal.js';
import { verifyDealer } from './r2-open.js';
import { confirms, verifyCommit } from './r3-survivors.js';
import { verifyAnswer } from './r4-answer.js';
import { memberKey } from './roster.js';
import { ServerCore } from './server-core.js';
import { reveal } from './server-unmask.js';
import { byId, closeTranscript, envelopeDigest, hashOfAnswer } from './transcript.js';

/** What unmasks the sum of the survivors' uploads. */
export interface Unmasking {
  /** streams to apply to the sum, each with its sign */
  readonly maskKeys: readonly MaskKey[];
  /** for the log */
  readonly revealed: Revealed;
  /** whose answers were used: pass them again after a restart */
  readonly responders: readonly SiteId[];
}

/**
 * The coordinator in one attempt, without network, clock and storage.
 *
 * Every `add…` verifies one message and throws its named error, changing nothing; repeating a message is harmless.
 * After a crash the same calls with the stored messages give the same machine.
 */
export class SecAggServer extends ServerCore {
  private readonly paths = new Map<SiteId, Uint8Array[][]>();

  /** R0. @throws E_STATE, E_ROSTER, E_SIG_R0, E_LOW_ORDER */
  addAdvertise(m: AdvertiseKeys): void {
    if (this.repeated('advertise', this.keys.get(m.id), m)) return;
    this.expect(this.stage === 0, 'U1 is fixed');
    if (!this.manifest.roles.some(({ id }) => id === m.id)) {
      throw new RegulonError('E_ROSTER', `site ${m.id} is not named in the plan`);
    }
    verifyAdvertise(this.ctx, this.roster, m);
    const known = new Set([...this.keys.values()].flatMap(({ cPk, sPk }) => [hex(cPk), hex(sPk)]));
    if (known.has(hex(m.cPk)) || known.has(hex(m.sPk)) || equalBytes(m.cPk, m.sPk)) {
      throw new RegulonError('E_LOW_ORDER', `site ${m.id} repeats a public key`);
    }
    for (const point of [m.cPk, m.sPk]) boxBefore(point, new Uint8Array(32).fill(8));
    this.keys.set(m.id, m);
  }

  /** Fix U1. @returns L1, sorted @throws E_COHORT if too few sites came: go on waiting */
  closeU1(): AdvertiseKeys[] {
    if (this.stage === 0) this.verifyCohort('U1', this.u1);
    this.stage = Math.max(this.stage, 1) as 1 | 2 | 3;
    return byId(this.keys.values());
  }

  /** R1. @throws E_STATE, E_SIG_R1; E_SHARE if the message is not complete for U1 */
  addShares(m: ShareKeys): void {
    if (this.repeated('shares', this.shares.get(m.id), m)) return;
    this.expect(this.stage === 1 && this.keys.has(m.id), 'shares outside R1');
    const ids = this.u1;
    const sound = ids.every((id, rank) => {
      const [leaf, envelope] = [m.leaves[rank], m.envelopes[rank]];
      if (!leaf || !envelope || envelope.length !== (id === m.id ? 0 : ENVELOPE_BYTES)) return false;
      return leaf.length === 96 && equalBytes(leaf.subarray(0, 32), envelopeDigest(envelope));
    });
    if (!sound || m.leaves.length !== ids.length || m.envelopes.length !== ids.length) {
      throw new RegulonError('E_SHARE', `site ${m.id} did not deal to all of U1`, {
        details: { site: m.id },
      });
    }
    const root = rootOf(m.leaves);
    verifyDealer(
      { ctx: this.ctx, h1: this.h1, roster: this.roster },
      { id: m.id, cb: m.cb, root, sig: m.sig },
    );
    this.shares.set(m.id, m);
    this.roots.set(m.id, root);
  }

  /** Fix U2. @returns its ids, sorted @throws E_COHORT if too few sites are left: the attempt is over */
  closeU2(): SiteId[] {
    this.expect(this.stage >= 1, 'U1 is open');
    if (this.stage === 1) this.verifyCohort('U2', this.u2);
    this.stage = Math.max(this.stage, 2) as 2 | 3;
    return this.u2;
  }

  /** What U2 dealt to one of its members, sorted by dealer. @throws E_STATE if the site is not in U2 */
  deliveriesFor(to: SiteId): ShareDelivery[] {
    this.expect(this.stage >= 2 && this.shares.has(to), `no deliveries for site ${to}`);
    const rank = this.u1.indexOf(to);
    return byId(this.shares.values()).map(({ id: from, cb, leaves, envelopes, sig }) => {
      const leaf = leaves[rank] ?? new Uint8Array();
      const path = this.pathsOf(from, leaves)[rank] ?? [];
      const [root, envelope] = [
        this.roots.get(from) ?? new Uint8Array(),
        envelopes[rank] ?? new Uint8Array(),
      ];
      return { from, cb, root, sig, envelope, dB: leaf.slice(32, 64), dS: leaf.slice(64, 96), path };
    });
  }

  /** R2, a dispute: record it; the attempt must be aborted. @throws E_SIG_R1 if it is unsigned or about nothing that was sent */
  addComplaint(m: Complaint): void {
    this.expect(this.stage >= 2, 'a complaint before R2');
    const key = memberKey(this.roster, m.id);
    const fields = [this.h1, u32(m.sender), m.digest];
    const signed = verifyTagged({ key, ctx: this.ctx, tag: 'CMP', fields, sig: m.sig });
    const envelope = this.shares.get(m.sender)?.envelopes[this.u1.indexOf(m.id)];
    if (!signed || !envelope || !equalBytes(sha256(envelope), m.digest)) {
      throw new RegulonError('E_SIG_R1', `the complaint of site ${m.id} does not hold`, {
        details: { site: m.id },
      });
    }
    if (!this.disputes.some(({ id, sender }) => id === m.id && sender === m.sender)) this.disputes.push(m);
  }

  /** R2, after the upload arrived with this root. @throws E_STATE, E_SIG_R2 */
  addCommit(m: MaskedCommit): void {
    if (this.repeated('commit', this.commits.get(m.id), m)) return;
    this.expect(this.stage === 2 && this.shares.has(m.id), 'an upload outside R2');
    if (m.length !== vectorLength(this.manifest)) {
      throw new RegulonError('E_SIG_R2', `site ${m.id} uploaded ${m.length} elements`, {
        details: { site: m.id },
      });
    }
    verifyCommit({ ctx: this.ctx, h2: this.h2, roster: this.roster }, m);
    this.commits.set(m.id, m);
  }

  /** Fix U3. @returns what all of U2 is sent, sorted @throws E_COHORT if too few uploads are left: the attempt is over */
  closeU3(): SurvivorEntry[] {
    this.expect(this.stage >= 2, 'U2 is open');
    if (this.stage === 2) this.verifyCohort('U3', this.u3);
    this.stage = 3;
    return byId(this.commits.values()).map(({ id, root, sig }) => ({ id, root, sig }));
  }

  /** R3, from any member of U2. @throws E_STATE, E_SIG_R3 */
  addConsistency(m: ConsistencySignature): void {
    if (this.repeated('consistency', this.confirmations.get(m.id), m)) return;
    this.expect(this.stage === 3, 'a confirmation before U3');
    if (!confirms(this.view(), this.h3, m)) {
      throw new RegulonError('E_SIG_R3', `site ${m.id} does not confirm the survivors`, {
        details: { site: m.id },
      });
    }
    this.confirmations.set(m.id, m);
  }

  /** The confirmations so far, sorted. */
  signatures(): ConsistencySignature[] {
    return byId(this.confirmations.values());
  }

  /** True when the sites will answer R4: at least t confirmations. */
  canRequestUnmask(): boolean {
    return this.stage === 3 && this.confirmations.size >= this.thresholds.t;
  }

  /** R4, from any member of U2. @throws E_STATE, E_SIG_R4; E_SHARE if the holder lies, provably */
  addAnswer(m: UnmaskAnswer): void {
    if (this.repeated('answer', this.answers.get(m.id), m)) return;
    this.expect(this.stage === 3, 'an answer before U3');
    const ranks = new Map(this.u1.map((id, rank) => [id, rank]));
    const leafOf = (dealer: SiteId, holder: SiteId): Uint8Array =>
      this.shares.get(dealer)?.leaves[ranks.get(holder) ?? -1] ?? new Uint8Array();
    verifyAnswer(this.view(), { h1: this.h1, h3: this.h3, survivors: new Set(this.u3), leafOf }, m);
    this.answers.set(m.id, m);
  }

  /** True when t answers are there. */
  canUnmask(): boolean {
    return this.stage === 3 && this.answers.size >= this.thresholds.t;
  }

  /**
   * Reconstruct what R4 opens.
   *
   * @param responders t sites whose answers to use; by default the t lowest ids that answered
   * @throws E_STATE before t answers @throws E_DEALER naming a site that dealt wrong shares
   */
  unmaskKeys(responders: readonly SiteId[] = this.responders()): Unmasking {
    const answers = this.answersOf(responders);
    const { ctx, h2, shares } = this;
    const keys = byId(this.keys.values());
    const revealed = reveal({ ctx, keys, shares, answers });
    const survivors = keys.filter(({ id }) => this.commits.has(id));
    return {
      maskKeys: unmaskKeysOf({ ctx, h2, survivors, ...revealed }),
      revealed,
      responders: answers.map(({ id }) => id),
    };
  }

  /**
   * T of the closed attempt.
   *
   * @param fields root of the unmasked sum, digest after the server step, and the responders that `unmaskKeys` used
   */
  transcript(fields: { aggRoot: Uint8Array; modelHash: Uint8Array; responders?: readonly SiteId[] }): {
    T: Uint8Array;
  } {
    const { ctx, h1, h2, h3 } = this;
    const answers = this.answersOf(fields.responders ?? this.responders()).map((m) =>
      hashOfAnswer(ctx, h3, m.entries),
    );
    return {
      T: closeTranscript(ctx, { h1, h2, h3, answers, aggRoot: fields.aggRoot, modelHash: fields.modelHash }),
    };
  }

  private pathsOf(dealer: SiteId, leaves: readonly Uint8Array[]): Uint8Array[][] {
    const paths = this.paths.get(dealer) ?? inclusionPaths(leaves.map(leafHashOf));
    this.paths.set(dealer, paths);
    return paths;
  }

  private responders(): SiteId[] {
    const ids = byId(this.answers.values()).map(({ id }) => id);
    return ids.slice(0, this.thresholds.t);
  }

  private answersOf(ids: readonly SiteId[]): UnmaskAnswer[] {
    const answers = byId(new Set(ids.flatMap((id) => this.answers.get(id) ?? [])));
    this.expect(
      this.stage === 3 && answers.length >= this.thresholds.t && answers.length === ids.length,
      'too few answers',
    );
    return answers;
  }
}
