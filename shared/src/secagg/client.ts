import { equalBytes, randomBytes, u32, type RandomSource } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { ClientCore } from './client-core.js';
import { newState, type JoinInput } from './client-join.js';
import { decodeState, encodeState, type ClientState } from './client-state.js';
import { signTagged } from './hashing.js';
import { checkCohortRule } from './manifest-checks.js';
import { vectorLength, type SiteId } from './manifest.js';
import { masksOf, type MaskKey } from './mask-keys.js';
import type {
  AdvertiseKeys,
  ConsistencySignature,
  MaskedCommit,
  ShareDelivery,
  ShareKeys,
  SurvivorEntry,
  UnmaskAnswer,
} from './messages.js';
import { contradiction, OutOfOrder } from './order.js';
import { dealShares } from './r1-deal.js';
import { countConfirmations, verifySurvivors } from './r3-survivors.js';
import { answerEntries } from './r4-answer.js';
import type { RosterView } from './roster.js';
import { byId, hashOfAnswer, hashOfKeys, hashOfSurvivors } from './transcript.js';

/** U2 and the masks of the own vector. */
export interface MaskPlan {
  readonly h2: Uint8Array;
  readonly u2: readonly SiteId[];
  readonly masks: readonly MaskKey[];
}

/**
 * One site in one attempt, without network and clock.
 *
 * Every method checks what it is given, answers once, and gives the same bytes when it is asked again with the same
 * input (or, after a restart, with none). Save `snapshot()` before a message leaves. A failed check, or a message
 * that contradicts an earlier one, ends the attempt at this site and wipes its secrets; a call that comes too early or
 * too late is refused (E_STATE) and changes nothing.
 */
export class SecAggClient extends ClientCore {
  private constructor(
    state: ClientState,
    roster: RosterView,
    private readonly seed: Uint8Array,
    private readonly random: RandomSource,
  ) {
    super(state, roster);
  }

  /**
   * R0: check the manifest and make fresh keys.
   *
   * @throws E_SIG_MANIFEST, E_ROSTER, E_POLICY, E_RING_BOUND, E_REPLAY, E_MODEL, E_FORK
   */
  static join(input: JoinInput): SecAggClient {
    return new SecAggClient(newState(input), input.roster, input.seed, input.random ?? randomBytes);
  }

  /** Continue after a restart. @throws E_STATE_DB if the bytes are damaged @throws E_ROSTER if the roster is another one */
  static restore(
    bytes: Uint8Array,
    { roster, seed, random }: Pick<JoinInput, 'roster' | 'seed' | 'random'>,
  ): SecAggClient {
    const state = decodeState(bytes);
    if (!equalBytes(state.manifest.rosterHash, roster.rosterHash)) {
      throw new RegulonError('E_ROSTER', 'a stored round state belongs to another roster');
    }
    return new SecAggClient(state, roster, seed, random ?? randomBytes);
  }

  /** Everything needed to go on after a restart; holds secrets, the caller seals it. */
  snapshot(): Uint8Array {
    return encodeState(this.state);
  }

  /** R0: the signed public keys. @throws E_STATE if the attempt has ended here */
  advertise(): AdvertiseKeys {
    return this.step(() => this.state.advertise);
  }

  /**
   * R1: check U1 and deal shares to it.
   *
   * @throws E_COHORT, E_ROSTER, E_SIG_R0, E_LOW_ORDER; E_STATE for another list than before
   */
  shareKeys(list?: readonly AdvertiseKeys[]): ShareKeys {
    return this.step(() => {
      const { state, ctx } = this;
      if (state.shares && state.keys) {
        if (list && !equalBytes(hashOfKeys(ctx, byId(list)), hashOfKeys(ctx, state.keys)))
          throw contradiction('another U1 than before');
        return state.shares;
      }
      if (!list) throw new OutOfOrder('no U1');
      const keys = byId(list);
      this.verifyKeys(keys);
      state.keys = keys;
      const group = this.cohort();
      const { message, own } = dealShares({
        ...{ ctx, h1: group.h1, id: state.id, seed: this.seed, secrets: state.secrets, keys: group.keys },
        ...{ t: this.limits().t, random: this.random },
      });
      Object.assign(state, { shares: message, own });
      return message;
    });
  }

