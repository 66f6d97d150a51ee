import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { verifyBundle } from '@regulon/shared/transparency';
import { compiledDemo, type Demo, startDemo } from '../support/demo-process.js';

const example = fileURLToPath(new URL('../../examples/brca3-mlp.sim.yaml', import.meta.url));
const MINUTES = 60_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-e2e-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const start = (...args: string[]): Demo => startDemo(folder, args);
const leftovers = (): string[] => readdirSync(folder).filter((name) => name.startsWith('regulon-demo-'));

const demo = compiledDemo ? it : it.skip;

describe('the demo', () => {
  demo(
    'runs a plan to its end, prints one JSON object, and exports a log that verifies (needs the compiled programs)',
    async () => {
      const bundle = join(folder, 'bundle.zip');
      const { ended, err } = start(
        '--plan',
        example,
        '--rounds',
        '2',
        '--format',
        'json',
        '--export-bundle',
        bundle,
        '--report',
        join(folder, 'report.html'),
      );
      const { code, out } = await ended;
      expect({ code, err: code === 0 ? '' : err() }).toEqual({ code: 0, err: '' });
      const result = JSON.parse(out) as Record<string, unknown> & { rounds: { survivors: number }[] };
      expect(result).toMatchObject({
        schema: 'regulon.demo/1',
        status: 'COMPLETED',
        coverage: '7 of 7 rounds with 5 of 5 sites',
        task: 'classify',
        secureAggregation: true,
        log: { verified: true },
      });
      expect(result.rounds.map((round) => round.survivors)).toEqual([5, 5, 5, 5, 5, 5, 5]);
      expect(result['modelDigest']).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(leftovers()).toEqual([]);
      const page = readFileSync(join(folder, 'report.html'), 'utf8');
      for (const title of ['ROC curves', 'Calibration', 'Baselines', 'Training loss'])
        expect(page).toMatch(new RegExp(`<title id="[^"]+">${title}`));
      expect(page).toMatch(/Area under the curve: Basal [\d.]+/);

      const bytes = Uint8Array.from(readFileSync(bundle));
      const policy = readFileSync(`${bundle}.policy`, 'utf8');
      expect(verifyBundle({ bundle: bytes, policy }).status).toBe('pass');
    },
    10 * MINUTES,
  );

  demo(
    'stops everything on Ctrl-C and leaves nothing behind (needs the compiled programs)',
    async () => {
      const { child, ended, err } = start('--plan', example);
      const proposed = new Promise<void>((done) => {
        child.stderr?.on('data', () => (err().includes('proposed as') ? done() : undefined));
      });
      await Promise.race([proposed, ended]);
      const pids = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
        .split(' ')
        .filter(Boolean)
        .map(Number);
      expect(pids.length).toBeGreaterThanOrEqual(6);
      child.kill('SIGINT');
      expect((await ended).code).toBe(130);
      for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
      expect(leftovers()).toEqual([]);
    },
    10 * MINUTES,
  );

  demo(
    'names a cell that is no number by site, file, line and column, and starts nothing (needs the compiled programs)',
    async () => {
      for (const site of ['a', 'b', 'c', 'd', 'e']) {
        const at = join(folder, 'data', site);
        mkdirSync(at, { recursive: true });
        const units = Array.from({ length: 6 }, (_, i) => `${site}${i}`);
        const cell = site === 'c' ? 'seven' : '7';
        writeFileSync(
          join(at, 'counts.tsv'),
          `\t${units.join('\t')}\nG1\t1\t2\t3\t4\t5\t6\nG2\t${cell}\t2\t3\t4\t5\t6\n`,
        );
        writeFileSync(
          join(at, 'design.tsv'),
          `\tsubtype\n${units.map((unit) => `${unit}\tBasal`).join('\n')}\n`,
        );
      }
      const plan = join(folder, 'plan.yaml');
      const sites = 'sites: [a, b, c, d, e]';
      writeFileSync(
        plan,
        readFileSync(example, 'utf8')
          .replace(/^sites: .*$/m, sites)
          .replace('k: 1000', 'k: 2'),
      );
      const { ended, err } = start('--data', join(folder, 'data'), '--plan', plan);
      const { code, out } = await ended;
      expect(code).toBe(1);
      expect(out).toBe('');
      const lines = err().trimEnd().split('\n');
      expect(lines.at(-2)).toBe('E_DATA_FORMAT: c: counts.tsv: line 3, column 2: not a number');
      expect(lines.at(-1)).toMatch(/^next: /);
      expect(err()).not.toContain('seven');
      expect(leftovers()).toEqual([]);
    },
    10 * MINUTES,
  );
});
