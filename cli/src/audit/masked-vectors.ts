import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { KeptBlobs, MaskedVector, MaskedVectors } from '@regulon/shared/transparency';

/** Files of a folder that were opened for a verifier. */
class OpenedFiles {
  private readonly files: number[] = [];

  /** @throws E_ARGUMENT if there is no such folder: nothing in it would be judged, and that would look like a pass */
  constructor(protected readonly folder: string) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new RegulonError('E_ARGUMENT', `there is no folder ${folder}`, {
        hint: 'name the folder of the masked vectors with --masked-vectors, or of sums and models with --kept',
      });
  }

  /** A file by its path, or undefined when there is none. */
  protected at(path: string): MaskedVector | undefined {
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
  }

  close(): void {
    this.files.splice(0).forEach(closeSync);
  }
}

/** Masked vectors in a folder as the coordinator's spool holds them: `<run>/<round>-<attempt>/<site>.ok`. */
export class MaskedVectorFolder extends OpenedFiles {
  /** The vector of one survivor, or undefined when there is no such file. */
  readonly of: MaskedVectors = (run, { round, attempt, site }) =>
    this.at(join(this.folder, run.slice('run_'.length), `${round}-${attempt}`, `${site}.ok`));
}

/** Sums and models in a folder as the coordinator's blobs lie: `<2 hex>/<64 hex>`. */
export class KeptBlobFolder extends OpenedFiles {
  /** The file of a digest, or undefined when it was not kept. */
  readonly of: KeptBlobs = (digest) => {
    const name = hex(digest);
    return this.at(join(this.folder, name.slice(0, 2), name));
  };
}
