import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { hex, rootOfBytes, sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { digestText } from '@regulon/shared/transparency';
import type { Query } from '@regulon/shared/wire';
import { contractBytes, testPlan } from '../../policy/site.support.js';
import { AnsweredTable, AttemptJournal, RunJournal, SiteState } from '../../state/index.js';
import { temporaryFolder } from '../../state/temporary-folder.support.js';
import { ClosedRound, federation, run, site } from '../audits/closed-round.support.js';
import type { SiteContext } from '../context.js';
import { RunSession } from './run-session.js';

let state: SiteState;
let session: RunSession | undefined;
let acks: { round: number; result: string }[];
let refuses: boolean;
/** how often the coordinator refused */
let refused: number;

/** A site that crashed after it had taken over the sum of round 0, before its audit had ended. */
function siteAfterCrash(closed: ClosedRound): SiteContext {
  const [runs, attempts] = [new RunJournal(state), new AttemptJournal(state)];
  runs.begin(run, contractBytes(testPlan()));
  attempts.save({ ...closed.own({ h3: hex(closed.h3) }), snapshot: new Uint8Array(1) });
  runs.saveOutcome(run, {
    ...{ round: 0, attempt: 0, survivors: [1, 2, 3, 4, 5], extras: { weight: 5, fault: 0 } },
    sums: new Float64Array(closed.manifest.d).fill(100),
    ...{ transcript: sha256(), aggregateRoot: rootOfBytes(closed.aggregate), groupRoots: [sha256()] },
  });
  const append = (_kind: string, place: { round: number }, body: object) => {
    acks.push({ round: place.round, ...(body as { audited: { result: string } }).audited });
  };
  const fetch = async (query: Query) => {
    if (!refuses) return closed.fetch(query);
    refused += 1;
    throw new RegulonError('E_NOT_FOUND', 'x');
  };
  return {
    ...{ federation, site, state, runs, attempts, answered: new AnsweredTable(state), link: { fetch } },
    ...{ outbox: { append, find: () => undefined }, drainOutbox: async () => undefined },
    ...{ log: { entriesOf: () => [], roundEntries: async () => [] }, crash: { reached: () => undefined } },
    ...{ config: { training: {}, testing: { skipTraining: true } }, logger: pino({ level: 'silent' }) },
  } as unknown as SiteContext;
}

beforeEach(() => {
  [acks, refuses, refused] = [[], false, 0];
  const pins = { site: 'a', federationId: 'fed_test', rosterHash: 'ab', identityKey: 'cd' };
  state = SiteState.open(join(temporaryFolder('session'), 'state'), pins);
});
afterEach(async () => {
  await session?.suspend();
  state.close();
});

describe('the last rounds of a run', () => {
  const never = new AbortController().signal;
  const opened = async (logged: () => object | undefined): Promise<RunSession> => {
    const closed = new ClosedRound();
    const context = siteAfterCrash(closed);
    const log = {
      ...context.log,
      aggregateOf: logged,
      until: async (condition: () => boolean, signal: AbortSignal) => {
        while (!condition()) {
          signal.throwIfAborted();
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      },
    };
    const body = {
      transcript: digestText(sha256()),
      aggregateRoot: digestText(rootOfBytes(closed.aggregate)),
      groups: [{ aggregateRoot: digestText(sha256()) }],
    };
    all = { ...body, u3: [1, 2, 3, 4, 5], h3: digestText(closed.h3), modelOut: digestText(sha256()) };
    return (session = await RunSession.open({ ...context, log } as unknown as SiteContext, run));
  };
  let all: object;

  it('are compared with the log once it covers them', async () => {
    let covered = false;
    const at = await opened(() => (covered ? all : undefined));
    await expect(at.verifyAllLogged(never, Date.now() + 50)).rejects.toMatchObject({ code: 'E_GATE' });
    setTimeout(() => (covered = true), 30);
    await at.verifyAllLogged(never, Date.now() + 10_000);
  });

  it.each([
    ['transcript', { transcript: digestText(new Uint8Array(32)) }],
    ['sum', { aggregateRoot: digestText(new Uint8Array(32)) }],
    ['sum of a group', { groups: [{ aggregateRoot: digestText(new Uint8Array(32)) }] }],
    ['sum of a group', { groups: [] }],
    ['set of survivors', { u3: [1, 2, 3, 4] }],
    ['set of uploads', { h3: digestText(new Uint8Array(32)) }],
    ['score', { figures: { loss: '0.5' } }],
  ])('are E_FORK when the log has another %s', async (what, change) => {
    const at = await opened(() => ({ ...all, ...change }));
    await expect(at.verifyAllLogged(never, Date.now() + 5_000)).rejects.toMatchObject({
      ...{ code: 'E_FORK', message: expect.stringContaining(`another ${what}`) as unknown },
    });
  });
});

describe('a run that is taken up after a restart', () => {
  it('repeats the audit that had not ended', async () => {
    session = await RunSession.open(siteAfterCrash(new ClosedRound()), run);
    await session.audits.settled(new AbortController().signal, Date.now() + 10_000);
    expect(acks).toMatchObject([{ round: 0, result: 'agree' }]);
  });

  it('finds what was wrong before the crash', async () => {
    const closed = new ClosedRound();
    closed.aggregate = closed.aggregate.map((byte) => byte ^ 1);
    session = await RunSession.open(siteAfterCrash(closed), run);
    const settled = session.audits.settled(new AbortController().signal, Date.now() + 10_000);
    await expect(settled).rejects.toMatchObject({ code: 'E_MODEL' });
    expect(acks).toMatchObject([{ round: 0, result: 'differ' }]);
  });

  it('sends nothing while the coordinator does not open the sum', async () => {
    refuses = true;
    session = await RunSession.open(siteAfterCrash(new ClosedRound()), run);
    // asked once more: what it said first is known
    while (refused < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const settled = session.audits.settled(new AbortController().signal, Date.now() + 20);
    await expect(settled).rejects.toMatchObject({ code: 'E_MODEL' });
    expect(acks).toEqual([]);
  });
});
