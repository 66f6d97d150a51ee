import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { TENSORFLOW_SHIM } from '../training/index.js';
import { buildAddon } from './addon.js';
import type { Accelerator } from './catalogue.js';
import type { FetchedFile } from './sources.js';
import { filesOfTarball } from './tarball.js';
import { unpackWheel } from './wheel.js';

export interface Unpacking {
  readonly fetched: readonly FetchedFile[];
  /** folder of the accelerator, empty */
  readonly into: string;
  /** folder for what is only needed now */
  readonly scratch: string;
  /** an addon that was built elsewhere */
  readonly addon?: string;
  readonly say: (line: string) => void;
}

const OPENBLAS = 'scipy_openblas32/lib/libscipy_openblas.so';
const LIBRARIES = ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'];
const HEADERS =
  /^tensorflow\/include\/((?:tensorflow\/(?:c|core\/platform)|tsl\/platform|xla\/tsl\/c)\/[\w./]+\.h)$/;
const CUDA = /^nvidia\/[a-z0-9_]+\/lib\/[\w.-]+\.so[\w.]*$/;

/** Put the files of an accelerator where the trainer looks for them. @throws E_DIGEST, E_ENVIRONMENT */
export async function unpackAccelerator({ name }: Accelerator, unpacking: Unpacking): Promise<void> {
  if (name === 'blas') return unpackOpenblas(unpacking);
  return unpackTensorFlow(unpacking);
}

async function unpackOpenblas({ fetched, into }: Unpacking): Promise<void> {
  const wanted = (member: string) => (member === OPENBLAS ? path.posix.basename(member) : undefined);
  complete(await unpackWheel(fetched[0]!.path, into, wanted), [path.posix.basename(OPENBLAS)]);
}

async function unpackTensorFlow({ fetched, into, scratch, addon, say }: Unpacking): Promise<void> {
  const [library, code, headers, ...cuda] = fetched as [FetchedFile, FetchedFile, FetchedFile];
  say('unpacking');
  const sources = path.join(scratch, 'sources');
  complete(
    await unpackWheel(library.path, into, (member) => (LIBRARIES.includes(member) ? member : undefined)),
    LIBRARIES,
  );
  for (const wheel of cuda as FetchedFile[])
    await unpackWheel(wheel.path, into, (member) => (CUDA.test(member) ? member : undefined));
  const files = filesOfTarball(await readFile(code.path));
  await writePackage(files, into);
  const target = path.join(into, 'addon', 'tfjs_binding.node');
  await mkdir(path.dirname(target), { mode: 0o700 });
  if (addon !== undefined) return copyAddon(addon, target);
  say('compiling the addon');
  await unpackWheel(library.path, path.join(sources, 'tensorflow'), (member) => HEADERS.exec(member)?.[1]);
  await writeSome(files, /^package\/(binding\/[\w.]+)$/, sources);
  await writeSome(
    filesOfTarball(await readFile(headers.path)),
    /^package\/include\/([\w.]+)$/,
    path.join(sources, 'node'),
  );
  await buildAddon(sources, path.join(into, 'tensorflow'), target);
}

/** TensorFlow.js's backend for Node, which finds the one TensorFlow.js of the process instead of its own. */
async function writePackage(files: ReadonlyMap<string, Uint8Array>, into: string): Promise<void> {
  await writeSome(files, /^(package\/dist\/(?:kernels\/)?[\w.]+\.js)$/, into);
  const shim = `module.exports = globalThis[Symbol.for('${TENSORFLOW_SHIM}')];\n`;
  const own: Record<string, string> = {
    'node_modules/@tensorflow/tfjs/index.js': shim,
    'node_modules/@tensorflow/tfjs-core/index.js': shim,
    // messages of TensorBoard and of saved models, which need a package more
    'dist/proto/api_pb.js': 'module.exports = {};\n',
  };
  const written = Object.entries(own).map(([file, text]): [string, Uint8Array] => [
    `package/${file}`,
    new TextEncoder().encode(text),
  ]);
  await writeSome(new Map(written), /^(.*)$/, into);
}

async function writeSome(
  files: ReadonlyMap<string, Uint8Array>,
  wanted: RegExp,
  into: string,
): Promise<void> {
  for (const [name, bytes] of files) {
    const place = wanted.exec(name)?.[1];
    if (place === undefined) continue;
    const target = path.join(into, place);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    await writeFile(target, bytes, { mode: 0o600, flush: true });
  }
}

async function copyAddon(addon: string, target: string): Promise<void> {
  await copyFile(addon, target).catch((cause: unknown) => {
    throw new RegulonError('E_ARGUMENT', `--addon: ${addon} cannot be read`, { cause });
  });
}

/** @throws E_DIGEST naming what a wheel lacks */
function complete(written: readonly string[], wanted: readonly string[]): void {
  const missing = wanted.find((place) => !written.includes(place));
  if (missing !== undefined) throw new RegulonError('E_DIGEST', `the wheel does not hold ${missing}`);
}
