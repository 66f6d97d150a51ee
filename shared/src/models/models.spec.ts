import { describe, expect, it } from '@jest/globals';
import { hex, sha256 } from '../crypto/index.js';
import { isRegulonError } from '../errors/index.js';
import {
  decays,
  initialWeights,
  KeyedGenerator,
  manifestDigest,
  manifestOf,
  modelDeclarationSchema,
  parameterCount,
  type ModelDeclaration,
  type WeightSpec,
} from './index.js';

const declare = (...layers: unknown[]): ModelDeclaration =>
  modelDeclarationSchema.parse({ blocks: [{ name: 'trunk', layers }] });
const dense = (units: number | 'outputs') => ({ type: 'dense', units });
const cnn = declare(
  { type: 'conv1d', filters: 8, kernel: 5, activation: 'relu' },
  { type: 'max-pool1d', size: 2 },
  { type: 'conv1d', filters: 16, kernel: 5, activation: 'relu' },
  { type: 'max-pool1d', size: 2 },
  { type: 'flatten' },
  { type: 'dense', units: 32, activation: 'relu' },
  dense('outputs'),
);

function allWeights(specs: readonly WeightSpec[], seed = 1, arm = 0): Float32Array {
  const flat = new Float32Array(parameterCount(specs));
  let offset = 0;
  for (const piece of initialWeights(specs, { seed, arm })) {
    expect(piece.byteLength).toBeLessThanOrEqual(1 << 20);
    flat.set(piece, offset);
    offset += piece.length;
  }
  expect(offset).toBe(flat.length);
  return flat;
}
const bytesOf = (flat: Float32Array) => new Uint8Array(flat.buffer, flat.byteOffset, flat.byteLength);

describe('declaration', () => {
  it('refuses unknown keys and unknown layers', () => {
    const layer = { type: 'dense', units: 3, code: 'x' };
    expect(modelDeclarationSchema.safeParse({ blocks: [{ name: 'a', layers: [layer] }] }).success).toBe(
      false,
    );
    const other = { type: 'lambda' };
    expect(modelDeclarationSchema.safeParse({ blocks: [{ name: 'a', layers: [other] }] }).success).toBe(
      false,
    );
  });
});

describe('decays', () => {
  it('is for kernels and tables, not for biases and norms, whatever block they are part of', () => {
    const model = declare(
      { type: 'conv1d', filters: 4, kernel: 3 },
      { type: 'group-norm', groups: 2 },
      { type: 'gru', units: 4, bidirectional: true, returnSequences: true },
      { type: 'transformer', heads: 2, feedForward: 8 },
      { type: 'temporal-attention', units: 3 },
      dense('outputs'),
    );
    const specs = manifestOf(model, { inputShape: [12, 4], outputs: 2 });
    const kept = specs.filter((spec) => !decays(spec));
    const starts = (init: string) => specs.filter((spec) => spec.init === init);
    // what begins at zero or one moves a value or scales it; what is drawn at random multiplies
    expect(kept).toEqual(specs.filter(({ init }) => init === 'zeros' || init === 'ones'));
    expect([starts('zeros').length, starts('ones').length]).toEqual([14, 3]);
  });
});

