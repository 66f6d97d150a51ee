import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Target } from './target.js';

/** The folder `test/fuzz`, from the sources as well as from what was compiled. */
function fuzzFolder(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const folder = join(at, 'test/fuzz');
    if (existsSync(join(folder, 'main.ts'))) return folder;
    if (dirname(at) === at) throw new Error('the folder test/fuzz is not there');
  }
}

/** Text of a file of `examples/`. */
export const exampleFile = (name: string): string =>
  readFileSync(join(fuzzFolder(), '../../examples', name), 'utf8');

const folderOf = (name: string): string => join(fuzzFolder(), 'corpus', name);

/** The checked-in inputs of a target, in the order of their names. */
export function corpusOf(name: string): Uint8Array[] {
  const folder = folderOf(name);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((file) => Uint8Array.from(readFileSync(join(folder, file))));
}

/** Write what the encoders give today; what was added by hand stays: failing inputs (`bad-*`), files of other programs (`kept-*`). */
export function writeCorpus({ name, examples }: Target): number {
  const folder = folderOf(name);
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) if (!/^(bad|kept)-/.test(file)) rmSync(join(folder, file));
  const inputs = examples();
  inputs.forEach((input, i) => writeFileSync(join(folder, `${String(i).padStart(2, '0')}.bin`), input));
  return inputs.length;
}
