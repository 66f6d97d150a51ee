import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { readDaemonConfig } from '@regulon/client/config';
import type { BackendChoice } from '@regulon/client/training';
import { backendOption } from './backend-option.js';
import { wholeNumber } from './whole-number.js';

/** With what a command trains, or applies, a model on this machine. */
export interface TrainerOptions {
  readonly config?: string;
  readonly accelerator?: string;
  readonly backend: BackendChoice;
  readonly threads?: string;
}

/** `--config`, `--accelerator`, `--backend`, `--threads`. */
export function trains(command: Command): Command {
  return command
    .option('--config <file>', 'configuration of the daemon: its backend, threads, memory and accelerator')
    .option('--accelerator <dir>', 'accelerator folder, see `regulon accelerator`')
    .addOption(backendOption())
    .option('--threads <count>', 'threads of the backend');
}

const MEBIBYTE = 1 << 20;

/**
 * What a trainer of this command starts with; memory is limited to what is free, unless the configuration says otherwise.
 *
 * @throws E_ARGUMENT, E_CONFIG
 */
export function trainerOf(options: TrainerOptions) {
  const { backend, threads, accelerator, config } = options;
  const daemon = config === undefined ? undefined : readDaemonConfig(config);
  const site = daemon?.training;
  const folder =
    accelerator ?? (daemon && (site?.acceleratorFolder ?? join(daemon.stateFolder, 'accelerator')));
  const count = threads === undefined ? site?.threads : wholeNumber('--threads', threads, 1, 256);
  return {
    backend: site && backend === 'auto' ? site.backend : backend,
    memoryLimitMb: site?.memoryLimitMb ?? Math.floor(process.availableMemory() / MEBIBYTE),
    ...(folder === undefined ? {} : { acceleratorFolder: resolve(folder) }),
    ...(count === undefined ? {} : { threads: count }),
  };
}
