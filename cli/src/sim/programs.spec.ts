import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { runToEnd } from './programs.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-programs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(source: string): Promise<{ n: number }> {
  const program = join(folder, 'program.mjs');
  writeFileSync(program, source);
  return runToEnd(program, [], z.strictObject({ n: z.number() }));
}

describe('a program that runs to its end', () => {
  it('answers with the JSON of its last line', async () => {
    expect(await run("console.log('noise'); console.log('{\"n\":1}')")).toEqual({ n: 1 });
  });

  it.each([
    ['no JSON', "console.log('done')", /not JSON$/],
    ['nothing', '', /not JSON$/],
    ['another form', 'console.log(\'{"n":"1"}\')', /: n: /],
    ['an unknown member', 'console.log(\'{"n":1,"m":1}\')', /: m: unknown key/],
  ])('must not print %s', async (_, source, message) => {
    await expect(run(source)).rejects.toMatchObject({
      code: 'E_INTERNAL',
      message: expect.stringMatching(message) as unknown,
    });
  });

  it('passes its own error on', async () => {
    const source = "console.error('noise\\nE_CONFIG: key x\\nnext: mend it'); process.exit(4)";
    await expect(run(source)).rejects.toMatchObject({ code: 'E_CONFIG', message: 'key x', hint: 'mend it' });
  });
});
