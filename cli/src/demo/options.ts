import { Command, CommanderError, Option } from 'commander';
import type { BackendChoice } from '@regulon/client/training';
import { RegulonError } from '@regulon/shared/errors';
import { backendOption, wholeNumber } from '../arguments/index.js';

/** What the demo was asked for. */
export interface DemoOptions {
  /** folder of real data; absent = simulated */
  readonly data?: string;
  readonly plan?: string;
  readonly sites?: number;
  readonly rounds?: number;
  readonly seed?: number;
  /** keep the federation folder */
  readonly keep: boolean;
  readonly exportBundle?: string;
  /** file for the report of the run as a page */
  readonly report?: string;
  readonly format: 'table' | 'json';
  readonly backend: BackendChoice;
}

const HELP = 'npm run demo -- --help';
/** Fewest sites of a demo with `--sites`: below, one vanished site stops every round. */
const MIN_SITES = 5;
const MAX_SITES = 40;

/**
 * Read the demo's arguments.
 *
 * @returns null when help was printed
 * @throws E_ARGUMENT naming the option
 */
export function parseDemoOptions(args: readonly string[], print: (text: string) => void): DemoOptions | null {
  const command = demoCommand(print);
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    throw new RegulonError('E_ARGUMENT', error.message.replace(/^error: /, '').replace(/\n.*/s, ''), {
      hint: HELP,
    });
  }
  const options = command.opts<DemoOptions>();
  if (options.data !== undefined && options.sites !== undefined) {
    throw new RegulonError('E_ARGUMENT', '--sites: the sites of real data are those of its folder', {
      hint: 'leave --sites out, or --data',
    });
  }
  return options;
}

function demoCommand(print: (text: string) => void): Command {
  return new Command('npm run demo --')
    .description(
      'one real federated run on this machine: a coordinator, its sites, secure aggregation, evidence',
    )
    .option(
      '--data <dir>',
      'real data: one folder a site with counts.tsv(.gz) and design.tsv, or yeast_cellcycle',
    )
    .option('--plan <file>', 'plan to run; default: the one that fits the data')
    .option(
      '--sites <n>',
      `simulated sites, ${MIN_SITES} to ${MAX_SITES}`,
      whole('--sites', MIN_SITES, MAX_SITES),
    )
    .option('--rounds <n>', 'training rounds a model', whole('--rounds', 1, 10_000))
    .option(
      '--seed <n>',
      'seed of the initial weights and of the simulated data',
      whole('--seed', 0, 0xffffffff),
    )
    .option('--keep', 'keep the federation folder', false)
    .option('--export-bundle <file>', "write the auditor's bundle")
    .option('--report <file>', 'write the report of the run as one HTML page')
    .addOption(
      new Option('--format <format>', 'what stdout carries').choices(['table', 'json']).default('table'),
    )
    .addOption(backendOption())
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: () => {} });
}

const whole =
  (option: string, low: number, high: number) =>
  (text: string): number =>
    wholeNumber(option, text, low, high, HELP);
