import { RegulonError } from '@regulon/shared/errors';
import { cudaWheels } from './cuda-wheels.js';
import type { PinnedFile } from './pinned-file.js';

/** A native library that makes training faster; never fetched by `npm ci`. */
export interface Accelerator {
  readonly name: 'blas' | 'native' | 'gpu';
  readonly what: string;
  readonly version: string;
  readonly licence: string;
  /** by `process.platform`-`process.arch` */
  readonly packages: Readonly<Record<string, AcceleratorPackage>>;
}

/** What one kind of machine needs of an accelerator. */
export interface AcceleratorPackage {
  /** the first is the library; the others belong to it */
  readonly files: readonly [PinnedFile, ...PinnedFile[]];
  /** about what is fetched, and what stays */
  readonly fetchedBytes: number;
  readonly installedBytes: number;
}

/** Most bytes of a fetched file, and of what one file unpacks to. */
export const MAX_FETCHED_BYTES = 1 << 30;
export const MAX_UNPACKED_BYTES = 8 * 2 ** 30;

const openblas = (file: string, sha256: string): PinnedFile => ({
  ...{ registry: 'pypi', project: 'scipy-openblas32', version: '0.3.34.481.3', sha256 },
  file: `scipy_openblas32-0.3.34.481.3-py3-none-${file}.whl`,
});

const tensorflow = (project: string, sha256: string): PinnedFile => ({
  ...{ registry: 'pypi', project, version: '2.18.1', sha256 },
  file: `${project.replace('-', '_')}-2.18.1-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl`,
});

/** The sources of the addon and the code that speaks to it; that for GPUs differs in its name only. */
const tfjsNode: PinnedFile = {
  ...{ registry: 'npm', project: '@tensorflow/tfjs-node', version: '4.22.0' },
  file: 'tensorflow-tfjs-node-4.22.0.tgz',
  sha256: 'd38a448a705efc6e655a080f896b3af646ae39dffbfe9c90b06cb9fc3a2b9358',
};

/** What an addon is compiled against. */
const nodeHeaders: PinnedFile = {
  ...{ registry: 'npm', project: 'node-api-headers', version: '1.9.0' },
  file: 'node-api-headers-1.9.0.tgz',
  sha256: '6cbfac49542194ae2c8f1dee5fa2dc00d66bec9cbf3b59e3a4e5f16d14eb0d19',
};

export const accelerators: readonly Accelerator[] = [
  {
    name: 'blas',
    what: 'OpenBLAS: matrix products of the CPU',
    version: '0.3.34.481.3',
    licence: 'BSD-3-Clause, with libgfortran under GPL-3.0 with the runtime exception',
    packages: {
      'linux-x64': {
        files: [
          openblas(
            'manylinux_2_27_x86_64.manylinux_2_28_x86_64',
            '0595f94cd58c1f8a0d90c975621f4587337a003916b1979e834ebdf2cb5d9504',
          ),
        ],
        ...{ fetchedBytes: 7_885_409, installedBytes: 25_127_992 },
      },
      'linux-arm64': {
        files: [
          openblas(
            'manylinux_2_27_aarch64.manylinux_2_28_aarch64',
            'e085dddbc5b9aa130f83def515d31c440e69f387a90c7e63b154a5575b4466bc',
          ),
        ],
        ...{ fetchedBytes: 9_148_457, installedBytes: 30_000_000 },
      },
    },
  },
  {
    name: 'native',
    what: 'TensorFlow on the CPU: a second opinion, by `backend: native` only',
    version: '2.18.1',
    licence: 'Apache-2.0',
    packages: {
      'linux-x64': {
        files: [
          tensorflow('tensorflow-cpu', '357506565b05154b4b1fa5f94cd2b34c74d8a6ed64091385a71c990626321164'),
          tfjsNode,
          nodeHeaders,
        ],
        ...{ fetchedBytes: 230_335_000, installedBytes: 684_000_000 },
      },
    },
  },
  {
    name: 'gpu',
    what: 'TensorFlow on an NVIDIA GPU (CUDA 12.5, cuDNN 9.3)',
    version: '2.18.1',
    licence: 'Apache-2.0; the NVIDIA libraries under their own end-user licence',
    packages: {
      'linux-x64': {
        files: [
          tensorflow('tensorflow', '1f929842999d60e7da67743ae5204b477259f3b771c02e5e437d232267e49f18'),
          tfjsNode,
          nodeHeaders,
          ...cudaWheels,
        ],
        ...{ fetchedBytes: 2_430_000_000, installedBytes: 5_000_000_000 },
      },
    },
  },
];

/** @throws E_ARGUMENT naming the accelerators there are */
export function acceleratorOf(name: string): Accelerator {
  const found = accelerators.find((accelerator) => accelerator.name === name);
  if (found) return found;
  const known = accelerators.map((accelerator) => accelerator.name).join(', ');
  throw new RegulonError('E_ARGUMENT', `there is no accelerator ${name}; known: ${known}`);
}

/** The files for this machine. @throws E_ENVIRONMENT where there are none */
export function packageFor(
  accelerator: Accelerator,
  machine = `${process.platform}-${process.arch}`,
): AcceleratorPackage {
  const found = accelerator.packages[machine];
  if (found) return found;
  throw new RegulonError('E_ENVIRONMENT', `${accelerator.name} has no library for ${machine}`, {
    hint: 'install OpenBLAS from the packages of the system; it is found by itself',
  });
}
