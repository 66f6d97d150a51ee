import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { RegulonError } from '@regulon/shared/errors';

/** Reads pieces of one file into buffers of the caller; for worker threads. */
export class FileReader {
  readonly size: number;
  private readonly file: number;

  constructor(private readonly path: string) {
    this.file = openSync(path, 'r');
    this.size = fstatSync(this.file).size;
  }

  /** Fill a buffer from an offset. @throws E_DIGEST when the file ends early */
  read(into: Uint8Array, offset: number): void {
    for (let at = 0; at < into.length;) {
      const count = readSync(this.file, into, at, into.length - at, offset + at);
      if (count === 0) throw new RegulonError('E_DIGEST', `the file ${this.path} is shorter than expected`);
      at += count;
    }
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Open files, use them, close them whatever happens. */
export function withFiles<T>(paths: readonly string[], use: (files: readonly FileReader[]) => T): T {
  const files: FileReader[] = [];
  try {
    for (const path of paths) files.push(new FileReader(path));
    return use(files);
  } finally {
    files.forEach((file) => file.close());
  }
}
