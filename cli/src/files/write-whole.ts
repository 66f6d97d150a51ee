import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { namedError } from '../output/index.js';
import { inPrivateFolder } from './private-folder.js';

/**
 * Write a file so that it appears complete or not at all.
 *
 * @param mode of a new file
 * @throws E_ARGUMENT when the place cannot be written; E_DISK_FULL
 */
export function writeWhole(path: string, content: string | Uint8Array, mode = 0o666): void {
  writePieces(path, [content], mode);
}

/** Write lines of a file that only this user reads, one after the other; as `writeWhole`. */
export function writeLines(path: string, lines: Iterable<string>): void {
  const ended = function* (): Generator<string> {
    for (const line of lines) yield `${line}\n`;
  };
  writePieces(path, ended(), 0o600);
}

/** A device such as /dev/null would be replaced, not written to: for everybody on the machine. @throws E_ARGUMENT */
function verifyFile(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== false) return;
  throw new RegulonError('E_ARGUMENT', `${path} is no file`, { hint: 'name a file, new or to be replaced' });
}

/**
 * Whether `writeWhole` can write there: asked before work that must not be left half done.
 *
 * @throws E_ARGUMENT when it cannot; E_DISK_FULL
 */
export function verifyWritable(path: string): void {
  verifyFile(path);
  const temporary = temporaryOf(path);
  try {
    closeSync(openSync(temporary, 'wx', 0o600));
  } catch (cause) {
    throw unwritable(path, cause);
  } finally {
    rmSync(temporary, { force: true });
  }
}

const temporaryOf = (path: string): string => `${path}.${randomBytes(4).toString('hex')}.tmp`;

function unwritable(path: string, cause: unknown): RegulonError {
  const named = namedError(cause, path);
  if (isRegulonError(named, 'E_DISK_FULL')) return named;
  return new RegulonError('E_ARGUMENT', `${path} cannot be written`, {
    cause,
    hint: 'choose a file in a folder that you may write to',
  });
}

function writePieces(path: string, pieces: Iterable<string | Uint8Array>, mode: number): void {
  verifyFile(path);
  const temporary = temporaryOf(path);
  try {
    const file = openSync(temporary, 'wx', mode);
    try {
      for (const piece of pieces) writeFileSync(file, piece);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw unwritable(path, cause);
  }
}

/**
 * Write what arrives piece by piece so that the file appears complete or not at all, whatever ends this.
 *
 * @param interrupted is told when a signal ends this process
 * @throws E_ARGUMENT when the place cannot be written; E_DISK_FULL; what the pieces throw
 */
export async function writeStream(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  interrupted: () => void,
): Promise<void> {
  verifyFile(path);
  const write = async (folder: string): Promise<void> => {
    const temporary = join(folder, 'pieces');
    const file = onDisk(path, () => openSync(temporary, 'wx'));
    try {
      for await (const piece of pieces) onDisk(path, () => writeFileSync(file, piece));
      onDisk(path, () => fsyncSync(file));
    } finally {
      closeSync(file);
    }
    onDisk(path, () => renameSync(temporary, path));
  };
  await inPrivateFolder(path, write, interrupted);
}

function onDisk<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** @throws E_ARGUMENT when the file is there and may not be replaced */
export function verifyReplaceable(path: string, force: boolean): void {
  if (force || !existsSync(path)) return;
  throw new RegulonError('E_ARGUMENT', `${path} exists already`, { hint: 'choose another name, or --force' });
}
