import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { hex } from '@regulon/shared/crypto';
import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import { ctxOf, MaskEngine } from '@regulon/shared/secagg';
import { digestText, type LogEntry } from '@regulon/shared/transparency';
import { decodeErrorInfo, encodeErrorInfo, type Query } from '@regulon/shared/wire';
import { removeRunFiles, type StatePaths } from '../../state/index.js';
import { temporaryFolder } from '../../state/temporary-folder.support.js';
import type { AuditedRound, AuditPlace } from './audit-place.js';
import { agreement, ClosedRound, federation, run, site } from './closed-round.support.js';
import { RunAudits } from './run-audits.js';

type Ack = Extract<LogEntry, { kind: 'round.ack' }>;
const never = new AbortController().signal;
const soon = (): number => Date.now() + 20;
const later = (): number => Date.now() + 20_000;

/** A site with a log in which others acknowledge, and a coordinator that may refuse. */
class Site {
  readonly closed = new ClosedRound();
  /** what the coordinator says to a request for tiles */
  says: ErrorCode | undefined;
  /** the tiles do not arrive */
  cut: ErrorCode | undefined;
  asked = 0;
  readonly acks: { round: number; audited: { result: string } }[] = [];
  readonly others: Ack[] = [];
  readonly folder = join(temporaryFolder('audits'), run);
  readonly audits: RunAudits;

  constructor() {
    mkdirSync(this.folder);
    const append = (kind: string, place: { round: number }, body: object) =>
      void this.acks.push({ round: place.round, ...(body as { audited: { result: string } }) });
    const log = {
      entriesOf: (_kind: string, _run: string, from: number) =>
        this.others.map((entry, index) => ({ index, entry })).filter(({ index }) => index >= from),
      roundEntries: async () => this.others,
      aggregateOf: () => undefined,
    };
    const place = {
      site: {
        ...{ federation, site, log, link: { fetch: this.fetch }, answered: { find: () => undefined } },
        ...{ outbox: { append }, drainOutbox: async () => undefined, crash: { reached: () => undefined } },
        logger: pino({ level: 'silent' }),
      },
      ...{ run, runId: new Uint8Array(16).fill(7), agreement, engine: new MaskEngine(), folder: this.folder },
      roundingSecret: new Uint8Array(32).fill(9),
    } as unknown as AuditPlace;
    this.audits = new RunAudits(place, { firstMs: 5, mostMs: 20 });
  }

  private readonly fetch = async (query: Query) => {
    if (query.type !== 'spotTiles') return this.closed.fetch(query);
    this.asked += 1;
    if (this.cut) throw new RegulonError(this.cut, 'x');
    if (this.says) throw decodeErrorInfo(encodeErrorInfo(new RegulonError(this.says, 'x')));
    return this.closed.fetch(query);
  };

