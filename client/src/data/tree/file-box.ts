/** Named byte strings: a folder, or a zip archive. */
export interface FileBox {
  /** names directly below a folder; `''` is the root */
  children(folder: string): Promise<readonly string[]>;
  /** @returns null where there is no such file @throws E_DATA_FORMAT for a file that is too large or damaged */
  read(path: string): Promise<Uint8Array | null>;
  close(): Promise<void>;
}

/** Bytes of one file: a shard, or a piece of an array. */
export const MAX_FILE_BYTES = 2 ** 28;
/** Files of an archive. */
export const MAX_FILES = 1_000_000;
