import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { RegulonError } from '@regulon/shared/errors';

const TIMEOUT_MS = 600_000;

/**
 * Compile the addon between Node and libtensorflow from its published sources.
 *
 * One addon serves every Node from 12 on (N-API 8) and every machine of the kind that it was built on.
 *
 * @param sources folder with `binding/` of TensorFlow.js's package, `node/` and `tensorflow/` with the headers
 * @param libraries folder with libtensorflow
 * @param addon file that is written; it looks for the libraries in `../tensorflow`
 * @throws E_ENVIRONMENT without a compiler, or when it fails
 */
export async function buildAddon(sources: string, libraries: string, addon: string): Promise<void> {
  const at = (...parts: string[]): string => path.join(sources, ...parts);
  const options = [
    ...['-shared', '-fPIC', '-O2', '-s', '-std=c++17', '-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION'],
    ...[`-I${sources}`, `-I${at('node')}`, `-I${at('tensorflow')}`],
    ...[at('binding', 'tfjs_backend.cc'), at('binding', 'tfjs_binding.cc')],
    ...[`-L${libraries}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2'],
    ...['-Wl,-rpath,$ORIGIN/../tensorflow', '-Wl,-z,noexecstack', '-o', addon],
  ];
  try {
    await promisify(execFile)('g++', options, { timeout: TIMEOUT_MS, maxBuffer: 16 << 20 });
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new RegulonError(
      'E_ENVIRONMENT',
      missing ? 'there is no C++ compiler (g++) on this machine' : 'the addon could not be compiled',
      {
        cause,
        hint: 'install g++ for the time of the installation, or bring addon/tfjs_binding.node of a machine where it was built and name it (--addon FILE)',
      },
    );
  }
}
