/** Deaths of a coordinator at named steps, for specs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { hex, sha256 } from '@regulon/shared/crypto';

/** Path and digest of every file of the log. */
export function filesOf(folder: string): string[] {
  const all = readdirSync(join(folder, 'log'), { recursive: true, withFileTypes: true });
  const files = all.filter((f) => f.isFile()).map((f) => join(f.parentPath, f.name));
  return files.sort().map((path) => `${relative(folder, path)} ${hex(sha256(readFileSync(path)))}`);
}

export type Step = (name: string, spoil?: (copy: string) => void) => void;
export type Act = (args: readonly unknown[]) => void;

/** Act before and after a method of every instance. @returns what takes that back */
export function around(prototype: object, method: string, before: Act | undefined, after?: Act): () => void {
  const original = Reflect.get(prototype, method) as (...args: unknown[]) => unknown;
  Reflect.set(prototype, method, function (this: unknown, ...args: unknown[]): unknown {
    before?.(args);
    const result = Reflect.apply(original, this, args);
    if (result instanceof Promise) return result.then((value: unknown) => (after?.(args), value));
    after?.(args);
    return result;
  });
  return () => void Reflect.set(prototype, method, original);
}
