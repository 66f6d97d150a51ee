import { KeyedGenerator } from '@regulon/shared/models';
import { webAssembly } from '@regulon/shared/web-assembly';
import { LayerKernels } from './layer-kernels.js';

/** Kernels on a memory of 256 KiB, with arrays of numbers in (−2, 2) in it. */
export class TestHeap {
  readonly #memory = new webAssembly.Memory({ initial: 4 });
  readonly #random = new KeyedGenerator(new Uint8Array(32).fill(5));
  readonly kernels = LayerKernels.over(this.#memory);
  #top = 0;

  /** Forget all arrays. */
  reset(): void {
    this.#top = 0;
  }

  /** At odd places on purpose: slices of tensors are not aligned to 16 bytes. */
  array(length: number): Float32Array {
    const array = new Float32Array(this.#memory.buffer as ArrayBuffer, this.#top + 4, length);
    this.#top += 4 * length + 4;
    for (let i = 0; i < length; i++) array[i] = 4 * this.#random.uniform() - 2;
    return array;
  }
}
