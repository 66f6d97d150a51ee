import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import wabt from 'wabt';
import { hex, randomBytes } from '../crypto/index.js';
import { foldAndUnmaskTile } from './fold.js';
import { MaskEngine } from './mask-engine.js';
import { RING_KERNEL_BASE64, RING_KERNEL_SHA256 } from './ring-kernel-binary.js';
import { jsKernel, TILE_BYTES, wasmKernel } from './ring-kernel.js';
import { plainSum } from './secagg.support.js';

const engines = { wasm: new MaskEngine(), js: new MaskEngine(jsKernel()) };
const mask = (sign: 1 | -1) => ({ key: randomBytes(32), sign });

describe('ring kernel', () => {
  it('is the module that its source gives', async () => {
    const source = readFileSync(fileURLToPath(new URL('./ring-kernel.wat', import.meta.url)), 'utf8');
    const parsed = (await wabt()).parseWat('ring-kernel.wat', source, { simd: true, threads: true });
    parsed.validate();
    expect(Buffer.from(parsed.toBinary({}).buffer).toString('base64')).toBe(RING_KERNEL_BASE64);
  });

  it('runs as WebAssembly SIMD on this machine', () => {
    expect(wasmKernel()?.name).toBe('wasm-simd');
    expect(engines.wasm.backend).toBe('wasm-simd');
    expect(engines.js.backend).toBe('js');
  });

  it('is plain JavaScript where the module is not valid', () => {
    const api = (globalThis as { WebAssembly?: { validate: (binary: Uint8Array) => boolean } }).WebAssembly;
    if (!api) throw new Error('no WebAssembly');
    const { validate } = api;
    api.validate = () => false;
    try {
      expect(wasmKernel()).toBeUndefined();
      expect(new MaskEngine().backend).toBe('js');
    } finally {
      api.validate = validate;
    }
  });

  it('carries and borrows between the halves of a 64-bit word, and not at the edge before', () => {
    const kernels = [jsKernel(), wasmKernel()].flatMap((kernel) => kernel ?? []);
    expect(kernels.map(({ name }) => name)).toEqual(['js', 'wasm-simd']);
    for (const kernel of kernels) {
      const [a, b] = [kernel.accumulator, kernel.operand].map(
        (bytes) => new BigUint64Array(bytes.buffer, bytes.byteOffset, 8),
      );
      if (!a || !b) throw new TypeError('two arrays');
      // low halves: sum 2³² − 1, sum 2³², difference 0, difference −1
      const [x, y] = [
        [0xffff_fffen, 0xffff_ffffn, 7n, 6n],
        [1n, 1n, 7n, 7n],
      ] as const;
      a.set(x);
      b.set(y);
      kernel.add(64, 64);
      expect([...a.subarray(0, 4)]).toEqual([0xffff_ffffn, 0x1_0000_0000n, 14n, 13n]);
      a.set(x);
      kernel.sub(64, 64);
      expect([...a.subarray(0, 4)]).toEqual([0xffff_fffdn, 0xffff_fffen, 0n, 2n ** 64n - 1n]);
    }
  });

  it('does not run when the module was changed', async () => {
    const changed = Buffer.from(RING_KERNEL_BASE64, 'base64');
    changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
    jest.resetModules();
    jest.unstable_mockModule('./ring-kernel-binary.js', () => ({
      RING_KERNEL_BASE64: changed.toString('base64'),
      RING_KERNEL_SHA256,
    }));
    const other = await import('./ring-kernel.js');
    jest.unstable_unmockModule('./ring-kernel-binary.js');
    expect(() => other.wasmKernel()).toThrow(expect.objectContaining({ code: 'E_INTERNAL' }));
  });
});

