import { describe, expect, it } from '@jest/globals';
import { ceilingOf, serverStepOf, TILE_WORDS } from '@regulon/shared/program';
import { clipScale, quantiseTile } from '@regulon/shared/secagg';
import { refused } from '../security/support/refused.js';
import { measured } from './support/attack-report.js';
import { Draws, type Units } from './support/nets.js';
import {
  accuracyOf,
  flipped,
  net,
  type Rule,
  SITES,
  stepped,
  triggered,
  unitsOf,
  updateOf,
} from './support/poisoned-rounds.js';

const [ROUNDS, MALICIOUS] = [10, 7];
const sites = Array.from({ length: SITES }, (_, s) => unitsOf(`site ${s}`, 40));
const test = unitsOf('test', 300);
const start = Float64Array.from(new Draws('C1 start').normals(net.size), (w) => 0.2 * w);

/** What the malicious site sends: an update towards its own model, as often as there are sites. */
type Poison = (weights: Float64Array, own: Units) => Float64Array;
const scaled =
  (poisoned: (own: Units) => Units): Poison =>
  (weights, own) => {
    const towards = updateOf(weights, poisoned(own));
    return towards.map((d) => SITES * d);
  };
const backdoor = scaled((own) => {
  const hidden = triggered(own);
  return { x: [...own.x, ...hidden.x], y: [...own.y, ...hidden.y] };
});

/** Rounds of twenty sites in groups that change every round. @param groups 1 is the plain mean of all */
function federated(rule: Rule, groups: number, poison?: Poison): Float64Array {
  const draws = new Draws('C1 groups');
  let weights: Float64Array = start;
  for (let round = 0; round < ROUNDS; round++) {
    const updates = sites.map((own, s) => (poison && s === MALICIOUS ? poison : updateOf)(weights, own));
    const order = updates.map((update) => ({ update, at: draws.normal() })).sort((a, b) => a.at - b.at);
    const size = SITES / groups;
    const cut = Array.from({ length: groups }, (_, g) =>
      order.slice(g * size, (g + 1) * size).map(({ update }) => update),
    );
    weights = stepped(weights, cut, rule);
  }
  return weights;
}

function note(setting: string, defence: string, weights: Float64Array) {
  const [accuracy, success] = [accuracyOf(weights, test), accuracyOf(weights, triggered(test))];
  measured({ attack: 'C1', setting, defence, measure: 'accuracy', value: accuracy });
  measured({ attack: 'C1', setting, defence, measure: 'answers of the backdoor', value: success });
  return { accuracy, success };
}

describe('C1 one poisoned site of twenty', () => {
  const clean = note('no attack', 'mean', federated('mean', 1));

  it('control: a scaled backdoor owns the mean', () => {
    expect(clean.accuracy).toBeGreaterThan(0.85);
    expect(clean.success).toBeLessThan(0.5);
    const { success } = note('scaled backdoor', 'mean', federated('mean', 1, backdoor));
    expect(success).toBeGreaterThan(0.9);
  });

  it('control: flipped labels, scaled, spoil the mean', () => {
    const { accuracy } = note('flipped labels, scaled', 'mean', federated('mean', 1, scaled(flipped)));
    expect(accuracy).toBeLessThan(clean.accuracy - 0.3);
  });

  it.each(['median', 'trimmed-mean'] as const)('the %s of four groups stays near the clean model', (rule) => {
    const owned = note('scaled backdoor', `${rule} of 4 groups`, federated(rule, 4, backdoor));
    expect(owned.accuracy).toBeGreaterThan(clean.accuracy - 0.05);
    expect(owned.success).toBeLessThan(clean.success + 0.15);
    const spoilt = note('flipped labels, scaled', `${rule} of 4 groups`, federated(rule, 4, scaled(flipped)));
    expect(spoilt.accuracy).toBeGreaterThan(clean.accuracy - 0.05);
  });

  it('two groups are refused: their median is their mean', () => {
    const two = [[new Float64Array(3)], [new Float64Array(3)]];
    for (const rule of ['median', 'trimmed-mean'] as const)
      expect(() => stepped(new Float64Array(3), two, rule)).toThrow(
        refused('E_POLICY', /2 groups are too few/),
      );
  });
});

