import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { Person } from '../enrolment/index.js';
import { StewardBook } from '../steward/index.js';

/** Options of what a steward signs. */
export interface StewardOptions {
  readonly config: string;
  readonly key?: string;
  readonly digest?: string;
  readonly dryRun: boolean;
}

/** Options of what further persons of the site sign, too. */
export interface SecondedOptions extends StewardOptions {
  readonly second?: readonly string[];
}

/** A command that takes the keys of further persons. */
export function seconded(command: Command): Command {
  return command.option(
    '--second <file...>',
    'key of an administrator of this site, who has read the same and signs, too',
  );
}

/** A command by which a steward signs. */
export function signs(command: Command): Command {
  return command
    .requiredOption('--config <file>', 'configuration of the daemon')
    .option('--key <file>', "the steward's key; default: the one that `site join` made")
    .option('--digest <digest>', 'of what you have read, instead of typing it')
    .option('--dry-run', 'show what would be signed, sign nothing', false);
}

/** The steward of the site, with the record of what was signed under the key. */
export function bookOf(options: StewardOptions, site: string): StewardBook {
  return new StewardBook(`${keyPathOf(options, site)}.signed.json`, stewardOf(options, site));
}

/** The steward of the site. @throws E_KEY_FILE */
export function stewardOf(options: StewardOptions, site: string): Person {
  return Person.fromKeyFile(keyPathOf(options, site), 'steward', site);
}

const keyPathOf = ({ config, key }: StewardOptions, site: string): string =>
  key ?? join(dirname(resolve(config)), 'people', `steward-${site}.key`);
