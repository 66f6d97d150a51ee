import { beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import { Purpose, RunProgram } from '@regulon/shared/program';
import type { Manifest } from '@regulon/shared/secagg';
import type { LocalFacts } from '../../state/index.js';
import { temporaryFolder } from '../../state/temporary-folder.support.js';
import { agreement, run, site } from '../audits/closed-round.support.js';
import type { SiteContext } from '../context.js';
import { LocalWork } from './local-work.js';

const program = new RunProgram(agreement.contract);
const roundOf = (purpose: Purpose) => {
  const round = program.schedule.find((r) => r.purpose === purpose);
  if (!round) throw new TypeError('no such round');
  return round;
};
const manifest = { d: 26, deadlines: [1, 2, 3, 4, 5] } as unknown as Manifest;

let lines: Record<string, unknown>[];
let saved: LocalFacts[];
let fails: ErrorCode;
let work: LocalWork;

beforeEach(() => {
  [lines, saved] = [[], []];
  const failing = () => Promise.reject(new RegulonError(fails, 'of patient 12'));
  const context = {
    ...{
      site,
      config: { stateFolder: '', training: { fallback: 'none' } },
      crash: { reached: () => undefined },
    },
    logger: pino(
      {},
      { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    ),
    runs: {
      local: () => undefined,
      saveLocal: (_: string, __: number, facts: LocalFacts) => void saved.push(facts),
    },
    data: {
      writeFeatures: async () => ({ featuresPath: 'x', shape: [16, 12], n: 16 }),
      statistics: failing,
      release: async () => undefined,
    },
  } as unknown as SiteContext;
  const start = async () => ({
    train: failing,
    evaluate: failing,
    close: async () => undefined,
    hasEnded: false,
  });
  const { contract } = agreement;
  const live = {
    run,
    folder: temporaryFolder('work'),
    contract,
    program,
    roundingSecret: new Uint8Array(32),
  };
  work = new LocalWork(context, { ...live, modelOf: () => 'model' }, start);
});

describe('what a site contributes when its numbers are none', () => {
  it.each([
    ['statistics', Purpose.statistics, 'E_DATA_NOT_FINITE'],
    ['evaluation', Purpose.evaluation, 'E_LOSS_NOT_FINITE'],
  ] as const)(
    'to a round of %s is zeros with the masked fault, and its log says why',
    async (_, purpose, code) => {
      fails = code;
      const round = roundOf(purpose);
      const { contribution, weight, extras } = await work.result(round, manifest);
      const zeros = new Float64Array(program.vectorLength(round));
      expect(contribution).toEqual({ kind: 'values', values: zeros });
      expect([weight, extras]).toEqual([1, { fault: 1 }]);
      expect(lines).toMatchObject([{ code, round: round.round }]);
    },
  );

  it('to a training round is no update, with its weight and the masked fault', async () => {
    fails = 'E_LOSS_NOT_FINITE';
    const { contribution, weight, extras } = await work.result(roundOf(Purpose.train), manifest);
    expect(contribution).toEqual({ kind: 'update', deltaPath: null });
    expect([weight, extras]).toEqual([0.25, { fault: 1 }]);
  });

  it('is nothing when something else fails', async () => {
    fails = 'E_TRAINER_CRASH';
    await expect(work.result(roundOf(Purpose.train), manifest)).rejects.toMatchObject({
      code: 'E_TRAINER_CRASH',
    });
    expect(saved).toEqual([]);
  });
});
