import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const compiled = new URL('../dist/mutation/quick-tests.js', import.meta.url).href;
const root = mkdtempSync(join(tmpdir(), 'regulon-quick-spec-'));

const spec = `
import { describe, expect, it } from '@jest/globals';
import { half } from './half.js';
describe.each([['even', 4, 2], ['odd', 5, 2]])('half of an %s number', (_, whole, expected) => {
  it('is whole', async () => { await Promise.resolve(); expect(half(whole)).toBe(expected); });
});
it.each([0, -2])('of %d is finite', (value) => expect(Number.isFinite(half(value))).toBe(true));
`;

beforeAll(() => {
  const dist = join(root, 'shared/dist');
  mkdirSync(dist, { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  writeFileSync(
    join(root, 'tsconfig.base.json'),
    '{"compilerOptions":{"target":"es2022","module":"nodenext"}}',
  );
  writeFileSync(join(root, 'shared/package.json'), '{"type":"module"}');
  writeFileSync(join(dist, 'half.js'), 'export const half = (x) => Math.floor(x / 2);');
  writeFileSync(join(dist, 'half.spec.js'), spec);
});
afterAll(() => rmSync(root, { recursive: true }));

/** What the specs say of some texts of the file, and at last of its own text. */
function verdicts(texts: readonly string[]): unknown {
  const script = `
    import { QuickTests } from ${JSON.stringify(compiled)};
    const quick = new QuickTests(${JSON.stringify(root)}, 'shared');
    const specs = ['shared/src/half.spec.ts'];
    const said = [];
    for (const text of ${JSON.stringify(texts)}) said.push(await quick.accepts('shared/src/half.ts', text, specs));
    said.push(await quick.pass(specs), await quick.pass([]));
    quick.remove();
    process.stdout.write(JSON.stringify(said));`;
  const file = join(root, 'script.mjs');
  writeFileSync(file, script);
  const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe('specs without jest', () => {
  it('accept a text that does the same, refuse one that does not, and find the file as it was', () => {
    expect(
      verdicts([
        'export const half = (x: number): number => Math.floor(0.5 * x);',
        'export const half = (x: number): number => x / 2;',
        'export const half = (x: number): number => x < 0 ? Infinity : Math.floor(x / 2);',
        'throw new Error("at import");',
        'export const other = 1;',
      ]),
    ).toEqual([true, false, false, false, false, true, true]);
  });
});
