import { describe, expect, it } from '@jest/globals';
import { sha256 } from '@regulon/shared/crypto';
import { decodeMean, decodeSigned32, packIntegers, quantiseTile, type SiteId } from '@regulon/shared/secagg';
import { makeCohort } from '../../shared/src/secagg/secagg.support.js';
import { LyingCoordinator, withManifest } from '../security/support/lying-coordinator.js';
import { refused } from '../security/support/refused.js';
import { secaggWithout } from '../security/support/secagg-without.js';
import { Spoils } from '../security/support/spoils.js';
import { measured } from './support/attack-report.js';
import {
  Draws,
  HIDDEN,
  honestStart,
  INPUTS,
  net,
  relativeError,
  rowBehind,
  summedGradient,
} from './support/nets.js';

const all: SiteId[] = [10, 20, 30, 40, 50];
const victim = 30;
const C = 100;
const cohort = makeCohort(5, { d: net.size, C });
const units = (id: SiteId) => new Draws(`A4 site ${id}`).units(1);

/** The model that the victim gets, and one of which no hidden unit ever fires. */
const live = honestStart('A4');
const dead = live.map((w, i) => (i >= INPUTS * HIDDEN && i < INPUTS * HIDDEN + HIDDEN ? -1e3 : w));
const gradientOf = (id: SiteId): Float64Array => summedGradient(id === victim ? live : dead, units(id));

/** The best of what the hidden units say about the victim's unit. */
const errorOf = (sum: ArrayLike<number>): number =>
  Math.min(
    ...Array.from({ length: HIDDEN }, (_, k) => relativeError(rowBehind(sum, k), units(victim).x[0]!)).filter(
      Number.isFinite,
    ),
  );
const note = (defence: string, value: number): number =>
  measured({
    attack: 'A4',
    setting: 'five sites of 1 unit',
    defence,
    measure: 'relative error of the unit',
    value,
  }).value;

/** Ring words of a gradient, with the weight and the fault behind them. */
function vectorOf(id: SiteId): Uint8Array {
  const { Q } = cohort.manifest;
  const words = new Int32Array(net.size);
  const rounding = { next: (count: number) => new Uint32Array(count).fill(2 ** 31) };
  quantiseTile(Float32Array.from(gradientOf(id)), { weightScale: 1, C, Q, rounding }, words);
  return new Uint8Array([...new Uint8Array(words.buffer), ...packIntegers([2 ** 20, 0], 32)]);
}

describe('A4 another model for each site, through a perfect sum', () => {
  it('control: with a dead model for the others the sum is the gradient of the victim', () => {
    const sum = new Float64Array(net.size);
    for (const id of all) gradientOf(id).forEach((g, i) => (sum[i]! += g));
    expect(note('exact sum', errorOf(sum))).toBeLessThan(1e-12);
  });

  it('control: were the model not in every signature, the real protocol would add it up all the same', async () => {
    const other = withManifest(cohort, { modelHash: sha256() });
    const coordinator = new LyingCoordinator(cohort, await secaggWithout('modelInContext'));
    for (const id of all) coordinator.join(id, vectorOf(id), id === victim ? other : cohort);
    const words = decodeSigned32(new Spoils(coordinator, all, 4).take(...coordinator.run(all)).sumOf(all));
    const mean = decodeMean(words.slice(0, net.size), { Q: cohort.manifest.Q, C, W: 1 });
    expect(note('secure sum, model not signed', errorOf(mean))).toBeLessThan(0.01);
  });

  it('the sites fail on the keys of each other: E_SIG_R0, before anything is dealt', () => {
    const other = withManifest(cohort, { modelHash: sha256() });
    const coordinator = new LyingCoordinator(cohort);
    for (const id of all) coordinator.join(id, vectorOf(id), id === victim ? other : cohort);
    for (const id of all) expect(() => coordinator.deal([id], all)).toThrow(refused('E_SIG_R0'));
  });
});
