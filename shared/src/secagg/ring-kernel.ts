import { hex, sha256 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { webAssembly } from '../web-assembly/index.js';
import { RING_KERNEL_BASE64, RING_KERNEL_SHA256 } from './ring-kernel-binary.js';

/** Bytes of one tile, the unit in which vectors are masked and folded. */
export const TILE_BYTES = 128 * 1024;

/** Bits of a ring element. */
export type RingBits = 32 | 64;

/** In-place addition of whole tiles modulo 2^bits; all numbers little-endian. */
export interface RingKernel {
  readonly name: 'wasm-simd' | 'js';
  /** first operand and result, TILE_BYTES long */
  readonly accumulator: Uint8Array;
  /** second operand, TILE_BYTES long */
  readonly operand: Uint8Array;
  /** accumulator += operand, over at least `length` bytes */
  add(bits: RingBits, length: number): void;
  /** accumulator −= operand, over at least `length` bytes */
  sub(bits: RingBits, length: number): void;
}

type TileFunction = (length: number) => void;

/** The WebAssembly SIMD kernel, or undefined where the machine has none. @throws E_INTERNAL if the module was changed */
export function wasmKernel(): RingKernel | undefined {
  const binary = Uint8Array.from(Buffer.from(RING_KERNEL_BASE64, 'base64'));
  if (hex(sha256(binary)) !== RING_KERNEL_SHA256)
    throw new RegulonError('E_INTERNAL', 'the ring kernel was changed');
  if (!webAssembly.validate(binary)) return undefined;
  const { exports } = new webAssembly.Instance(new webAssembly.Module(binary));
  const call = (name: string): TileFunction => exports[name] as TileFunction;
  const functions = {
    add: { 32: call('add32'), 64: call('add64') },
    sub: { 32: call('sub32'), 64: call('sub64') },
  };
  const { buffer } = exports['memory'] as { readonly buffer: ArrayBuffer };
  return {
    name: 'wasm-simd',
    accumulator: new Uint8Array(buffer, 0, TILE_BYTES),
    operand: new Uint8Array(buffer, TILE_BYTES, TILE_BYTES),
    add: (bits, length) => functions.add[bits](padded(length)),
    sub: (bits, length) => functions.sub[bits](padded(length)),
  };
}

/** The same in plain JavaScript, for little-endian machines without SIMD; the reference for the tests. */
export function jsKernel(): RingKernel {
  const accumulator = new Uint8Array(TILE_BYTES);
  const operand = new Uint8Array(TILE_BYTES);
  const [a, b] = [new Uint32Array(accumulator.buffer), new Uint32Array(operand.buffer)];
  return {
    name: 'js',
    accumulator,
    operand,
    add: (bits, length) => (bits === 32 ? add32(a, b, length / 4) : add64(a, b, length / 4)),
    sub: (bits, length) => (bits === 32 ? sub32(a, b, length / 4) : sub64(a, b, length / 4)),
  };
}

const padded = (length: number): number => Math.ceil(length / 64) * 64;

function add32(a: Uint32Array, b: Uint32Array, words: number): void {
  for (let k = 0; k < words; k++) a[k] = (a[k] ?? 0) + (b[k] ?? 0);
}

function sub32(a: Uint32Array, b: Uint32Array, words: number): void {
  for (let k = 0; k < words; k++) a[k] = (a[k] ?? 0) - (b[k] ?? 0);
}

function add64(a: Uint32Array, b: Uint32Array, words: number): void {
  for (let k = 0; k < words; k += 2) {
    const low = (a[k] ?? 0) + (b[k] ?? 0);
    a[k] = low;
    a[k + 1] = (a[k + 1] ?? 0) + (b[k + 1] ?? 0) + (low > 0xffff_ffff ? 1 : 0);
  }
}

function sub64(a: Uint32Array, b: Uint32Array, words: number): void {
  for (let k = 0; k < words; k += 2) {
    const low = (a[k] ?? 0) - (b[k] ?? 0);
    a[k] = low;
    a[k + 1] = (a[k + 1] ?? 0) - (b[k + 1] ?? 0) - (low < 0 ? 1 : 0);
  }
}
