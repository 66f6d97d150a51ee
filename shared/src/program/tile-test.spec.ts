import { describe, expect, it } from '@jest/globals';
import { serverStepOf } from './checked-step.js';
import { fitNextArm } from './fitted-arm.support.js';
import { RunProgram } from './program.js';
import {
  outlyingTiles,
  profileOf,
  TILE_WORDS,
  TileEnergies,
  type TileTest,
  tileTestOf,
} from './tile-test.js';
import { toyContract } from './toy-contract.support.js';

const d = 2 * TILE_WORDS + 100;
/** Words of a sum, of these sizes in its three tiles. */
const sumOf = (...sizes: readonly number[]): Int32Array =>
  Int32Array.from({ length: d }, (_, i) => (i % 2 ? -1 : 1) * (sizes[Math.floor(i / TILE_WORDS)] ?? 0));
const energiesOf = (sum: Int32Array): number[] => {
  const energies = new TileEnergies();
  for (let at = 0; at < d; at += 5000) energies.add(sum.subarray(at, at + 5000));
  return energies.means();
};
const rule = (tileFactor?: number) => ({ tileFactor, sites: 5 });

describe('the tiles of a sum', () => {
  it('have the mean square of their words, the short last one too, however the sum is cut', () => {
    expect(energiesOf(sumOf(100, 200, 300))).toEqual([1e4, 4e4, 9e4]);
  });

  it('are held against the median of three rounds or more, so that one poisoned round does not move it', () => {
    const rounds = [[100], [90_000], [400], [300]];
    expect(tileTestOf(rule(9), rounds.slice(0, 2))?.profile).toEqual([]);
    expect(tileTestOf(rule(9), rounds.slice(0, 3))?.profile).toEqual([400]);
    expect(tileTestOf(rule(9), rounds)?.profile).toEqual([350]);
    expect(profileOf(rounds.slice(1, 3))).toEqual([45_200]);
    expect(tileTestOf(rule(), rounds)).toBeUndefined();
  });

  it('stand out above the factor, not at it, and never by what rounding alone makes', () => {
    const test: TileTest = { factor: 4, floor: 25, profile: [1000, 0, 10] };
    expect(outlyingTiles([4000, 100, 100], test)).toEqual([]);
    expect(outlyingTiles([4001, 100, 101], test)).toEqual([0, 2]);
    expect(outlyingTiles([1e12, 1e12, 1e12], { ...test, profile: [] })).toEqual([]);
  });
});

describe('the step of a plan that tests tiles', () => {
  const scale = { Q: 2 ** 20, C: 1 };
  const tiles = { factor: 4, floor: 25, profile: [1e4, 1e4, 1e4] };
  const mean = { rule: 'mean', weight: 1, owned: [], ceiling: 1e9, ...scale } as const;
  const robust = { rule: 'median', weights: [1, 1, 1], sites: 15, trim: 0, ...scale } as const;
  const finish = (terms: Parameters<typeof serverStepOf>[0], ...sums: readonly Int32Array[]) => {
    const step = serverStepOf(terms);
    step.tile(new Float32Array(d), sums, new Float32Array(d), 0);
    return step.finish();
  };

  it('refuses a mean with a tile that stands out, by name and place', () => {
    expect(finish({ ...mean, tiles }, sumOf(100, 200, 100)).tiles).toEqual([1e4, 4e4, 1e4]);
    expect(() => finish({ ...mean, tiles }, sumOf(100, 201, 100))).toThrow(
      expect.objectContaining({
        code: 'E_OUTLIER',
        message: expect.stringMatching(/1 of 3 tiles .* weights 16384 and on, has 4\.040 times/),
      }),
    );
    expect(finish(mean, sumOf(100, 1e6, 100))).not.toHaveProperty('tiles');
  });

  it('names the tiles of a group that stand out from the other groups, and ends nothing', () => {
    const [honest, poisoned] = [sumOf(100, 100, 100), sumOf(100, 300, 100)];
    const { outlying } = finish({ ...robust, tiles: { ...tiles, profile: [] } }, honest, poisoned, honest);
    expect(outlying).toEqual([[], [1], []]);
  });

  it('gets its profile from the closed rounds of its own arm', () => {
    const training = { rounds: 4, optimizer: { name: 'adam' } };
    const program = new RunProgram(toyContract({ training, secureAggregation: { tileFactor: 9 } }));
    fitNextArm(program);
    program.setInitialModel(0, new Uint8Array(32));
    for (const tiles of [[40], [60], [50]]) {
      const round = program.next();
      if (!round) throw new Error('the run has ended');
      const closed = {
        survivors: [1, 2, 3, 4, 5],
        extras: { weight: 1 },
        modelHash: new Uint8Array(32),
        tiles,
      };
      program.complete(round, closed);
    }
    const sums = { all: { weight: 1 }, groups: [], survivors: 5 };
    expect(program.stepTerms(0, sums).tiles).toEqual({ factor: 9, floor: 25, profile: [50] });
  });
});
