import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { verifyBundle } from '@regulon/shared/transparency';

const program = fileURLToPath(new URL('../../cli/dist/demo-main.js', import.meta.url));
const example = fileURLToPath(new URL('../../examples/brca3-mlp.sim.yaml', import.meta.url));
const MINUTES = 60_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-e2e-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The demo with its temporary folders below `folder`. */
function start(...args: string[]): {
  child: ChildProcess;
  err: () => string;
  ended: Promise<{ code: number | null; out: string }>;
} {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<{ code: number | null; out: string }>((done) => {
    child.on('close', (code) => done({ code, out }));
  });
  return { child, err: () => err, ended };
}

const leftovers = (): string[] => readdirSync(folder).filter((name) => name.startsWith('regulon-demo-'));

const demo = existsSync(program) ? it : it.skip;

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
    'trains and scores several heads at real sites, one of them without a label of one head (needs the compiled programs)',
    async () => {
      const heads = example.replace('brca3-mlp', 'tumour-heads');
      const { ended, err } = start('--plan', heads, '--rounds', '1', '--format', 'json', '--backend', 'wasm');
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
      const track = example.replace('brca3-mlp', 'per-base');
      const { ended, err } = start('--plan', track, '--rounds', '1', '--format', 'json', '--backend', 'wasm');
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
