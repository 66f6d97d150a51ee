import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { hex, sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { diskError } from '../../state/index.js';
import { type MatrixHeader, type MatrixSink, type RowBlock, type Rows } from '../stream/index.js';
import { packBlock } from './block-codec.js';
import type { StoreAxis, StoreBlock, StoreManifest } from './manifest.js';

/** Numbers of one block: 8 MiB while it is filled. */
const CELLS = 2 ** 20;

/** What the importer adds to what the writer saw. */
export interface StoreText {
  readonly manifest: Omit<StoreManifest, 'files' | 'blocks'>;
  readonly genes: StoreAxis;
  readonly units: StoreAxis;
}

/**
 * Writes the numbers of a matrix into a new folder beside its final place, genes contiguous within a block. Nothing is
 * there under the final name before {@link finish}.
 */
export class StoreWriter implements MatrixSink {
  readonly part: string;
  private readonly file: number;
  private offset = 0;
  private readonly blocks: StoreBlock[] = [];
  private columns = 0;
  private pending: Float64Array = new Float64Array(0);
  private pendingRows = 0;
  private firstRow = 0;

  /**
   * @param rowsOf tells what the rows are as soon as the first of them are known
   * @throws E_DISK_FULL and the system's errors
   */
  constructor(
    private readonly folder: string,
    private readonly rowsOf: (header: MatrixHeader, firstNames: readonly string[]) => Rows,
  ) {
    this.part = `${folder}.${randomBytes(4).toString('hex')}.part`;
    mkdirSync(this.part, { recursive: true, mode: 0o700 });
    this.file = openSync(join(this.part, 'values.bin'), 'wx', 0o600);
  }

  private head: MatrixHeader | undefined;
  private axis: Rows | undefined;

  begin(header: MatrixHeader): void {
    this.head = header;
    this.columns = header.columnNames.length;
    this.pending = new Float64Array(Math.max(1, Math.floor(CELLS / this.columns)) * this.columns);
  }

  rows({ names, values }: RowBlock): void {
    if (this.head) this.axis ??= this.rowsOf(this.head, names);
    const capacity = this.pending.length / this.columns;
    for (let r = 0; r < names.length;) {
      const take = Math.min(names.length - r, capacity - this.pendingRows);
      const piece = values.subarray(r * this.columns, (r + take) * this.columns);
      this.pending.set(piece, this.pendingRows * this.columns);
      this.pendingRows += take;
      r += take;
      if (this.pendingRows === capacity) this.flush();
    }
  }

  /** What the rows were taken for. */
  get rowsAre(): Rows {
    if (!this.axis) throw new RegulonError('E_DATA_FORMAT', `${this.head?.file ?? 'the file'}: has no rows`);
    return this.axis;
  }

  private flush(): void {
    const { pendingRows: n, columns, firstRow } = this;
    if (n === 0) return;
    const full = this.pending.subarray(0, n * columns);
    const values = this.rowsAre === 'genes' ? full : transposed(full, n, columns);
    const { dtype, packed } = packBlock(values);
    this.write(packed);
    const [own, other]: [[number, number], [number, number]] = [
      [firstRow, firstRow + n],
      [0, columns],
    ];
    const [genes, units] = this.rowsAre === 'genes' ? [own, other] : [other, own];
    const place = { offset: this.offset, bytes: packed.length, sha256: hex(sha256(packed)) };
    this.blocks.push({ genes, units, dtype, ...place });
    this.offset += packed.length;
    this.firstRow += n;
    this.pendingRows = 0;
  }

  private write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.file, bytes, at);
    } catch (error) {
      throw diskError('the imported dataset', error);
    }
  }

  /** All numbers are there; nothing more comes. */
  end(): void {
    this.flush();
  }

  /** Write the names and the manifest, and give the store its name. @throws E_DISK_FULL */
  finish({ manifest, genes, units }: StoreText, replace: boolean): StoreManifest {
    try {
      fsyncSync(this.file);
      closeSync(this.file);
      const whole: StoreManifest = {
        ...manifest,
        files: { 'genes.json': this.put('genes.json', genes), 'units.json': this.put('units.json', units) },
        blocks: this.blocks,
      };
      this.put('manifest.json', whole);
      if (replace) rmSync(this.folder, { recursive: true, force: true });
      renameSync(this.part, this.folder);
      syncFolder(dirname(this.folder));
      return whole;
    } catch (error) {
      this.abandon();
      throw diskError('the imported dataset', error);
    }
  }

  /** Leave nothing behind. */
  abandon(): void {
    rmSync(this.part, { recursive: true, force: true });
  }

  private put(name: string, content: unknown): string {
    const text = typeof content === 'string' ? content : `${JSON.stringify(content)}\n`;
    writeFileSync(join(this.part, name), text, { mode: 0o600, flush: true });
    return hex(sha256(Buffer.from(text)));
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function transposed(values: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c] ?? NaN;
  }
  return out;
}
