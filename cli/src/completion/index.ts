import type { CommandTable } from '../command-table/index.js';
import { bashScript } from './bash.js';
import { fishScript } from './fish.js';
import { zshScript } from './zsh.js';

export { quoted } from './places.js';

/** Shells that a completion exists for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const scripts: Readonly<Record<Shell, (table: CommandTable) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** The script that a shell reads to complete the commands of a table. */
export function completionScript(shell: Shell, table: CommandTable): string {
  return scripts[shell](table);
}
