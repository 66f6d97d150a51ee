import { fromHex, equalBytes, sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { webAssembly, type WebAssemblyMemory } from '@regulon/shared/web-assembly';
import type { Matrix, ProductOptions, ProductSizes } from '../backends/matrix.js';
import type { WeightArrays } from '../optimisers/weight-arrays.js';
import type { BackwardSlices, ForwardSlices } from '../ops/cell-slices.js';
import { LAYER_KERNELS_BASE64, LAYER_KERNELS_SHA256 } from './layer-kernels-binary.js';

const LANES = 4;

/** Elements that `multiply` needs for packed blocks; see `multiply.wat`. */
export const PRODUCT_WORK_SIZE = (65_536 + 524_288 + 128) / 4;

/** Activations that have kernels. */
export type FastActivation = 'relu' | 'tanh';

/** An array and the length that it must have. */
export type Sized = readonly [array: Float32Array, length: number];

type Kernel = (...args: number[]) => void;

/** The memory that TensorFlow.js's own module lives in. */
export type HeapMemory = WebAssemblyMemory;

export interface AdamStep {
  readonly scale: number;
  /** added to the gradient, times the weight */
  readonly decay: number;
  /** factor of the weight */
  readonly shrink: number;
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  /** √(1 − β₂ᵗ) */
  readonly correction: number;
  readonly epsilon: number;
}

export interface PoolSizes {
  readonly size: number;
  readonly pooled: number;
  readonly channels: number;
}

/**
 * The layers' loops as WebAssembly SIMD on the tensors' own memory.
 *
 * Each method does its work and returns true, or returns false and leaves everything as it is: sizes that are no
 * multiple of four, and arrays outside of the heap, stay with the plain loops beside the call.
 */
export class LayerKernels {
  private constructor(
    private readonly memory: HeapMemory,
    private readonly kernels: Readonly<Record<string, unknown>>,
  ) {}

  /**
   * @returns undefined where the machine has no WebAssembly SIMD
   * @throws E_INTERNAL if the module's bytes were changed
   */
  static over(memory: HeapMemory): LayerKernels | undefined {
    const binary = Uint8Array.from(Buffer.from(LAYER_KERNELS_BASE64, 'base64'));
    if (!equalBytes(sha256(binary), fromHex(LAYER_KERNELS_SHA256))) {
      throw new RegulonError('E_INTERNAL', 'the layer kernels were changed');
    }
    if (!webAssembly.validate(binary)) return undefined;
    const { exports } = new webAssembly.Instance(new webAssembly.Module(binary), { env: { memory } });
    return new LayerKernels(memory, exports);
  }

  /** c (+)= a·b, as `TrainingBackend.multiply`, whose check MUST have passed; work [PRODUCT_WORK_SIZE]. */
  multiply(
    a: Matrix,
    b: Matrix,
    c: Matrix,
    options: ProductOptions,
    { m, k, n }: ProductSizes,
    work: Float32Array,
  ): boolean {
    const { buffer } = this.memory;
    const here = [a.values, b.values, c.values, work].every((array) => array.buffer === buffer);
    if (!here || work.length !== PRODUCT_WORK_SIZE) return false;
    const [ai, ak] = options.a ? [4, 4 * a.stride] : [4 * a.stride, 4];
    const [bj, bk] = options.b ? [4 * b.stride, 4] : [4, 4 * b.stride];
    const [from, to] = [a.values.byteOffset, c.values.byteOffset];
    const add = options.add ? 1 : 0;
    this.#call(
      'multiply',
      ...[m, n, k, from, ai, ak, b.values.byteOffset, bj, bk, to],
      ...[4 * c.stride, add, work.byteOffset],
    );
    return true;
  }

  /** z ← activation(z + bias); z [rows, columns], bias [columns]. */
  biasActivation(activation: FastActivation, z: Float32Array, bias: Float32Array): boolean {
    const rows = Math.floor(z.length / bias.length);
    if (!this.#fits(bias.length, [z, rows * bias.length], [bias, bias.length])) return false;
    this.#call(`bias_${activation}`, rows, bias.length, z.byteOffset, bias.byteOffset);
    return true;
  }

  /** out ← gradient · activation′, from the activated value y; all [n]. */
  activationBackward(
    activation: FastActivation,
    y: Float32Array,
    gradient: Float32Array,
    out: Float32Array,
  ): boolean {
    const n = y.length;
    if (!this.#fits(n, [y, n], [gradient, n], [out, n])) return false;
    this.#call(`${activation}_backward`, 4 * n, y.byteOffset, gradient.byteOffset, out.byteOffset);
    return true;
  }

  /** out ← sum of each column, in float64, rounded once; matrix [rows, columns], out [columns]. */
  columnSums(matrix: Float32Array, out: Float32Array): boolean {
    const rows = Math.floor(matrix.length / out.length);
    if (!this.#fits(out.length, [matrix, rows * out.length], [out, out.length])) return false;
    this.#call('column_sums', rows, out.length, matrix.byteOffset, out.byteOffset);
    return true;
  }

  /** One step of Adam or AdamW over arrays [n], in place; see `optimisers/adam.ts`. */
  adam({ weights, gradient, moments }: WeightArrays, step: AdamStep): boolean {
    const arrays = [weights, ...moments, gradient];
    const n = gradient.length;
    if (!this.#fits(n, ...arrays.map((array) => [array, n] as const))) return false;
    const places = arrays.map((array) => array.byteOffset);
    const { scale, decay, shrink, rate, beta1, beta2, correction, epsilon } = step;
    this.#call('adam', 4 * n, ...places, scale, decay, rate, beta1, beta2, 1 / correction, epsilon, shrink);
    return true;
  }

  /** Maxima of one unit's windows: input [steps, channels], output [pooled, channels]. */
  maxPool(input: Float32Array, output: Float32Array, { size, pooled, channels }: PoolSizes): boolean {
    const read = pooled * size * channels;
    if (!this.#fits(channels, [input.subarray(0, read), read], [output, pooled * channels])) return false;
    this.#call('max_pool', pooled, size, channels, input.byteOffset, output.byteOffset);
    return true;
  }

  /** Gradient of `maxPool` of one unit; steps behind the last window are not written. */
  maxPoolBackward(
    { input, output, gradient, target }: Record<'input' | 'output' | 'gradient' | 'target', Float32Array>,
    { size, pooled, channels }: PoolSizes,
  ): boolean {
    const read = pooled * size * channels;
    const out = pooled * channels;
    const arrays = [input.subarray(0, read), output, gradient, target.subarray(0, read)] as const;
    const [a, b, c, d] = arrays;
    if (!this.#fits(channels, [a, read], [b, out], [c, out], [d, read])) return false;
    this.#call('max_pool_backward', pooled, size, channels, ...arrays.map((array) => array.byteOffset));
    return true;
  }

  /** One step of `gruCell.forward`. */
  gruForward(step: ForwardSlices): boolean {
    const { batch, units, fromInput, fromState, bias, previous, state, cache } = step;
    const n = batch * units;
    const arrays: [Float32Array, number][] = [
      [fromInput, 3 * n],
      [fromState, 3 * n],
      [bias, 6 * units],
      [previous, n],
      [state, n],
      [cache, 4 * n],
    ];
    if (!this.#fits(units, ...arrays)) return false;
    this.#call('gru_forward', batch, units, ...arrays.map(([array]) => array.byteOffset));
    return true;
  }

  /** One step of `gruCell.backward`. */
  gruBackward(step: BackwardSlices): boolean {
    const { batch, units, dState, previous, cache, dFromInput, dFromState } = step;
    const n = batch * units;
    const arrays: [Float32Array, number][] = [
      [dState, n],
      [previous, n],
      [cache, 4 * n],
      [dFromInput, 3 * n],
      [dFromState, 3 * n],
    ];
    if (!this.#fits(units, ...arrays)) return false;
    this.#call('gru_backward', batch, units, ...arrays.map(([array]) => array.byteOffset));
    return true;
  }

  /** One step of `lstmCell.forward`. */
  lstmForward({ batch, units, fromInput, bias, previousCache, state, cache }: ForwardSlices): boolean {
    const n = batch * units;
    const before: [Float32Array, number][] = previousCache ? [[previousCache, 6 * n]] : [];
    const own: [Float32Array, number][] = [
      [fromInput, 4 * n],
      [bias, 4 * units],
      [state, n],
      [cache, 6 * n],
    ];
    if (!this.#fits(units, ...own, ...before)) return false;
    const places = [fromInput.byteOffset, bias.byteOffset, previousCache?.byteOffset ?? 0];
    this.#call('lstm_forward', batch, units, ...places, state.byteOffset, cache.byteOffset);
    return true;
  }

  /** One step of `lstmCell.backward`. */
  lstmBackward(step: BackwardSlices): boolean {
    const { batch, units, dState, dCarry, cache, previousCache, dFromInput } = step;
    const n = batch * units;
    const before: [Float32Array, number][] = previousCache ? [[previousCache, 6 * n]] : [];
    const own: [Float32Array, number][] = [
      [dState, n],
      [dCarry, n],
      [cache, 6 * n],
      [dFromInput, 4 * n],
    ];
    if (!this.#fits(units, ...own, ...before)) return false;
    const places = [dState.byteOffset, dCarry.byteOffset, cache.byteOffset, previousCache?.byteOffset ?? 0];
    this.#call('lstm_backward', batch, units, ...places, dFromInput.byteOffset);
    return true;
  }

  /**
   * Run a kernel that has a file of its own.
   *
   * @param width of the rows that it takes four numbers at a time
   * @param sizes its first arguments; then come the places of the arrays, then `scalars`
   */
  run(
    name: string,
    width: number,
    sizes: readonly number[],
    arrays: readonly Sized[],
    scalars: readonly number[] = [],
  ): boolean {
    if (!this.#fits(width, ...arrays)) return false;
    this.#call(name, ...sizes, ...arrays.map(([array]) => array.byteOffset), ...scalars);
    return true;
  }

  /** The one check before pointers are used: width, place and exact length of every array. */
  #fits(width: number, ...arrays: readonly Sized[]): boolean {
    if (width < LANES || width % LANES !== 0) return false;
    return arrays.every(([array, length]) => array.length === length && array.buffer === this.memory.buffer);
  }

  #call(name: string, ...args: number[]): void {
    (this.kernels[name] as Kernel)(...args);
  }
}
