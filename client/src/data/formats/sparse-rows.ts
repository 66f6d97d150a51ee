import { RegulonError } from '@regulon/shared/errors';
import { type ArrayTree, sizeOf } from '../tree/index.js';
import type { BlockBuffer } from '../stream/index.js';

/** Stored values that are read at once. */
const BATCH = 2 ** 20;

/** A compressed sparse matrix: `data`, `indices` and `indptr` below one path. */
export interface SparseMatrix {
  readonly path: string;
  readonly columns: number;
  readonly rowNames: readonly string[];
  /** for errors */
  readonly file: string;
}

/**
 * Stream a compressed sparse matrix row by row; entries of one cell are added up.
 *
 * @param each told after every batch how many rows are through
 * @throws E_DATA_FORMAT when the pointers are not those of such a matrix
 */
export async function streamSparse(
  tree: ArrayTree,
  { path, columns, rowNames, file }: SparseMatrix,
  buffer: BlockBuffer,
  each: (rows: number) => void,
): Promise<void> {
  const fault = (rule: string): RegulonError =>
    new RegulonError('E_DATA_FORMAT', `${file}: /${path}: ${rule}`);
  const lengths = await Promise.all(
    ['data', 'indices', 'indptr'].map((name) => lengthOf(tree, `${path}/${name}`)),
  );
  const [stored = -1, indexed = -1, pointers = -1] = lengths;
  const rows = rowNames.length;
  if (pointers !== rows + 1) throw fault(`indptr has ${pointers} entries for ${rows} rows`);
  if (stored < 0 || stored !== indexed) throw fault('data and indices are not of one length');
  const indptr = await tree.numbers(`${path}/indptr`, [0], [pointers]);
  verifyPointers(indptr, stored, columns, fault);
  for (let row = 0; row < rows;) {
    const begin = indptr[row] ?? 0;
    let last = row + 1;
    while (last < rows && (indptr[last + 1] ?? 0) - begin <= BATCH) last++;
    const end = indptr[last] ?? 0;
    const data = await tree.numbers(`${path}/data`, [begin], [end]);
    const indices = await tree.numbers(`${path}/indices`, [begin], [end]);
    for (; row < last; row++) {
      const values = buffer.add(rowNames[row] ?? '', `row ${row + 1}`);
      for (let i = (indptr[row] ?? 0) - begin; i < (indptr[row + 1] ?? 0) - begin; i++) {
        const column = indices[i] ?? -1;
        if (!(column >= 0 && column < columns))
          throw fault(`row ${row + 1}: an index beyond the ${columns} columns`);
        values[column] = (values[column] ?? 0) + (data[i] ?? NaN);
      }
      verifyFinite(values, () => `${file}: /${path}: row ${row + 1}`);
    }
    each(row);
  }
}

/** @throws E_DATA_NOT_FINITE for infinite values; NaN means missing */
export function verifyFinite(values: Float64Array, where: () => string): void {
  for (const x of values) {
    if (x === Infinity || x === -Infinity)
      throw new RegulonError('E_DATA_NOT_FINITE', `${where()}: infinite`);
  }
}

function verifyPointers(
  indptr: Float64Array,
  stored: number,
  columns: number,
  fault: (rule: string) => RegulonError,
): void {
  if (indptr[0] !== 0 || indptr.at(-1) !== stored) throw fault('indptr does not span the data');
  for (let i = 1; i < indptr.length; i++) {
    const width = (indptr[i] ?? -1) - (indptr[i - 1] ?? 0);
    if (!(width >= 0)) throw fault(`indptr goes back at row ${i}`);
    if (width > Math.max(BATCH, columns)) throw fault(`row ${i} has more entries than columns`);
  }
}

async function lengthOf(tree: ArrayTree, path: string): Promise<number> {
  const node = await tree.node(path);
  return node?.kind === 'array' && node.shape.length === 1 && node.type === 'number'
    ? sizeOf(node.shape)
    : -1;
}
