import { beforeAll, describe, expect, it } from '@jest/globals';
import { initialWeights } from '@regulon/shared/models';
import { verifyNoImprint } from '../../client/src/training/imprint.js';
import type { Network } from '../../client/src/training/network.js';
import { measured } from './support/attack-report.js';
import {
  CLASSES,
  Draws,
  exactRows,
  HIDDEN,
  INPUTS,
  net,
  SECOND,
  summedGradient,
  type Units,
} from './support/nets.js';
import { PrivateTrainer } from './support/private-trainer.js';
import { refused } from '../security/support/refused.js';

/** Standard normal quantiles by bisection of a sample: where the bins of the attacker end. */
function quantiles(bins: number): number[] {
  const sample = new Draws('A3 quantiles').normals(20_000).sort((a, b) => a - b);
  return Array.from({ length: bins }, (_, k) => sample[Math.floor((k * sample.length) / bins)]!);
}

/** Every hidden unit reads the same direction, with a ladder of biases, and passes it on alike. */
function imprintStart(): Float64Array {
  const direction = new Draws('A3 direction').normals(INPUTS);
  const norm = Math.hypot(...direction);
  const weights = new Float64Array(net.size);
  direction.forEach((d, i) => weights.fill(d / norm, i * HIDDEN, (i + 1) * HIDDEN));
  quantiles(HIDDEN).forEach((t, k) => (weights[INPUTS * HIDDEN + k] = -t));
  const row = new Draws('A3 second layer').normals(CLASSES);
  for (let k = 0; k < HIDDEN; k++) weights.set(row, SECOND + k * CLASSES);
  return weights;
}

/** What lies between two neighbouring biases: differences of what their units saw. */
function rowsOfBins(gradient: ArrayLike<number>): number[][] {
  return Array.from({ length: HIDDEN }, (_, k) => {
    const bin = (at: number): number => gradient[at + k]! - (k + 1 < HIDDEN ? gradient[at + k + 1]! : 0);
    const bias = bin(INPUTS * HIDDEN);
    return Array.from({ length: INPUTS }, (__, i) => bin(i * HIDDEN) / bias);
  });
}
const found = (weights: Float64Array, units: Units): number =>
  exactRows(rowsOfBins(summedGradient(weights, units)), units.x);

let network: Network;
beforeAll(async () => {
  network = (await PrivateTrainer.start()).network(INPUTS, HIDDEN, CLASSES);
});

describe('A3 a first layer that copies units into its gradient', () => {
  const weights = imprintStart();
  const batch = new Draws('A3 batch').units(32);
  const note = (setting: string, defence: string, value: number): number =>
    measured({ attack: 'A3', setting, defence, measure: 'exact units', value }).value;

  it('control: a third of a batch of 32 is copied', () => {
    expect(note('batch 32, 32 bins', 'none', found(weights, batch))).toBeGreaterThanOrEqual(8);
  });

  it('the sum of ten clients fills the same bins: none is alone', () => {
    const all = Array.from({ length: 10 }, (_, c) => new Draws(`A3 client ${c}`).units(32));
    const units = { x: all.flatMap(({ x }) => x), y: all.flatMap(({ y }) => y) };
    expect(note('sum of ten clients of 32, 32 bins', 'sum', found(weights, units))).toBe(0);
  });

  it('is refused by name before anything is trained', () => {
    expect(() => verifyNoImprint(network, Float32Array.from(weights))).toThrow(
      refused('E_IMPRINT', /net\/0-dense: 31 of its units/),
    );
  });

  it('is refused where only two units are copies, scaled and a little off', () => {
    const two = Float32Array.from(imprintStart());
    const honest = new Draws('A3 honest').normals(INPUTS * HIDDEN);
    for (let i = 0; i < INPUTS; i++)
      for (let k = 2; k < HIDDEN; k++) two[i * HIDDEN + k] = honest[i * HIDDEN + k]!;
    for (let i = 0; i < INPUTS; i++) two[i * HIDDEN] = two[i * HIDDEN]! * 3 * (1 + 1e-4 * honest[i]!);
    expect(() => verifyNoImprint(network, two)).toThrow(refused('E_IMPRINT', /1 of its units/));
  });

  it('starts of the catalogue are taken, whatever seed', () => {
    for (let seed = 0; seed < 50; seed++) {
      const pieces = [...initialWeights(network.specs, { seed, arm: 0 })];
      const start = Float32Array.from(pieces.flatMap((piece) => [...piece]));
      expect(() => verifyNoImprint(network, start)).not.toThrow();
    }
  });

  it('units without a weight read nothing, and output classes may grow alike', () => {
    const start = Float32Array.from(new Draws('A3 dead').normals(net.size));
    for (let i = 0; i < INPUTS; i++) start.fill(0, i * HIDDEN, i * HIDDEN + 4);
    for (let k = 0; k < HIDDEN; k++) start[SECOND + k * CLASSES] = start[SECOND + k * CLASSES + 1]!;
    expect(() => verifyNoImprint(network, start)).not.toThrow();
  });
});
