import type { TrainingBackend } from './backend.js';
import { BlasBackend } from './blas.js';
import type { Candidate } from './candidates.js';
import { findBlas } from './find-blas.js';
import { findTensorFlow } from './find-tensorflow.js';
import { findWebGpu } from './find-webgpu.js';
import { verifyInstalled } from './installed-files.js';
import { TensorFlowBackend } from './tensorflow.js';
import { WasmBackend } from './wasm.js';
import { WebGpuBackend } from './webgpu.js';

/**
 * Load a backend into this process.
 *
 * @returns undefined where it is not installed
 * @throws E_BACKEND if it does not load, or is not what was installed
 */
export async function startCandidate(
  candidate: Candidate,
  { threads, acceleratorFolder }: { readonly threads: number; readonly acceleratorFolder?: string },
): Promise<TrainingBackend | undefined> {
  switch (candidate) {
    case 'wasm':
      return WasmBackend.start();
    case 'blas': {
      const library = findBlas(acceleratorFolder);
      if (library?.folder !== undefined) await verifyInstalled(library.folder);
      return library && BlasBackend.startWith(library, threads);
    }
    case 'webgpu':
      return WebGpuBackend.startWith(findWebGpu());
    case 'native':
    case 'gpu': {
      const library = findTensorFlow(candidate, acceleratorFolder);
      if (library && library.folder !== null) await verifyInstalled(library.folder);
      return library && TensorFlowBackend.startWith(library);
    }
  }
}
