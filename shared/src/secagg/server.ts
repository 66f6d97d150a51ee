import { equalBytes, shamirCombine } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { encodeDealerProof } from './dealer-proof.js';
import { vectorLength, type SiteId } from './manifest.js';
import { unmaskKeysOf, type MaskKey, type Revealed } from './mask-keys.js';
import type { ConsistencySignature, MaskedCommit, SurvivorEntry, UnmaskAnswer } from './messages.js';
import { confirms, verifyCommit } from './r3-survivors.js';
import { verifyAnswer } from './r4-answer.js';
import { DealingServer } from './server-dealing.js';
import { reveal } from './server-unmask.js';
import { byId, closeTranscript, hashOfAnswer, seedCommitment } from './transcript.js';

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
export class SecAggServer extends DealingServer {
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
   * What proves that a survivor dealt wrong shares of its self-mask seed, after E_DEALER named it.
   *
   * @returns undefined when nothing can be proven: its shares were not asked for, or they are sound
   * @throws E_STATE before t answers
   */
  dealerProof(dealer: SiteId): Uint8Array | undefined {
    const [shares, { ctx, u1 }] = [this.shares.get(dealer), this];
    const opened = this.answersOf(this.responders()).flatMap(({ id, entries }) => {
      const entry = entries.find(({ about, kind }) => about === dealer && kind === 0);
      return entry ? [{ rank: u1.indexOf(id), holder: id, share: entry.share, r: entry.r }] : [];
    });
    if (!shares || opened.length === 0) return undefined;
    const { cb, sig, leaves } = shares;
    const seed = shamirCombine(opened.map(({ rank, share }) => ({ x: rank + 1, share })));
    if (equalBytes(seedCommitment(ctx, dealer, seed), cb)) return undefined;
    return encodeDealerProof({ dealer, h1: this.h1, cb, sig, leaves, opened });
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
    const answers = this.answerHashes(fields.responders ?? this.responders());
    return {
      T: closeTranscript(ctx, { h1, h2, h3, answers, aggRoot: fields.aggRoot, modelHash: fields.modelHash }),
    };
  }

  /** a_i of these sites, sorted by id. @throws E_STATE when they are fewer than t, or one has not answered */
  answerHashes(responders: readonly SiteId[]): Uint8Array[] {
    const { ctx, h3 } = this;
    return this.answersOf(responders).map((m) => hashOfAnswer(ctx, h3, m.entries));
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