describe('mask engine', () => {
  it('adds and subtracts like big integers, in both rings, with both kernels', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.constantFrom(32 as const, 64 as const),
        (elements, bits) => {
          const length = (elements * bits) / 8;
          const vectors = [randomBytes(length), randomBytes(length), new Uint8Array(length).fill(255)];
          for (const engine of Object.values(engines)) {
            const sum = vectors[0]?.slice() ?? new Uint8Array();
            engine.addTile(sum, vectors[1] ?? sum, bits);
            engine.addTile(sum, vectors[2] ?? sum, bits);
            expect(hex(sum)).toBe(hex(plainSum(vectors, bits)));
          }
        },
      ),
    );
  });

  it('gives the same with WebAssembly and JavaScript, in any order and cut of tiles', () => {
    for (const bits of [32, 64] as const) {
      const vector = randomBytes(300_008);
      const masks = [mask(1), mask(-1), mask(1), mask(-1)];
      const run = (engine: MaskEngine, tile: number, backwards: boolean): string => {
        const out = vector.slice();
        const offsets = Array.from({ length: Math.ceil(out.length / tile) }, (_, k) => k * tile);
        for (const o of backwards ? offsets.reverse() : offsets)
          engine.maskTile(out.subarray(o, o + tile), o, masks, bits);
        return hex(out);
      };
      const expected = run(engines.js, TILE_BYTES, false);
      expect(run(engines.wasm, TILE_BYTES, false)).toBe(expected);
      expect(run(engines.wasm, 16_384, false)).toBe(expected);
      expect(run(engines.wasm, 65_536, true)).toBe(expected);
      expect(run(engines.js, 4096, true)).toBe(expected);
    }
  });

  it('takes off what it put on', () => {
    const masks = [mask(1), mask(-1)];
    const inverse = masks.map(({ key, sign }) => ({ key, sign: sign === 1 ? (-1 as const) : (1 as const) }));
    const vector = randomBytes(4000);
    const spool = vector.slice();
    engines.wasm.maskTile(spool, 0, masks, 32);
    expect(hex(spool)).not.toBe(hex(vector));
    const sum = new Uint8Array(4000);
    foldAndUnmaskTile(sum, { spools: [spool], masks: inverse, byteOffset: 0, ringBits: 32 }, engines.wasm);
    expect(hex(sum)).toBe(hex(vector));
  });

  it('folds what a reader writes into its buffer like bytes that are given', () => {
    for (const length of [TILE_BYTES, 4096]) {
      const uploads = [randomBytes(length), randomBytes(length)];
      const readers = uploads.map((bytes) => (into: Uint8Array) => {
        expect(into).toHaveLength(length);
        into.set(bytes);
      });
      const work = { masks: [mask(-1)], byteOffset: 0, ringBits: 32 } as const;
      const [given, read] = [new Uint8Array(length), new Uint8Array(length)];
      foldAndUnmaskTile(given, { ...work, spools: uploads }, engines.wasm);
      foldAndUnmaskTile(read, { ...work, spools: readers }, engines.wasm);
      expect(hex(read)).toBe(hex(given));
    }
  });

  it('starts streams anew when the array of masks has grown', () => {
    const masks = [mask(1)];
    const [grown, whole] = [new Uint8Array(32), new Uint8Array(32)];
    engines.js.maskTile(grown.subarray(0, 16), 0, masks, 32);
    masks.push(mask(-1));
    engines.js.maskTile(grown.subarray(16), 16, masks, 32);
    engines.js.maskTile(whole, 0, [...masks], 32);
    expect(hex(grown.subarray(16))).toBe(hex(whole.subarray(16)));
  });

  it('refuses sizes that no tile has', () => {
    const refused = expect.objectContaining({ code: 'E_INTERNAL' });
    expect(() => engines.wasm.maskTile(new Uint8Array(TILE_BYTES + 4), 0, [], 32)).toThrow(refused);
    expect(() => engines.wasm.maskTile(new Uint8Array(12), 0, [], 64)).toThrow(refused);
    expect(() => engines.wasm.maskTile(new Uint8Array(16), 8, [mask(1)], 32)).toThrow(refused);
    expect(() => engines.wasm.addTile(new Uint8Array(16), new Uint8Array(12), 32)).toThrow(refused);
  });
});
