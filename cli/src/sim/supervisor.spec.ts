import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Supervisor } from './supervisor.js';

let folder: string;
let supervisor: Supervisor;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-supervisor-'));
  supervisor = new Supervisor(join(folder, 'logs'));
});
afterEach(async () => {
  await supervisor.stopAll();
  rmSync(folder, { recursive: true });
});

function program(name: string, source: string): string {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, source);
  return path;
}

const runsOn =
  "console.log('noise'); console.log(JSON.stringify({ready:true,port:7})); setInterval(()=>{},1000);";

describe('the supervisor', () => {
  it('waits for the ready line and stops the process by its pid', async () => {
    const { pid, ready } = await supervisor.start('a', program('a', runsOn), []);
    expect(ready).toEqual({ ready: true, port: 7 });
    expect(supervisor.running()).toEqual([{ name: 'a', pid }]);
    await supervisor.stopAll();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('fails with the error that a process ends with before it is ready', async () => {
    const path = program('b', "console.error('E_CONFIG: key x\\nnext: mend x'); process.exit(4);");
    await expect(supervisor.start('b', path, [])).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: 'b: key x',
      hint: 'mend x',
    });
  });

  it('is E_ENVIRONMENT when a process ends without a word', async () => {
    await expect(supervisor.start('f', program('f', 'process.exit(9);'), [])).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: 'f ended before it was ready (exit code 9)',
    });
  });

  it('reports a process that ends in the middle of its work', async () => {
    const failed = new Promise<Error>((resolve) => supervisor.onFailure(resolve));
    await supervisor.start('c', program('c', `${runsOn} setTimeout(() => process.exit(3), 20);`), []);
    expect((await failed).message).toContain('c ended in the middle of its work (exit code 3)');
  });

  it('kills what does not stop when asked', async () => {
    const stubborn = program('d', `process.on('SIGTERM', () => {}); ${runsOn}`);
    const { pid } = await supervisor.start('d', stubborn, []);
    await supervisor.stop('d', 'SIGKILL');
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('measures the memory of what it started', async () => {
    // pages of its own: those of Node are shared with every other Node process of the machine
    const holds = `globalThis.held = Buffer.alloc(32e6, 1); ${runsOn}`;
    await supervisor.start('e', program('e', holds), []);
    supervisor.memory.sample(supervisor.running());
    expect(supervisor.memory.report().together).toBeGreaterThan(32e6);
  });
});
