/**
 * Preloaded by `--import` into a process under test and its threads: SIGKILL right before or after one file operation of
 * an upload, or writes that wait. What to do stands in the environment, see `DiskFault`.
 */
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import { DISK_FAULT, type DiskFault } from './disk-fault.js';

const fault: DiskFault = JSON.parse(process.env[DISK_FAULT] ?? '{}') as DiskFault;
const pathOf = new WeakMap<object, string>();
let renamed = false;

const isOfSite = (path: string): boolean => basename(path).startsWith(`${fault.site}.`);

/** Do the operation, dying before or after it when it is the one. */
async function step<T>(name: string, isMine: boolean, operation: () => Promise<T>): Promise<T> {
  const dieIf = (when: string): void => {
    if (isMine && fault.killAt === `${when} ${name}`) process.kill(process.pid, 'SIGKILL');
  };
  dieIf('before');
  const result = await operation();
  dieIf('after');
  return result;
}

async function gateOpen(path: string): Promise<void> {
  while (fault.gate !== undefined && path.endsWith('.part') && existsSync(fault.gate))
    await new Promise((resolve) => setTimeout(resolve, 20));
}

const { open, rename } = fs;
fs.open = async (...given) => {
  const handle = await open(...given);
  pathOf.set(handle, String(given[0]));
  return handle;
};
fs.rename = (from, to) =>
  step('rename', isOfSite(String(from)), async () => {
    await rename(from, to);
    if (isOfSite(String(from))) renamed = true;
  });

const probe = await open('.', 'r');
const handles: object = Object.getPrototypeOf(probe) as object;
await probe.close();
type Operation = (...given: unknown[]) => Promise<unknown>;
const original = (name: string): Operation => Reflect.get(handles, name) as Operation;
const [sync, write] = [original('sync'), original('write')];
Object.assign(handles, {
  sync(this: object): Promise<unknown> {
    const path = pathOf.get(this) ?? '';
    const isFile = path.endsWith('.part');
    return step(isFile ? 'fsync' : 'fsync of the folder', isFile ? isOfSite(path) : renamed, () =>
      sync.call(this),
    );
  },
  async write(this: object, ...given: unknown[]): Promise<unknown> {
    const path = pathOf.get(this) ?? '';
    await gateOpen(path);
    return step('write', isOfSite(path), () => write.apply(this, given));
  },
});
syncBuiltinESMExports();
