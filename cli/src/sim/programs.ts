import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { RegulonError } from '@regulon/shared/errors';
import { parseJsonText } from '../files/index.js';
import { errorOfLines } from './child-process.js';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** Compiled programs that the simulation starts as processes of their own. */
export const programs = {
  coordinator: join(repository, 'coordinator/dist/main.js'),
  daemon: join(repository, 'client/dist/main.js'),
  reference: join(repository, 'cli/dist/sim/reference-main.js'),
} as const;

/** Path of a file in `examples/`. */
export const exampleFile = (name: string): string => join(repository, 'examples', name);

/** @throws E_ENVIRONMENT when a program has not been compiled */
export function verifyCompiled(): void {
  const missing = Object.values(programs).find((path) => !existsSync(path));
  if (missing !== undefined) {
    throw new RegulonError('E_ENVIRONMENT', `${missing} has not been compiled`, { hint: 'npm run build' });
  }
}

/**
 * Run a compiled program to its end.
 *
 * @param schema of the JSON in its last stdout line
 * @throws the program's own error (code and message of its two lines); E_INTERNAL when it prints something else
 */
export async function runToEnd<S extends z.ZodType>(
  program: string,
  args: readonly string[],
  schema: S,
): Promise<z.output<S>> {
  const command = ['--disable-warning=ExperimentalWarning', program, ...args];
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, command, { maxBuffer: 64 << 20 }, (error, printed, stderr) => {
      if (error) reject(errorFrom(program, stderr));
      else resolve(printed);
    });
  });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return parseJsonText(last, schema, `what ${program} printed`, 'E_INTERNAL');
}

function errorFrom(program: string, stderr: string): RegulonError {
  const lines = stderr.trimEnd().split('\n');
  return errorOfLines(lines) ?? new RegulonError('E_INTERNAL', `${program} failed: ${lines.at(-1) ?? ''}`);
}
