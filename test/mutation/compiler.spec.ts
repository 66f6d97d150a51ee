import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { compilerOf } from './compiler.js';

const project = fileURLToPath(new URL('../../shared', import.meta.url));
const path = `${project}/src/secagg/order.ts`;

describe('the compiler as a judge of mutants', () => {
  const refuses = compilerOf(project);

  it('refuses what it cannot type, and forgets it', () => {
    const real = readFileSync(path, 'utf8');
    expect(refuses(path, real)).toBe(false);
    expect(refuses(path, `${real}export const x: number = 'text';\n`)).toBe(true);
    expect(refuses(path, real)).toBe(false);
  });

  it('does not mind names and lines that a mutant leaves unused', () => {
    expect(
      refuses(path, `${readFileSync(path, 'utf8')}function unused(): void {\n  if (false) throw 1;\n}\n`),
    ).toBe(false);
  });
});