  /**
   * R2: check and open what U2 dealt to this site, and derive the masks.
   *
   * @throws E_COHORT, E_SIG_R1; E_SHARE when an envelope fails, then `complaint()` tells the coordinator
   */
  maskPlan(deliveries?: readonly ShareDelivery[]): MaskPlan {
    return this.step(() => {
      const { state, ctx } = this;
      if (!state.own) throw new OutOfOrder('shares before keys');
      if (deliveries) this.receive(deliveries, state.own, this.seed);
      const u2 = this.u2();
      const h2 = this.h2();
      const peers = this.cohort().keys.filter(({ id }) => id !== state.id && u2.includes(id));
      return {
        h2,
        u2,
        masks: masksOf({ ctx, h2, id: state.id, b: state.secrets.b, sSk: state.secrets.sSk, peers }),
      };
    });
  }

  /**
   * R2: sign what is uploaded. Only one masked vector may ever leave under one set of masks.
   *
   * @param root over the 64 KiB pieces of the masked vector, 32 bytes
   * @param length L, ring elements
   * @throws E_STATE for another root than before, a wrong length, or after R3
   */
  commit(root: Uint8Array, length: number): MaskedCommit {
    return this.step(() => {
      const { state } = this;
      if (state.commit) {
        if (!equalBytes(state.commit.root, root)) throw new OutOfOrder('another upload than before');
        return state.commit;
      }
      if (state.survivors) throw new OutOfOrder('an upload after the survivors were fixed');
      if (length !== vectorLength(state.manifest)) throw new OutOfOrder(`a vector of ${length} elements`);
      const sig = signTagged(this.seed, this.ctx, 'R2', this.h2(), u32(state.id), u32(length), root);
      state.commit = { id: state.id, length, root: root.slice(), sig };
      return state.commit;
    });
  }

  /** The coordinator's receipt for the upload is held: from now on the site must be among the survivors. */
  confirmUpload(): void {
    this.step(() => {
      if (!this.state.commit) throw new OutOfOrder('a receipt without an upload');
      this.state.receipt = true;
    });
  }

  /**
   * R3: check the survivors and sign them.
   *
   * @param storedCohorts earlier released sets of contributors that the cohort rule compares with
   * @throws E_U3 naming the rule; E_STATE for another set than before
   */
  consistency(
    list?: readonly SurvivorEntry[],
    storedCohorts: Iterable<Iterable<SiteId>> = [],
  ): ConsistencySignature {
    return this.step(() => {
      const { state, ctx } = this;
      if (state.consistency && state.survivors) {
        const known = list && equalBytes(hashOfSurvivors(ctx, this.h2(), byId(list)), this.h3());
        if (known === false) throw contradiction('another survivor set than before');
        return state.consistency;
      }
      if (!list || !state.inbox) throw new OutOfOrder('no survivors, or survivors before shares');
      const survivors = byId(list);
      this.verifySelf(survivors);
      verifySurvivors(this.view(), survivors, state.minSurvivors);
      checkCohortRule(this.contributorsAmong(survivors), storedCohorts);
      state.survivors = survivors;
      state.consistency = { id: state.id, sig: signTagged(this.seed, ctx, 'R3', this.h3(), u32(state.id)) };
      return state.consistency;
    });
  }

  /**
   * R4: one share for every member of U2, once. Store the snapshot and the `answered` row durably before it leaves.
   *
   * @throws E_CONSISTENCY if fewer than t members of U2 signed the own view of the survivors
   */
  unmask(signatures?: readonly ConsistencySignature[]): UnmaskAnswer {
    return this.step(() => {
      const { state, ctx } = this;
      if (state.answer) return state.answer;
      if (!signatures || !state.consistency || !state.inbox)
        throw new OutOfOrder('an answer before the survivors');
      const { t } = this.limits();
      const confirmed = countConfirmations(this.view(), this.h3(), signatures);
      if (confirmed < t) {
        throw new RegulonError('E_CONSISTENCY', `${confirmed} sites confirm the survivors, ${t} are needed`);
      }
      const entries = answerEntries(state.inbox.opened, new Set(state.survivors?.map(({ id }) => id)));
      const sig = signTagged(
        this.seed,
        ctx,
        'R4',
        this.h3(),
        u32(state.id),
        hashOfAnswer(ctx, this.h3(), entries),
      );
      state.answer = { id: state.id, entries, sig };
      return state.answer;
    });
  }
}
