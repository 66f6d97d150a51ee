import { RegulonError } from '@regulon/shared/errors';

/** A file of a package index that this version of Regulon was tested with. */
export interface PinnedWheel {
  readonly file: string;
  /** SHA-256 of the file, hexadecimal */
  readonly sha256: string;
  readonly bytes: number;
  /** SHA-256 of the library inside */
  readonly librarySha256: string;
}

/** A native library that makes training faster; never fetched by `npm ci`. */
export interface Accelerator {
  readonly name: 'blas';
  readonly what: string;
  /** project on the package index */
  readonly project: string;
  readonly version: string;
  /** the one member of the wheel that is unpacked, and its name in the accelerator folder */
  readonly member: string;
  readonly library: string;
  readonly licence: string;
  /** by `process.platform`-`process.arch` */
  readonly wheels: Readonly<Record<string, PinnedWheel>>;
}

/** Most bytes of a wheel, and of its library. */
export const MAX_WHEEL_BYTES = 64 << 20;
export const MAX_LIBRARY_BYTES = 256 << 20;

const OPENBLAS = 'scipy_openblas32';

export const accelerators: readonly Accelerator[] = [
  {
    name: 'blas',
    what: 'OpenBLAS: matrix products of the CPU',
    project: 'scipy-openblas32',
    version: '0.3.34.481.3',
    member: `${OPENBLAS}/lib/libscipy_openblas.so`,
    library: 'libscipy_openblas.so',
    licence: 'BSD-3-Clause, with libgfortran under GPL-3.0 with the runtime exception',
    wheels: {
      'linux-x64': {
        file: `${OPENBLAS}-0.3.34.481.3-py3-none-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl`,
        sha256: '0595f94cd58c1f8a0d90c975621f4587337a003916b1979e834ebdf2cb5d9504',
        bytes: 7_885_409,
        librarySha256: 'b396d74f12ab4319e6713b3287104d64245c76c60e5bd9eaeb4b447eda66a561',
      },
      'linux-arm64': {
        file: `${OPENBLAS}-0.3.34.481.3-py3-none-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl`,
        sha256: 'e085dddbc5b9aa130f83def515d31c440e69f387a90c7e63b154a5575b4466bc',
        bytes: 9_148_457,
        librarySha256: '3530123bc482e51b554d3f282b35bc026e6b94c821472c740507f6417debe290',
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

/** The wheel for this machine. @throws E_ENVIRONMENT where there is none */
export function wheelFor(
  accelerator: Accelerator,
  machine = `${process.platform}-${process.arch}`,
): PinnedWheel {
  const wheel = accelerator.wheels[machine];
  if (wheel) return wheel;
  throw new RegulonError('E_ENVIRONMENT', `${accelerator.name} has no library for ${machine}`, {
    hint: 'install OpenBLAS from the packages of the system; it is found by itself',
  });
}
