import { describe, expect, it } from '@jest/globals';
import { rootOfBytes } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { encodeEvaluation } from './evaluation.js';
import { encodeExtras, weightOf } from './extras.js';
import { quantumOf } from './quantum.js';
import { specificationDigest } from '../genomics/index.js';
import { RunProgram } from './program.js';
import { Purpose } from './schedule.js';
import { serverStepOf } from './checked-step.js';
import { fitNextArm } from './fitted-arm.support.js';
import { toyContract, toySites } from './toy-contract.support.js';

const names = toySites;
const contract = toyContract({
  prepare: [{ step: 'log2-cpm' }, { step: 'top-variance', k: 3 }, { step: 'z-score' }],
  evaluation: { split: 'leave-site-out' },
  secureAggregation: {},
});
const open = {
  attempt: 0,
  prevTranscriptHash: new Uint8Array(32),
  deadlines: [1, 2, 3, 4, 5],
};

describe('RunProgram', () => {
  it('trains one arm with everybody and one without each site, then evaluates once', () => {
    const program = new RunProgram(contract);
    expect(program.arms.map((a) => a.label)).toEqual(['all', ...names.map((n) => `without-${n}`)]);
    const perArm = program.schedule.filter((r) => r.arm === 1 && r.purpose !== Purpose.evaluation);
    expect(perArm.every((r) => r.silent.join() === '1' && r.contributors.length === 4)).toBe(true);
    expect(program.schedule.filter((r) => r.purpose === Purpose.evaluation)).toHaveLength(1);
    expect(program.schedule.map((r) => r.round)).toEqual(program.schedule.map((_, i) => i));
  });

  it('fits the features, then asks for the initial model before it can open a training round', () => {
    const program = new RunProgram(contract);
    fitNextArm(program);
    const round = program.next();
    expect(round?.purpose).toBe(Purpose.train);
    if (!round) throw new Error('no round');
    expect(program.specification(0).keptGenes).toHaveLength(3);
    expect(program.vectorLength(round)).toBe(3 * 2 + 2);
    expect(() => program.manifest(round, open)).toThrow(RegulonError);
    const initial = Buffer.concat(
      [...program.initialModel(0)].map((piece) =>
        Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength),
      ),
    );
    program.setInitialModel(0, rootOfBytes(initial));
    const manifest = program.manifest(round, open);
    expect(manifest.Q * 5).toBeLessThan(2 ** 31);
    expect(manifest.roles.map((r) => r.role)).toEqual([0, 0, 0, 0, 0]);
  });

  it('fits a preparation of once in the first arm, and prepares every arm with it', () => {
    const program = new RunProgram(
      toyContract({
        prepare: [{ step: 'log2-cpm' }, { step: 'z-score' }],
        evaluation: { split: 'det5', preparation: 'once' },
      }),
    );
    const statistics = program.schedule.filter(({ purpose }) => purpose === Purpose.statistics);
    expect(new Set(statistics.map(({ arm }) => arm))).toEqual(new Set([0]));
    expect(program.arms[0]).toMatchObject({ label: 'all', heldOutFold: null });
    fitNextArm(program);
    expect(specificationDigest(program.specification(3))).toEqual(
      specificationDigest(program.specification(0)),
    );
    expect(program.specification(3).steps.length).toBeGreaterThan(1);
  });

  it('ends with E_FAULT, naming no site, when a masked fault was counted', () => {
    const program = new RunProgram(contract);
    const round = program.next();
    if (!round) throw new Error('no round');
    const sums = new Float64Array(program.vectorLength(round));
    expect(() => program.complete(round, { survivors: [1, 2, 3, 4, 5], extras: { fault: 1 }, sums })).toThrow(
      /E_FAULT|bound/,
    );
    expect(program.next()?.round).toBe(0);
  });

  it('moves on only once what follows from a sum was made durable', () => {
    const program = new RunProgram(contract);
    const round = program.next() ?? fail();
    const sums = new Float64Array(program.vectorLength(round)).fill(100);
    const before = program.specification(round.arm);
    const outcome = { survivors: [1, 2, 3, 4, 5], extras: { fault: 0 }, sums };
    const closing = program.closing(round, outcome);
    expect(program.next()).toBe(round);
    expect(program.specification(round.arm)).toBe(before);
    closing.advance();
    expect(program.next()?.round).toBe(1);
    expect(specificationDigest(program.specification(round.arm))).toEqual(closing.modelOut);
    expect(() => closing.advance()).toThrow(/closed already/);
  });

  it('refuses rounds out of order', () => {
    const program = new RunProgram(contract);
    const second = program.schedule[1];
    if (!second) throw new Error('no round');
    expect(() => program.complete(second, { survivors: [], extras: {} })).toThrow(/not the next round/);
  });

  it('applies FedAvg to tiles: the weighted mean of the updates, rounded once', () => {
    const program = new RunProgram(contract);
    const Q = quantumOf(contract.plan);
    const out = new Float32Array(2);
    serverStepOf(program.stepTerms(0, { all: { weight: 0.5 }, groups: [], survivors: 5 })).tile(
      Float32Array.of(1, -1),
      [Int32Array.of(Q / 100, -Q / 50)],
      out,
      0,
    );
    expect(out[0]).toBeCloseTo(3, 5);
    expect(out[1]).toBeCloseTo(-5, 5);
  });

  it('carries weights and extras exactly through their ring integers', () => {
    const program = new RunProgram(contract);
    const round = program.schedule.find((r) => r.purpose === Purpose.train);
    if (!round) throw new Error('no round');
    const weight = weightOf(15, 1000);
    const integers = encodeExtras(program.extras(round), weight, { loss: 2.5, correct: 7, count: 15 });
    expect(program.decodeExtras(round, integers)).toEqual({
      weight,
      fault: 0,
      loss: 2.5,
      correct: 7,
      count: 15,
    });
    expect(() => weightOf(1001, 1000)).toThrow(/weightCap/);
  });

  it('sums the scores of the sites into pooled and, in a public run, per-site metrics', () => {
    const program = new RunProgram(contract);
    const sums = new Float64Array(program.vectorLength(program.schedule.at(-1) ?? fail()));
    for (const site of [1, 2, 3, 4, 5]) {
      const local = encodeEvaluation(contract, site, {
        count: 4,
        lossSum: 2,
        confusion: site === 5 ? [0, 2, 2, 0] : [2, 0, 0, 2],
      });
      local.forEach((v, i) => (sums[i] = (sums[i] ?? 0) + v));
    }
    const last = program.schedule.at(-1) ?? fail();
    Object.assign(program, { position: last.round });
    program.complete(last, { survivors: [1, 2, 3, 4, 5], extras: { fault: 0 }, sums });
    expect(program.result()?.pooled).toMatchObject({
      ...{ count: 20, accuracy: 0.8, majority: 0.5, loss: 0.5, precisionPerClass: [0.8, 0.8] },
      matthewsCorrelation: expect.closeTo(0.6, 12) as unknown,
    });
    expect(program.result()?.bySite?.map((s) => s.metrics.accuracy)).toEqual([1, 1, 1, 1, 0]);
  });
});

function fail(): never {
  throw new Error('the schedule is empty');
}
