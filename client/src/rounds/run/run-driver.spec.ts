import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { RegulonError } from '@regulon/shared/errors';
import { SecAggClient } from '@regulon/shared/secagg';
import type { Query, Request } from '@regulon/shared/wire';
import { seedOf } from '../../policy/site.support.js';
import { type StatePaths, Step } from '../../state/index.js';
import { temporaryFolder } from '../../state/temporary-folder.support.js';
import { agreement, ClosedRound, federation, site as ownView } from '../audits/closed-round.support.js';
import type { SiteContext } from '../context.js';
import type { StageNotice } from '../errors/refusals.js';
import { RunDriver } from './run-driver.js';
import { RunQueue } from './run-queue.js';
import type { RunSession } from './run-session.js';

const run = `run_${'07'.repeat(16)}`;
const stage = (name: StageNotice['stage'], round = 0): StageNotice => ({
  ...{ type: 'stage', run: new Uint8Array(16).fill(7), round, attempt: 0, stage: name },
});

/** A site whose coordinator is a list of answers; the session of the run is `open`. */
class Site {
  readonly told: Request[] = [];
  readonly asked: Query[] = [];
  fetch: (query: Query) => Promise<unknown[]> = async () => [];
  ended = '';
  readonly paths = { runs: temporaryFolder('runs') } as StatePaths;
  readonly session = {
    ...{
      run,
      runId: new Uint8Array(16).fill(7),
      lastOutcome: undefined,
      audits: { verify: () => undefined, settled: async () => undefined },
    },
    program: { next: (): object | undefined => ({ round: 0 }), schedule: [{ round: 0 }] },
    verifyAllLogged: async (): Promise<void> => undefined,
    verifyConsent: (): void => undefined,
    scheduled: (round: number) => ({ round }),
    suspend: async (): Promise<void> => undefined,
    agreement: {},
    end: async (state: string) => void (this.ended = state),
  };
  open: () => Promise<RunSession> = async () =>
    ({ ...this.session, site: this.context }) as unknown as RunSession;

  get context(): SiteContext {
    return {
      logger: pino({ level: 'silent' }),
      link: {
        exchange: async (request: Request) => void this.told.push(request),
        fetch: (query: Query) => {
          this.asked.push(query);
          return this.fetch(query);
        },
      },
      attempts: { find: () => undefined, wipe: () => undefined, lastContributed: () => 0 },
      runs: { find: () => undefined },
      state: { paths: this.paths },
      site: { policy: { minInterval: 0 } },
    } as unknown as SiteContext;
  }
}