  /** Wait until the coordinator was asked for tiles so often: by then what it said before is known. */
  async wasAsked(times: number): Promise<void> {
    while (this.asked < times) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** A round that closed; of those in which this site was, the same as ever. */
  round(number: number, wasThere = true): AuditedRound {
    const audited = this.closed.audited(wasThere ? this.closed.own() : null);
    return { ...audited, round: { ...audited.round, round: number } };
  }

  /** Another site acknowledges. */
  hear(name: string, round: number, result: 'agree' | 'differ' | 'none', modelOut?: Uint8Array): void {
    const { modelOut: own, manifest } = this.round(round);
    this.others.push({
      ...{ kind: 'round.ack', run, round, attempt: 0, actor: { type: 'site', id: name } },
      body: {
        context: manifest ? digestText(ctxOf(manifest)) : '',
        ...{ modelOut: digestText(modelOut ?? own), receipt: null, audited: { tiles: [], count: 1, result } },
      },
    } as unknown as Ack);
  }
}

let at: Site;
beforeEach(() => void (at = new Site()));
afterEach(() => at.audits.stop());

describe('the audits of a run', () => {
  it('let the next contribution pass once the sum is right, and say so in the log', async () => {
    at.audits.add(at.round(0));
    await at.audits.settled(never, later());
    expect(at.acks).toMatchObject([{ round: 0, audited: { result: 'agree', tiles: [0] } }]);
  });

  it.each(['E_NOT_FOUND', 'E_STATE', 'E_BUSY', 'E_INTERNAL', 'E_FORK', 'E_MODEL'] as const)(
    'keep it back when the coordinator answers %s instead of opening the sum: E_MODEL at the deadline',
    async (code) => {
      at.says = code;
      at.audits.add(at.round(0));
      await at.wasAsked(3);
      await expect(at.audits.settled(never, soon())).rejects.toMatchObject({ code: 'E_MODEL' });
      expect(at.acks).toEqual([]);
    },
  );

  it('keep it back when no answer comes in time, whatever the others have acknowledged', async () => {
    at.cut = 'E_DEADLINE';
    ['b', 'c', 'd', 'e'].forEach((name) => at.hear(name, 0, 'agree'));
    at.audits.add(at.round(0));
    await at.wasAsked(2);
    await expect(at.audits.settled(never, soon())).rejects.toMatchObject({ code: 'E_MODEL' });
  });

  it('miss only this attempt when the connection is to blame', async () => {
    at.cut = 'E_CONNECTION';
    at.audits.add(at.round(0));
    await at.wasAsked(2);
    await expect(at.audits.settled(never, soon())).rejects.toMatchObject({ code: 'E_GATE' });
    at.cut = undefined;
    await at.audits.settled(never, later());
    expect(at.acks).toMatchObject([{ audited: { result: 'agree' } }]);
  });

  it('end at once when the coordinator shows other survivors than this site signed', async () => {
    const { closed } = at;
    const own = closed.own({ h3: hex(closed.h3) });
    closed.survivors.pop();
    at.audits.add(closed.audited(own));
    await expect(at.audits.settled(never, later())).rejects.toMatchObject({ code: 'E_FORK' });
    expect(at.acks).toEqual([]);
  });

  it('ask again until the coordinator opens the sum', async () => {
    at.says = 'E_BUSY';
    at.audits.add(at.round(0));
    await at.wasAsked(2);
    at.says = undefined;
    await at.audits.settled(never, later());
    expect(at.acks).toMatchObject([{ audited: { result: 'agree' } }]);
  });

  it('of a missed round rest on a quorum of the others who derived the same, of whom more audited than collude', async () => {
    at.audits.add(at.round(0, false));
    at.hear('b', 0, 'none');
    at.hear('c', 0, 'none');
    at.hear('d', 0, 'agree');
    at.hear('e', 0, 'agree', new Uint8Array(32));
    await expect(at.audits.settled(never, soon())).rejects.toMatchObject({ code: 'E_GATE' });
    at.hear('d', 0, 'agree');
    await expect(at.audits.settled(never, soon())).rejects.toMatchObject({ code: 'E_GATE' });
    at.hear('e', 0, 'agree');
    await at.audits.settled(never, later());
    expect(at.acks).toMatchObject([{ round: 0, audited: { result: 'none' } }]);
  });

  it('rest on the others for a round whose uploads are gone because a later one has closed', async () => {
    at.cut = 'E_CONNECTION';
    at.audits.add(at.round(0));
    ['b', 'c', 'd', 'e'].forEach((name) => [0, 1].forEach((round) => at.hear(name, round, 'agree')));
    at.audits.add(at.round(1, false));
    await at.audits.settled(never, later());
    expect(at.acks).toMatchObject([{ round: 0, audited: { result: 'none' } }, { round: 1 }]);
  });

  it('never rest on the others for a round that was refused while its uploads were there', async () => {
    at.says = 'E_NOT_FOUND';
    at.audits.add(at.round(0));
    await at.wasAsked(2);
    await expect(at.audits.settled(never, soon())).rejects.toMatchObject({ code: 'E_MODEL' });
    ['b', 'c', 'd', 'e'].forEach((name) => [0, 1].forEach((round) => at.hear(name, round, 'agree')));
    at.audits.add(at.round(1, false));
    await expect(at.audits.settled(never, later())).rejects.toMatchObject({ code: 'E_MODEL' });
    expect(at.acks).toEqual([]);
  });
});

describe('a wrong sum', () => {
  beforeEach(() => {
    at.closed.aggregate = at.closed.aggregate.map((byte) => byte ^ 1);
  });

  it('is final for the run at this site, also when later rounds are right', async () => {
    at.audits.add(at.round(0));
    await expect(at.audits.settled(never, later())).rejects.toMatchObject({ code: 'E_MODEL' });
    at.closed.aggregate = at.closed.aggregate.map((byte) => byte ^ 1);
    at.audits.add(at.round(1));
    await expect(at.audits.settled(never, later())).rejects.toMatchObject({ code: 'E_MODEL' });
    expect(() => at.audits.verify()).toThrow(expect.objectContaining({ code: 'E_MODEL' }));
    expect(at.acks).toMatchObject([{ round: 0, audited: { result: 'differ' } }]);
  });

  it('leaves its evidence in the folder of the run, which outlives the run', async () => {
    at.audits.add(at.round(0));
    await expect(at.audits.settled(never, later())).rejects.toMatchObject({ code: 'E_MODEL' });
    removeRunFiles({ runs: join(at.folder, '..') } as StatePaths, run);
    const path = join(at.folder, 'evidence-0-0.json');
    expect(existsSync(path)).toBe(true);
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown[]>;
    expect([kept['survivors']?.length, kept['revealed']?.length, kept['tiles']?.length]).toEqual([5, 5, 6]);
  });
});

describe('what another site found', () => {
  it('stops the run here, naming round and site', async () => {
    at.hear('b', 0, 'agree');
    at.audits.verify();
    at.hear('c', 3, 'differ');
    expect(() => at.audits.verify()).toThrow(/round 3: site c/);
    expect(() => at.audits.verify()).toThrow(/round 3: site c/);
    await expect(at.audits.settled(never, later())).rejects.toMatchObject({ code: 'E_MODEL' });
  });

  it('counts only from a site of the run', () => {
    at.hear('stranger', 3, 'differ');
    expect(() => at.audits.verify()).not.toThrow();
  });
});
