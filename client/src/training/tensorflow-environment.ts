import os from 'node:os';

/** Symbol under which an installed package finds the TensorFlow.js of this process. */
export const TENSORFLOW_SHIM = 'regulon.tensorflow';

const GIBIBYTE = 2 ** 30;
/** Below this the allocator gives large blocks back at once: slower, and 3 GB less for a wide model. */
const ROOMY = 16 * GIBIBYTE;

/**
 * Environment of a training process that may load libtensorflow, which reads it when it is loaded.
 *
 * @param isPinned whether it is the backend of the process; else the allocator stays as it is for the others
 * @param memoryLimitMb limit of the site
 */
export function tensorflowEnvironment(
  threads: number,
  isPinned: boolean,
  memoryLimitMb = Infinity,
): NodeJS.ProcessEnv {
  const isRoomy = Math.min(memoryLimitMb * 2 ** 20, os.totalmem()) >= ROOMY;
  return {
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    TF_CPP_MIN_LOG_LEVEL: '2',
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    TF_DETERMINISTIC_OPS: '1',
    // page faults are two thirds of a step of a wide model otherwise
    ...(isPinned && isRoomy
      ? { MALLOC_MMAP_THRESHOLD_: String(GIBIBYTE), MALLOC_TRIM_THRESHOLD_: String(16 * GIBIBYTE) }
      : {}),
  };
}
