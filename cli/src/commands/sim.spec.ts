import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { exampleFile, programs } from '../sim/index.js';
import { run } from './run-program.support.js';

const program = fileURLToPath(new URL('../../bin/regulon.js', import.meta.url));
const canLook = existsSync('/proc/self/cmdline') && Object.values(programs).every((path) => existsSync(path));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-sim-up-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Programs of this machine that were started with a path in the folder. */
function processesOf(path: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`--config\0${path}`);
    } catch {
      return false; // gone meanwhile
    }
  });
}

describe('regulon sim up', () => {
  (canLook ? it : it.skip)(
    'leaves no process behind when Ctrl-C comes while it starts (needs /proc and the compiled programs)',
    async () => {
      const plan = exampleFile('brca3-mlp.sim.yaml');
      const args = [program, 'sim', 'up', '--folder', folder, '--plan', plan];
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      const ended = new Promise((done) => child.once('exit', done));
      while (child.exitCode === null && processesOf(folder).length === 0) {
        await new Promise((done) => setTimeout(done, 10));
      }
      child.kill('SIGINT');
      expect(await ended).toBe(0);
      expect(processesOf(folder)).toEqual([]);
    },
  );

  it('takes no folder in which something lies', async () => {
    const { code, err } = await run('sim', 'up', '--folder', join(folder, '..'));
    expect(code).toBe(4);
    expect(err).toMatch(/^E_ARGUMENT: .* is not empty\nnext: /);
  });
});