describe('C2 words that are no update', () => {
  const [C, Q, d] = [1, 2 ** 20, 4 * TILE_WORDS];
  const draws = new Draws('C2');
  const honest = Array.from({ length: 19 }, () => draws.normals(d).map((e) => e / Math.sqrt(d)));
  const sumWith = (word: number, from: number, to: number): number[] =>
    honest[0]!.map((_, i) => {
      const own = i >= from && i < to ? word / Q : 0;
      return honest.reduce((total, update) => total + update[i]!, own);
    });
  const ceiling = ceilingOf({ survivors: 20, C, Q, d, noise: 0 });
  /** The server step of a mean over the words of such a sum. @param profile of the tiles of earlier rounds */
  const apply = (sum: readonly number[], profile: readonly number[] = []) => {
    const words = Int32Array.from(sum, (value) => Math.round((value / C) * Q));
    const tiles = { factor: 3, floor: 400, profile };
    const step = serverStepOf({ rule: 'mean', weight: 20, owned: [], ceiling, C, Q, tiles });
    step.tile(new Float32Array(d), [words], new Float32Array(d), 0);
    return step.finish();
  };
  const normOf = (sum: readonly number[]): number =>
    Math.sqrt(sum.reduce((total, value) => total + value * value, 0));
  const note = (setting: string, sum: readonly number[]): number => {
    const value = normOf(sum);
    const measure = { defence: 'norm ceiling', measure: 'norm of the sum', value, bound: ceiling };
    measured({ attack: 'C2', setting, ...measure });
    return value;
  };
  const clean = sumWith(0, 0, 0);
  const profile = apply(clean).tiles;

  it('control: an honest sum lies below the ceiling, and no tile stands out', () => {
    const norm = note('honest', clean);
    expect(norm).toBeLessThan(ceiling);
    expect(apply(clean, profile).norms[0]).toBeCloseTo(norm, 3);
  });

  it.each([
    ['2³¹ − 1 in one word', 2 ** 31 - 1, 0, 1],
    ['Q in every word', Q, 0, d],
  ] as const)('%s exceeds the ceiling, and no model is made of it', (setting, word, from, to) => {
    const sum = sumWith(word, from, to);
    expect(note(setting, sum)).toBeGreaterThan(ceiling);
    expect(() => apply(sum)).toThrow(refused('E_CEILING'));
  });

  it('a few words below the ceiling stand out in their tile, once earlier rounds have a profile', () => {
    const sum = sumWith(Q / 2, TILE_WORDS, TILE_WORDS + 60);
    expect(note('Q/2 in 60 words', sum)).toBeLessThan(ceiling);
    expect(apply(sum).tiles).toHaveLength(4);
    expect(() => apply(sum, profile)).toThrow(refused('E_OUTLIER', /1 of 4 tiles.*weights 16384/));
  });

  it('NaN and infinity are refused at the site, before a word is sent', () => {
    const rounding = { next: (count: number) => new Uint32Array(count) };
    for (const bad of [NaN, Infinity]) {
      expect(() => clipScale(1, bad, C)).toThrow(refused('E_NOT_FINITE'));
      const options = { weightScale: 1, C, Q, rounding };
      expect(() => quantiseTile(Float32Array.of(0.5, bad), options, new Int32Array(2))).toThrow(
        refused('E_NOT_FINITE'),
      );
    }
  });

  it('what the site does send is never above Q in a word, whatever training gave', () => {
    const words = new Int32Array(3);
    const rounding = { next: (count: number) => new Uint32Array(count).fill(2 ** 32 - 1) };
    quantiseTile(Float32Array.of(1e30, -1e30, 0.5), { weightScale: 1, C, Q, rounding }, words);
    expect([...words.subarray(0, 2)]).toEqual([Q, -Q]);
  });
});