describe('manifestOf', () => {
  it('keeps the flatten size right behind two pools: 16·⌊(⌊(G−4)/2⌋−4)/2⌋', () => {
    for (const genes of [100, 1000, 1001, 1002, 1003]) {
      const specs = manifestOf(cnn, { inputShape: [genes], outputs: 3 });
      const flat = 16 * Math.floor((Math.floor((genes - 4) / 2) - 4) / 2);
      expect(specs.map((s) => s.shape)).toEqual([
        [5, 1, 8],
        [8],
        [5, 8, 16],
        [16],
        [flat, 32],
        [32],
        [32, 3],
        [3],
      ]);
    }
  });

  it('places the weights without gaps', () => {
    const specs = manifestOf(cnn, { inputShape: [1000], outputs: 3 });
    let offset = 0;
    for (const spec of specs) {
      expect(spec.offset).toBe(offset);
      offset += spec.size;
    }
    expect(parameterCount(specs)).toBe(offset);
    expect(new Set(specs.map((s) => s.name)).size).toBe(specs.length);
  });

  it('counts the gates of recurrent layers', () => {
    const shapes = (type: string) =>
      manifestOf(declare({ type, units: 32, returnSequences: true }, dense('outputs')), {
        inputShape: [23, 1],
        outputs: 1,
      }).map((s) => s.shape);
    expect(shapes('gru')).toEqual([[1, 96], [32, 96], [2, 96], [32, 1], [1]]);
    expect(shapes('lstm')).toEqual([[1, 128], [32, 128], [128], [32, 1], [1]]);
    expect(shapes('simple-rnn')).toEqual([[1, 32], [32, 32], [32], [32, 1], [1]]);
  });

  it('names the layer that does not fit', () => {
    const refusal = (run: () => unknown): string => {
      try {
        run();
      } catch (error) {
        if (isRegulonError(error, 'E_MODEL_SHAPE')) return error.message;
      }
      return 'accepted';
    };
    expect(refusal(() => manifestOf(cnn, { inputShape: [12], outputs: 3 }))).toMatch(
      /^trunk\/2-conv1d \(model\.blocks\[0\]\.layers\[2\]\): gets \[4, 8\], needs \[5 or more/,
    );
    expect(refusal(() => manifestOf(declare(dense(7)), { inputShape: [12], outputs: 3 }))).toMatch(
      /trunk\/0-dense.*3 outputs.*\[7\]/,
    );
    expect(refusal(() => manifestOf(declare(dense(3)), { inputShape: [0], outputs: 3 }))).toMatch(/\[0\]/);
  });

  it('has a digest that changes with any shape', () => {
    const digest = (genes: number) =>
      hex(manifestDigest(manifestOf(cnn, { inputShape: [genes], outputs: 3 })));
    expect(digest(1000)).toBe(digest(1000));
    expect(digest(1000)).not.toBe(digest(1004));
  });
});

describe('initialWeights', () => {
  const specs = manifestOf(cnn, { inputShape: [1000], outputs: 3 });

  it('gives the same bytes for the same seed and arm, other bytes for others', () => {
    const digest = (seed: number, arm: number) => hex(sha256(bytesOf(allWeights(specs, seed, arm))));
    expect(digest(1, 0)).toBe(digest(1, 0));
    expect(new Set([digest(1, 0), digest(2, 0), digest(1, 1)]).size).toBe(3);
  });

  it('is pinned: seed 1, arm 0 of the 1D CNN on 1,000 genes', () => {
    expect(hex(sha256(bytesOf(allWeights(specs))))).toBe(
      '3869267383dba2bbf757938c89a399986f17ed078a3c154383102381f1681e3d',
    );
  });

  it('draws Glorot and He uniform inside their bounds, with the right variance', () => {
    for (const [init, bound] of [
      ['glorot-uniform', Math.sqrt(6 / 1200)],
      ['he-uniform', Math.sqrt(6 / 1000)],
    ] as const) {
      const wide = manifestOf(declare({ type: 'dense', units: 'outputs', init }), {
        inputShape: [1000],
        outputs: 200,
      });
      const kernel = allWeights(wide).subarray(0, 200_000);
      const variance = kernel.reduce((sum, w) => sum + w * w, 0) / kernel.length;
      expect(kernel.every((w) => Math.abs(w) <= bound)).toBe(true);
      expect(variance / (bound * bound * (1 / 3))).toBeCloseTo(1, 2);
    }
  });

  it('makes the shorter side of a recurrent kernel orthonormal', () => {
    const gru = manifestOf(declare({ type: 'gru', units: 8 }, dense('outputs')), {
      inputShape: [5],
      outputs: 1,
    });
    const at = gru.find((s) => s.init === 'orthogonal')?.offset ?? 0;
    const rows = Array.from({ length: 8 }, (_, r) => allWeights(gru).subarray(at + r * 24, at + r * 24 + 24));
    rows.forEach((a, i) =>
      rows.forEach((b, j) => {
        const product = a.reduce((sum, x, k) => sum + x * (b[k] ?? 0), 0);
        expect(product).toBeCloseTo(i === j ? 1 : 0, 6);
      }),
    );
  });
});

describe('KeyedGenerator', () => {
  it('reads the ChaCha20 keystream of RFC 8439 A.1 test vector 1 (zero key, zero nonce)', () => {
    // keystream 76b8e0ad a0f13d90: words 0xade0b876 and 0x903df1a0
    const uniform = ((0xade0b876 >>> 5) * 2 ** 26 + (0x903df1a0 >>> 6)) / 2 ** 53;
    expect(new KeyedGenerator(new Uint8Array(32)).uniform()).toBe(uniform);
  });

  it('gives words of the same keystream, one after the other, also across its blocks', () => {
    const [some, all] = [1, 2].map(() => new KeyedGenerator(new Uint8Array(32))) as [
      KeyedGenerator,
      KeyedGenerator,
    ];
    const whole = new Uint32Array(40_000);
    all.words(whole);
    expect([...whole.subarray(0, 2)]).toEqual([0xade0b876, 0x903df1a0]);
    some.uniform();
    const pieces = [new Uint32Array(3), new Uint32Array(20_000), new Uint32Array(0), new Uint32Array(19_995)];
    for (const piece of pieces) some.words(piece);
    expect(pieces.flatMap((piece) => [...piece])).toEqual([...whole.subarray(2)]);
  });

  it('draws integers below a bound evenly', () => {
    const generator = new KeyedGenerator(new Uint8Array(32).fill(7));
    const counts = [0, 0, 0];
    for (let i = 0; i < 30_000; i++) {
      const k = generator.below(3);
      counts[k] = (counts[k] ?? 0) + 1;
    }
    for (const n of counts) expect(Math.abs(n - 10_000)).toBeLessThan(400);
  });
});