describe('a site that cannot train in time', () => {
  it('uploads nothing, confirms the survivors all the same, and wipes only at the end of the attempt', async () => {
    const closed = new ClosedRound([1]);
    const site = new Site();
    const wiped: unknown[] = [];
    const close = jest.spyOn(SecAggClient.prototype, 'close');
    const closes = close.mock.calls;
    const late = new RegulonError('E_TRAINER_TIMEOUT', 'training took more than 1 s');
    const [round] = closed.program.schedule;
    const own = { ...closed.own(), step: Step.shared, snapshot: closed.afterR1 };
    const context = {
      ...site.context,
      ...{ federation, site: ownView, keys: { identity: seedOf('site', 1) } },
      ...{ log: { until: async () => undefined }, startIndex: () => 0, crash: { reached: () => undefined } },
      attempts: {
        ...{ find: () => own, save: () => undefined, lastContributed: () => 0 },
        wipe: (...at: unknown[]) => void wiped.push(at),
      },
      answered: { exact: () => [] },
    };
    site.open = async () =>
      ({
        ...{ ...site.session, site: context, agreement, scheduled: () => round },
        work: { result: () => Promise.reject(late) },
        verifyConsent: () => undefined,
      }) as unknown as RunSession;
    site.fetch = (query) => closed.fetch(query);
    const driver = new RunDriver(context as unknown as SiteContext, run, () => site.open());
    const following = driver.follow();
    const sent = async (type: string): Promise<void> => {
      while (!site.told.some((request) => request.type === type))
        await new Promise((resolve) => setTimeout(resolve, 5));
    };
    driver.notice(stage('r2'));
    await sent('refuse');
    driver.notice(stage('r3'));
    await sent('consistency');
    expect(closes).toHaveLength(0);
    driver.notice(stage('aborted'));
    while (wiped.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    // its secrets in memory are overwritten, those of the journal wiped
    expect(closes).toHaveLength(1);
    expect(wiped).toHaveLength(1);
    driver.stop();
    await following;
    expect(site.told.map(({ type }) => type)).toEqual(['refuse', 'consistency']);
    expect(site.told[0]).toMatchObject({ code: 'E_TRAINER_TIMEOUT', stage: 'r2' });
    close.mockRestore();
  });
});

describe('a run of which the coordinator says nothing any more', () => {
  it('lets the next one have its turn, and is taken up again when it is called', async () => {
    const sites = [new Site(), new Site()];
    const deadlines = { idleLimitSeconds: 0.05, roundDeadlineSeconds: 0.02 };
    let suspended = 0;
    sites.forEach((site) => {
      site.session.agreement = { contract: { plan: { deadlines } } };
      site.session.suspend = async () => void (suspended += 1);
    });
    const queue = new RunQueue(
      sites[0]!.context,
      () => undefined,
      (name) => {
        const site = sites[Number(name)]!;
        return new RunDriver(site.context, name, () => site.open(), 10_000);
      },
    );
    const asked = (i: number): number => sites[i]!.asked.length;
    const until = async (condition: () => boolean): Promise<void> => {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    queue.driverOf('0')?.notice(stage('r0'));
    queue.driverOf('1')?.notice(stage('r0'));
    await until(() => asked(0) > 0);
    expect(asked(1)).toBe(0);
    await until(() => asked(1) > 0);
    expect(sites[0]!.ended).toBe('');
    await until(() => suspended === 2);
    queue.driverOf('0')?.notice(stage('r0'));
    await until(() => asked(0) > 1);
    await queue.stop();
  });
});

describe('a run that waits for people', () => {
  it('lets the next one have its turn at once, and is taken up again at its next stage', async () => {
    const sites = [new Site(), new Site()];
    const left: string[] = [];
    const deadlines = { idleLimitSeconds: 3600, roundDeadlineSeconds: 3600 };
    sites.forEach((site, i) => {
      site.session.agreement = { contract: { plan: { deadlines } } };
      site.session.suspend = async () => void left.push(String(i));
    });
    const queue = new RunQueue(
      sites[0]!.context,
      () => undefined,
      (name) => new RunDriver(sites[Number(name)]!.context, name, () => sites[Number(name)]!.open()),
    );
    const asked = (i: number): number => sites[i]!.asked.length;
    const until = async (condition: () => boolean): Promise<void> => {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    queue.driverOf('0')?.notice(stage('r0'));
    queue.driverOf('1')?.notice(stage('r0'));
    await until(() => asked(0) > 0);
    queue.paused('0');
    await until(() => asked(1) > 0);
    expect(left).toEqual(['0']);
    expect(sites[0]!.ended).toBe('');
    queue.paused('1');
    queue.driverOf('0')?.notice({ ...stage('r0'), attempt: 1 });
    await until(() => asked(0) > 1);
    expect(left).toEqual(['0', '1']);
    await queue.stop();
  });
});

describe('a site that follows a run', () => {
  let site: Site;
  let driver: RunDriver;
  beforeEach(() => {
    site = new Site();
    driver = new RunDriver(site.context, run, () => site.open());
  });
  afterEach(() => driver.stop());

  it('stops when a close cannot be verified, also when the notice of it has ended the attempt', async () => {
    // closed, says the coordinator, but it does not show the manifest
    site.fetch = async ({ type }) => (type === 'closed' ? [{ outcome: 'closed', attempt: 0 }] : []);
    driver.notice(stage('closed'));
    await expect(driver.follow()).rejects.toMatchObject({ code: 'E_FORK' });
    expect(site.told).toMatchObject([{ type: 'refuse', round: 0, stage: 'closed', code: 'E_FORK' }]);
  });

  it('keeps nothing of a run that it refuses before it takes it up again', async () => {
    const folder = join(site.paths.runs, run);
    mkdirSync(folder);
    writeFileSync(join(folder, 'arm-0-train.features'), 'x');
    site.open = () => Promise.reject(new RegulonError('E_PANEL', 'another panel'));
    driver.notice(stage('r0'));
    expect(await driver.follow()).toBe('refused');
    expect(readdirSync(site.paths.runs)).toEqual([]);
  });

  it('refuses the run, says so once and knows why', async () => {
    site.open = () => Promise.reject(new RegulonError('E_PANEL', 'another panel'));
    driver.notice(stage('r0'));
    expect(await driver.follow()).toBe('refused');
    expect(driver.refusedFor).toBe('E_PANEL');
    expect(site.told).toMatchObject([{ type: 'refuse', stage: 'r0', code: 'E_PANEL' }]);
  });

  it('refuses an attempt all the same when what it was shown cannot be kept', async () => {
    const item = { attempt: 0, manifest: Uint8Array.of(1), signature: new Uint8Array(64) };
    site.fetch = async ({ type }) => (type === 'manifest' ? [item] : []);
    site.open = async () =>
      ({
        ...{ ...site.session, site: site.context, folder: '/nowhere/run' },
        agreement: { contract: { plan: {} } },
      }) as unknown as RunSession;
    const following = driver.follow();
    driver.notice(stage('r0'));
    while (site.told.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    driver.stop();
    expect(await following).toBe('suspended');
    expect(site.told).toMatchObject([{ type: 'refuse', stage: 'r0', code: 'E_MESSAGE' }]);
  });

  it('refuses a coordinator that leaves a round of the plan out, or calls the run finished before its end', async () => {
    const next = { round: 4 };
    site.session.program = {
      next: () => next,
      schedule: Array.from({ length: 7 }, (_, round) => ({ round })),
    };
    driver.notice(stage('r0', 5));
    expect(await driver.follow()).toBe('refused');
    expect(site.told).toMatchObject([{ type: 'refuse', round: 5, stage: 'r0', code: 'E_POLICY' }]);

    const other = new RunDriver(site.context, run, () => site.open());
    other.ended('finished');
    expect(await other.follow()).toBe('failed');
    expect(site.ended).toBe('failed');
  });

  it('is not finished before the log has its last rounds, and stops when the log says otherwise', async () => {
    site.session.program.next = () => undefined;
    let waited: (() => void) | undefined;
    site.session.verifyAllLogged = () => new Promise((resolve) => (waited = resolve));
    driver.ended('finished');
    const end = driver.follow();
    while (!waited) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(site.ended).toBe('');
    waited();
    expect(await end).toBe('finished');

    site.session.verifyAllLogged = () => Promise.reject(new RegulonError('E_FORK', 'another sum'));
    const other = new RunDriver(site.context, run, () => site.open());
    other.ended('finished');
    await expect(other.follow()).rejects.toMatchObject({ code: 'E_FORK' });
  });

  it('asks again when the close of a finished run does not come through', async () => {
    let asked = 0;
    site.fetch = async () => {
      asked += 1;
      throw new RegulonError(asked === 1 ? 'E_DEADLINE' : 'E_MODEL', 'x');
    };
    driver.ended('finished');
    expect(await driver.follow()).toBe('failed');
    expect(asked).toBe(2);
    expect(site.ended).toBe('failed');
  });
});

describe('a run whose steward takes it back', () => {
  const taken = new RegulonError('E_POLICY', 'the steward of a has taken the plan back');
  let site: Site;
  let isTaken: boolean;
  /** how far this site is in the attempt, by its journal */
  let step: Step | undefined;
  /** how often the journal was asked for it */
  let looked: number;
  let driver: RunDriver;
  beforeEach(() => {
    site = new Site();
    [isTaken, step, looked] = [false, undefined, 0];
    site.session.agreement = { contract: { plan: {} } };
    site.session.verifyConsent = () => {
      if (isTaken) throw taken;
    };
    const context = {
      ...site.context,
      attempts: { ...site.context.attempts, find: () => (looked++, step && { step }) },
    } as unknown as SiteContext;
    driver = new RunDriver(context, run, () => site.open());
  });
  afterEach(() => driver.stop());
  const asked = async (): Promise<void> => {
    while (site.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('is left at once, without a word of the coordinator', async () => {
    const end = driver.follow();
    driver.notice(stage('r0'));
    await asked();
    driver.lookAtConsent();
    isTaken = true;
    driver.lookAtConsent();
    expect(await end).toBe('refused');
    expect(site.told).toMatchObject([{ type: 'refuse', stage: 'r0', code: 'E_POLICY' }]);
    expect(driver.refusedFor).toBe('E_POLICY');
    expect(site.ended).toBe('refused');
  });

  it('is answered to the end of the attempt in which this site has its receipt, and left then', async () => {
    isTaken = true;
    step = Step.committed;
    const end = driver.follow();
    driver.notice(stage('r3'));
    while (looked === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([site.told, site.ended]).toEqual([[], '']);
    driver.notice(stage('aborted'));
    expect(await end).toBe('refused');
  });
});
