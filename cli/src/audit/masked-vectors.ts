import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { MaskedVector, MaskedVectors } from '@regulon/shared/transparency';

/** Masked vectors in a folder as the coordinator's spool holds them: `<run>/<round>-<attempt>/<site>.ok`. */
export class MaskedVectorFolder {
  private readonly files: number[] = [];

  constructor(private readonly folder: string) {}

  /** The vector of one survivor, or undefined when there is no such file. */
  readonly of: MaskedVectors = (run, { round, attempt, site }): MaskedVector | undefined => {
    const path = join(this.folder, run.slice('run_'.length), `${round}-${attempt}`, `${site}.ok`);
    if (!existsSync(path)) return undefined;
    const file = openSync(path, 'r');
    this.files.push(file);
    const read = (at: number, into: Uint8Array): void => {
      for (let done = 0; done < into.length;) {
        const count = readSync(file, into, done, into.length - done, at + done);
        if (count === 0) return void into.fill(0, done);
        done += count;
      }
    };
    return { size: fstatSync(file).size, read };
  };

  close(): void {
    this.files.splice(0).forEach(closeSync);
  }
}
