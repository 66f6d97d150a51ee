import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { compiledDemo, startDemo } from '../support/demo-process.js';

const exampleOf = (name: string): string =>
  fileURLToPath(new URL(`../../examples/${name}.sim.yaml`, import.meta.url));
const quick = ['--rounds', '1', '--format', 'json', '--backend', 'wasm'];
const MINUTES = 60_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-e2e-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const demo = compiledDemo ? it : it.skip;

describe('the demo of plans with heads', () => {
  demo(
    'trains and scores several heads at real sites, one of them without a label of one head (needs the compiled programs)',
    async () => {
      const heads = exampleOf('tumour-heads');
      const { ended, err } = startDemo(folder, ['--plan', heads, ...quick]);
      const { code, out } = await ended;
      expect({ code, err: code === 0 ? '' : err() }).toEqual({ code: 0, err: '' });
      expect(JSON.parse(out)).toMatchObject({
        ...{ status: 'COMPLETED', task: 'heads', log: { verified: true } },
        final: { heads: [{ head: 'subtype' }, { head: 'grading' }, { head: 'relapse' }] },
      });
    },
    6 * MINUTES,
  );

  demo(
    'trains and scores a label for every base of a sequence at real sites (needs the compiled programs)',
    async () => {
      const track = exampleOf('per-base');
      const { ended, err } = startDemo(folder, ['--plan', track, ...quick]);
      const { code, out } = await ended;
      expect({ code, err: code === 0 ? '' : err() }).toEqual({ code: 0, err: '' });
      const result = JSON.parse(out) as { final: { heads: [{ count: number }] } };
      expect(result).toMatchObject({
        ...{ status: 'COMPLETED', task: 'heads', log: { verified: true } },
        final: { heads: [{ head: 'coding', classes: { accuracyInterval: null } }] },
      });
      // 16 sequences of 300 bases at each of five sites, of whose labels one in fifty is missing
      const [{ count }] = result.final.heads;
      expect(count).toBeGreaterThan(0.97 * 80 * 300);
      expect(count).toBeLessThan(0.99 * 80 * 300);
    },
    6 * MINUTES,
  );
});
