import { findBlas } from './find-blas.js';
import { findTensorFlow } from './find-tensorflow.js';
import { findWebGpu } from './find-webgpu.js';

/** Backends that a machine may have, in the order in which they are tried. */
export const CANDIDATES = ['gpu', 'blas', 'wasm', 'native', 'webgpu'] as const;
export type Candidate = (typeof CANDIDATES)[number];

/** A pinned backend, `auto`, or `cpu`: `auto` without a device. */
export type BackendChoice = 'auto' | 'cpu' | Candidate;

/** `native` is slower than `blas` and takes more memory, `webgpu` is experimental: only who asks gets them. */
const CHAINS: Readonly<Record<'auto' | 'cpu', readonly Candidate[]>> = {
  auto: ['gpu', 'blas', 'wasm'],
  cpu: ['blas', 'wasm'],
};

/** The backends that a choice allows, in order. */
export function chainOf(choice: BackendChoice): readonly Candidate[] {
  return choice === 'auto' || choice === 'cpu' ? CHAINS[choice] : [choice];
}

/** Whether a backend is there at all, tested or not. */
export function isThere(candidate: Candidate, acceleratorFolder: string | undefined): boolean {
  switch (candidate) {
    case 'wasm':
      return true;
    case 'blas':
      return findBlas(acceleratorFolder) !== undefined;
    case 'native':
    case 'gpu':
      return findTensorFlow(candidate, acceleratorFolder) !== undefined;
    case 'webgpu':
      return findWebGpu() !== undefined;
  }
}
