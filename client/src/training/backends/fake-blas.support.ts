import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const FILE = 'libscipy_openblas.so';

/** Whether libraries can be compiled here. */
export const hasCompiler = spawnSync('cc', ['--version']).status === 0;

/** Put bytes where an installed OpenBLAS lies, with the record that belongs to them. */
export async function installBlas(acceleratorFolder: string, library: Uint8Array): Promise<string> {
  const folder = path.join(acceleratorFolder, 'blas-0.0.0');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, FILE), library);
  const digest = createHash('sha256').update(library).digest('hex');
  const record = {
    ...{ schema: 'regulon.accelerator/2', name: 'blas', version: '0.0.0', sources: { 'x.whl': digest } },
    ...{ files: { [FILE]: digest }, from: 'test', installed: '2026-01-01T00:00:00Z' },
  };
  await writeFile(path.join(folder, 'installed.json'), JSON.stringify(record));
  return path.join(folder, FILE);
}

/**
 * A library with OpenBLAS's symbols.
 *
 * @param error added to the last element of every product
 * @param onLoad C statements that run when it is loaded
 */
export async function compiledBlas(folder: string, error: number, onLoad = ''): Promise<Uint8Array> {
  const [source, target] = [path.join(folder, 'blas.c'), path.join(folder, 'blas.so')];
  await writeFile(
    source,
    `void scipy_cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
       const float *b, int ldb, float beta, float *c, int ldc) {
       for (int i = 0; i < m; i++) for (int j = 0; j < n; j++) {
         double sum = 0;
         for (int p = 0; p < k; p++)
           sum += (double)a[ta == 112 ? p * lda + i : i * lda + p] * b[tb == 112 ? j * ldb + p : p * ldb + j];
         c[i * ldc + j] = alpha * sum + (beta == 0 ? 0 : beta * c[i * ldc + j]);
       }
       c[(m - 1) * ldc + n - 1] += ${error.toFixed(9)};
     }
     void scipy_openblas_set_num_threads(int count) {}
     const char *scipy_openblas_get_corename(void) { return "Test"; }
     const char *scipy_openblas_get_config(void) { return "test"; }
     __attribute__((constructor)) static void on_load(void) { ${onLoad} }`,
  );
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', target, source]);
  return readFile(target);
}

/** The first bytes of a library for 64-bit Arm, or for x86-64 where this is Arm. */
export function foreignLibrary(): Uint8Array {
  const elf = Buffer.alloc(4096);
  elf.write('\x7fELF\x02\x01\x01', 'latin1');
  elf.writeUInt16LE(3, 16);
  elf.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeUInt16LE(64, 52);
  return elf;
}
