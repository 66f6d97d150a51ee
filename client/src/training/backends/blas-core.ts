import { readFileSync } from 'node:fs';

/** What OpenBLAS's kernels for AVX-512 use. */
const AVX512 = ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'];
const AVX2 = ['avx2', 'fma'];

/**
 * The kernels that OpenBLAS should take on a CPU, as `OPENBLAS_CORETYPE`.
 *
 * Releases do not know CPUs that came after them and fall back, to a third (Intel, Debian 12) or half (AMD with AVX-512)
 * of the speed. Kernels for instructions that the CPU lacks would end the process, so only its flags count.
 *
 * @param flags of /proc/cpuinfo; empty where unknown
 * @returns undefined where OpenBLAS shall decide
 */
export function coreTypeOf(flags: ReadonlySet<string>): 'SKYLAKEX' | 'HASWELL' | undefined {
  const has = (all: readonly string[]): boolean => all.every((flag) => flags.has(flag));
  return has([...AVX512, ...AVX2]) ? 'SKYLAKEX' : has(AVX2) ? 'HASWELL' : undefined;
}

/** Instruction sets of this machine's CPU; empty where the system does not tell. */
export function cpuFlags(): ReadonlySet<string> {
  try {
    const line = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    return new Set(line?.[1]?.trim().split(/\s+/));
  } catch {
    return new Set();
  }
}
