import { createRequire } from 'node:module';
import path from 'node:path';

/** npm's names of Dawn for Node and of TensorFlow.js's backend on it: optional peers of this package. */
export const WEBGPU_PACKAGES = ['webgpu', '@tensorflow/tfjs-backend-webgpu'] as const;
export type WebGpuPackage = (typeof WEBGPU_PACKAGES)[number];

/** The only ones that were tried: Dawn of another version waits, or links, in other ways. */
export const WEBGPU_VERSIONS = { webgpu: '0.6.2', '@tensorflow/tfjs-backend-webgpu': '4.22.0' } as const;

/** What npm installed of them. */
export interface WebGpuPackages {
  readonly versions: Readonly<Record<WebGpuPackage, string>>;
  /** Dawn's addon for this machine, and the entry of TensorFlow.js's backend */
  readonly files: Readonly<Record<WebGpuPackage, string>>;
}

/** @returns undefined unless both packages are there, in whatever version */
export function findWebGpu(): WebGpuPackages | undefined {
  const require = createRequire(import.meta.url);
  const versionOf = (name: WebGpuPackage) => (require(`${name}/package.json`) as { version: string }).version;
  const target = process.platform === 'darwin' ? 'darwin-universal' : `${process.platform}-${process.arch}`;
  try {
    return {
      versions: {
        webgpu: versionOf('webgpu'),
        '@tensorflow/tfjs-backend-webgpu': versionOf('@tensorflow/tfjs-backend-webgpu'),
      },
      files: {
        webgpu: path.join(path.dirname(require.resolve('webgpu')), 'dist', target, 'dawn.node'),
        '@tensorflow/tfjs-backend-webgpu': require.resolve('@tensorflow/tfjs-backend-webgpu'),
      },
    };
  } catch {
    return undefined;
  }
}
