import { Option } from 'commander';
import type { BackendChoice } from '@regulon/client/training';

const BACKENDS = [
  'auto',
  'cpu',
  'gpu',
  'blas',
  'wasm',
  'native',
  'webgpu',
] as const satisfies readonly BackendChoice[];

/** `--backend`: what the sites of a simulated federation train with. */
export function backendOption(): Option {
  return new Option('--backend <name>', 'training backend').choices(BACKENDS).default('auto');
}
