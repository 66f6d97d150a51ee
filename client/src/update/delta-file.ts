import { open, type FileHandle } from 'node:fs/promises';
import { RegulonError } from '@regulon/shared/errors';
import { normSquaredTile, TILE_BYTES } from '@regulon/shared/secagg';

/** Reads a delta file tile by tile; one tile is held. */
export class DeltaFile {
  private readonly buffer = new Float32Array(TILE_BYTES / 4);

  private constructor(
    private readonly file: FileHandle,
    private readonly elements: number,
  ) {}

  /** @throws E_STATE_DB when the file has another size */
  static async open(path: string, elements: number): Promise<DeltaFile> {
    const file = await open(path, 'r');
    const { size } = await file.stat();
    if (size !== 4 * elements) {
      await file.close();
      throw new RegulonError('E_STATE_DB', `the local update has ${size} bytes instead of ${4 * elements}`);
    }
    return new DeltaFile(file, elements);
  }

  /** The elements `[first, first + count)`, valid until the next call. */
  async read(first: number, count: number): Promise<Float32Array> {
    const bytes = new Uint8Array(this.buffer.buffer, 0, 4 * count);
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await this.file.read(bytes, at, bytes.length - at, 4 * first + at);
      if (bytesRead === 0) throw new RegulonError('E_STATE_DB', 'the local update ends early');
      at += bytesRead;
    }
    return this.buffer.subarray(0, count);
  }

  /** Σ x² in float64, in order. */
  async normSquared(): Promise<number> {
    let sum = 0;
    for (let at = 0; at < this.elements; at += this.buffer.length) {
      sum = normSquaredTile(await this.read(at, Math.min(this.buffer.length, this.elements - at)), sum);
    }
    return sum;
  }

  async close(): Promise<void> {
    this.buffer.fill(0);
    await this.file.close();
  }
}
