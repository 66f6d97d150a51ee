import { RegulonError } from '@regulon/shared/errors';
import { runName } from '@regulon/shared/program';
import { decodeMessage, hashOfAnswer, type RosterView } from '@regulon/shared/secagg';
import type { ItemOf } from '@regulon/shared/wire';
import { Attempt } from '../rounds/index.js';
import type { AttemptKey, RoundRows } from '../storage/index.js';
import { MessageQuota } from '../transport/index.js';

/** Rounds whose answer stays in memory: those that all sites ask for just now. */
const KEPT_ROUNDS = 8;
/** Earlier rounds than the last closed one that a site may have worked out for it; a quarter of that at once. */
const EARLIER_PER_MINUTE = 60;

/** What R4 of a closed attempt opened. */
export interface OpenedRound {
  /** whoever has the uploads can fold them again with these */
  readonly revealed: readonly ItemOf<'revealed'>[];
  /** those that T covers */
  readonly answers: readonly ItemOf<'answers'>[];
}

/** What is asked of the rows of rounds. */
export type ClosedRounds = Pick<RoundRows, 'attempt' | 'messages' | 'countClosed'>;

/**
 * What closed attempts opened. Each is worked out from every message of its attempt, so the last ones asked for are kept,
 * and how many earlier ones a site may ask for is bounded: it cannot keep the coordinator at work by asking in turn.
 */
export class OpenedRounds {
  private readonly kept = new Map<string, OpenedRound>();
  private readonly quota: MessageQuota;

  /** @param now ms, ascending */
  constructor(
    private readonly rounds: ClosedRounds,
    private readonly roster: RosterView,
    now?: () => number,
  ) {
    this.quota = new MessageQuota(EARLIER_PER_MINUTE, now, 'queries of earlier rounds');
  }

  /** @throws E_STATE when the attempt has not closed; E_BUSY when the site asks for too many earlier rounds */
  of(site: number, key: AttemptKey): OpenedRound {
    const name = `${runName(key.runId)}/${key.round}/${key.attempt}`;
    const known = this.kept.get(name);
    const opened = known ?? this.open(site, key);
    this.kept.delete(name);
    this.kept.set(name, opened);
    const [oldest] = this.kept.keys();
    if (this.kept.size > KEPT_ROUNDS && oldest !== undefined) this.kept.delete(oldest);
    return opened;
  }

  private open(site: number, key: AttemptKey): OpenedRound {
    const { rounds, roster } = this;
    const row = rounds.attempt(key);
    if (row?.outcome !== 'closed') throw new RegulonError('E_STATE', `round ${key.round} has not closed`);
    // every site asks for the last one, and one of them is the first
    if (key.round + 1 < rounds.countClosed(key.runId)) this.quota.take(site);
    const { server } = Attempt.ofRows(rounds, row, roster);
    const opened = server.unmaskGroups();
    const responders = opened.flatMap((group) => group.responders);
    const secrets = [
      ...opened.flatMap(({ revealed }) => revealed.seeds).map(({ id, b }) => secretOf(id, false, b)),
      ...opened.flatMap(({ revealed }) => revealed.maskSecrets).map(({ id, sSk }) => secretOf(id, true, sSk)),
    ];
    const answers = rounds
      .messages(key, 'answer')
      .filter(({ site: id }) => responders.includes(id))
      .map(({ bytes }) => decodeMessage('answer', new Uint8Array(bytes)));
    return {
      revealed: secrets.map((item) => ({ type: 'revealed', ...item })),
      answers: answers.map(({ id, entries, sig }) => ({
        ...{ type: 'answers', site: id, signature: sig },
        digest: hashOfAnswer(server.ctx, server.groupOf(id).h3, entries),
      })),
    };
  }
}

const secretOf = (site: number, maskSecret: boolean, secret: Uint8Array) => ({ site, maskSecret, secret });
