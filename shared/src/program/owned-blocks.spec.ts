import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { manifestOf, modelDeclarationSchema, type WeightSpec } from '../models/index.js';
import { ownedBlocks, ownedRanges, thinBlock } from './owned-blocks.js';
import { fedAvgStep } from './server-step.js';
import { toyContract } from './toy-contract.support.js';

const [Q, C] = [2 ** 20, 1];

/** Sums of made-up updates of sites of other sizes, and the plain means of them by coordinate. */
interface Made {
  readonly specs: readonly WeightSpec[];
  readonly global: Float32Array;
  /** ring integers */
  readonly sum: Int32Array;
  readonly weight: number;
  /** global + Σ over the owners of weight · update, over the constant or over all weights */
  readonly expected: Float64Array;
}

const siteNames = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const made: fc.Arbitrary<Made> = fc
  .record({
    weights: fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 7, maxLength: 7 }),
    /** who owns each of three blocks: 0 = all */
    owners: fc.array(fc.integer({ min: 0, max: 126 }), { minLength: 3, maxLength: 3 }),
    denominators: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 3, maxLength: 3 }),
    seed: fc.integer({ min: 1, max: 1e6 }),
  })
  .map(({ weights, owners, denominators, seed }) => {
    const blocks = owners.map((bits, b) => {
      const names = siteNames.filter((_, i) => (bits >> i) & 1);
      const owned =
        names.length === 0
          ? {}
          : { aggregate: 'owners', owners: names, denominator: (denominators[b] ?? 1) / 100 };
      return { name: `b${b}`, ...owned, layers: [{ type: 'dense', units: b === 2 ? 'outputs' : 3 + b }] };
    });
    const specs = manifestOf(modelDeclarationSchema.parse({ blocks }), { inputShape: [4], outputs: 2 });
    return {
      specs,
      ...sumsOf(
        specs,
        weights.map((w) => w / 64),
        seed,
      ),
    };
  });

function sumsOf(specs: readonly WeightSpec[], weights: readonly number[], seed: number): Omit<Made, 'specs'> {
  const d = specs.reduce((n, { size }) => n + size, 0);
  const draw = (k: number): number => ((seed * 7919 + k * 104_729) % 20_011) / 20_011 - 0.5;
  const global = Float32Array.from({ length: d }, (_, k) => draw(k));
  const sum = new Int32Array(d);
  const expected = new Float64Array(d);
  const weight = weights.reduce((a, b) => a + b, 0);
  for (const { offset, size, owners, denominator } of specs) {
    for (let k = offset; k < offset + size; k++) {
      let plain = 0; // exact: whole multiples of 2⁻²⁰
      weights.forEach((w, i) => {
        // a site that does not own the block leaves it as it is
        const update = owners && !owners.includes(siteNames[i] ?? '') ? 0 : draw(k * 7 + i + 1);
        const words = Math.round(((update * w) / C) * Q);
        sum[k] = (sum[k] ?? 0) + words;
        plain += (words / Q) * C;
      });
      expected[k] = (global[k] ?? 0) + plain / (denominator ?? weight);
    }
  }
  return { global, sum, weight, expected };
}

describe('blocks that only some sites train', () => {
  it('become the sum of their owners over the declared constant, all others the weighted mean', () => {
    fc.assert(
      fc.property(made, ({ specs, global, sum, weight, expected }) => {
        const out = new Float32Array(global.length);
        fedAvgStep({ weight, Q, C, owned: ownedRanges(specs) }).tile(global, [sum], out, 0);
        out.forEach((value, k) => expect(value).toBe(Math.fround(expected[k] ?? NaN)));
      }),
    );
  });

  it('give the same bytes in tiles, wherever they are cut', () => {
    fc.assert(
      fc.property(made, fc.integer({ min: 1, max: 50 }), ({ specs, global, sum, weight }, width) => {
        const step = fedAvgStep({ weight, Q, C, owned: ownedRanges(specs) });
        const whole = new Float32Array(global.length);
        step.tile(global, [sum], whole, 0);
        const pieces = Float32Array.from(global);
        for (let at = 0; at < pieces.length; at += width) {
          const tile = pieces.subarray(at, at + width);
          step.tile(tile, [sum.subarray(at, at + tile.length)], tile, at);
        }
        expect(pieces).toEqual(whole);
      }),
    );
  });

  it('are ranges of the vector, one a block', () => {
    const dense = (units: number | string) => [{ type: 'dense', units }];
    const model = modelDeclarationSchema.parse({
      blocks: [
        { name: 'all', layers: dense(2) },
        {
          name: 'some',
          aggregate: 'owners',
          owners: ['a'],
          denominator: 0.5,
          layers: [...dense(3), ...dense(3)],
        },
        { name: 'other', aggregate: 'owners', owners: ['b'], denominator: 2, layers: dense(1) },
        { name: 'head', layers: dense('outputs') },
      ],
    });
    expect(ownedRanges(manifestOf(model, { inputShape: [4], outputs: 2 }))).toEqual([
      { block: 'some', from: 10, to: 31, denominator: 0.5 },
      { block: 'other', from: 31, to: 35, denominator: 2 },
    ]);
  });
});

describe('the owners of a block', () => {
  const model = (owners: readonly string[]) => ({
    blocks: [
      { name: 'omic', aggregate: 'owners', owners, denominator: 1.5, layers: [{ type: 'dense', units: 2 }] },
      { name: 'head', layers: [{ type: 'dense', units: 'outputs' }] },
    ],
  });

  it('are as many as any sum covers, or the plan is refused by its path', () => {
    const contract = toyContract({ model: model(['d', 'b', 'a', 'c']) });
    expect(ownedBlocks(contract)).toEqual([{ name: 'omic', owners: [1, 2, 3, 4] }]);
    const few = (): unknown => toyContract({ model: model(['a', 'b', 'c']) });
    expect(few).toThrow(expect.objectContaining({ code: 'E_POLICY' }));
    expect(few).toThrow('plan: model.blocks[0].owners: 3 sites, but a sum covers at least 4 of 5');
    const deadlines = { minSurvivors: 5 };
    expect(() => toyContract({ model: model(['a', 'b', 'c', 'd']), deadlines })).toThrow(/at least 5 of 5/);
  });

  it('are counted in each block by itself', () => {
    const blocks = [
      { name: 'rna', owners: [1, 2, 3, 4] },
      { name: 'protein', owners: [2, 3, 4, 5] },
    ];
    expect(thinBlock(blocks, [1, 2, 3, 4, 5], 4)).toBeUndefined();
    expect(thinBlock(blocks, [2, 3, 4, 5], 4)).toEqual({ name: 'rna', left: 3 });
    expect(thinBlock(blocks, [1, 2, 3, 4], 4)).toEqual({ name: 'protein', left: 3 });
  });
});
