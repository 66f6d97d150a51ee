import type { TrainingBackend } from './backends/backend.js';

/** A flat float32 array that lives for a whole round. */
export interface Slab {
  /** its values; valid until the next allocation */
  view(): Float32Array;
  dispose(): void;
}

/** Zeros on the backend's heap, where the layers' kernels reach them. MUST be disposed. */
export function heapSlab(backend: TrainingBackend, size: number): Slab {
  const tensor = backend.allocate([size]);
  backend.view(tensor).fill(0);
  return { view: () => backend.view(tensor), dispose: () => tensor.dispose() };
}

/** An array that exists already. */
export function plainSlab(values: Float32Array): Slab {
  return { view: () => values, dispose: () => undefined };
}
