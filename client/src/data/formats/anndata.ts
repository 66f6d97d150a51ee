import { RegulonError } from '@regulon/shared/errors';
import {
  BlockBuffer,
  type MatrixHeader,
  type MatrixSink,
  type ReadOptions,
  type Rows,
} from '../stream/index.js';
import { type ArrayNode, type ArrayTree, type TreeNode } from '../tree/index.js';
import { type AnnTable, readAnnTable } from './anndata-table.js';
import { streamSparse, verifyFinite } from './sparse-rows.js';

/** Numbers of a dense matrix that are read at once. */
const DENSE_CELLS = 2 ** 21;
/** Layers that an error names. */
const MAX_NAMED = 8;

/** An AnnData tree and how it lies on disk. */
export interface AnnData {
  readonly tree: ArrayTree;
  /** file name for errors */
  readonly file: string;
  /** `h5ad` or `Zarr` */
  readonly container: string;
}

/**
 * Read AnnData: `X`, `raw/X` or a layer, dense or sparse by rows (CSR) or by columns (CSC), any encoding since 0.6.
 *
 * @throws E_DATA_FORMAT naming the path inside the file and the rule; also when the matrix is absent
 */
export async function readAnnData(ann: AnnData, options: ReadOptions, sink: MatrixSink): Promise<void> {
  const { tree, file } = ann;
  const root = await tree.node('');
  const { path, genesAt } = await placesOf(tree, root, options.layer ?? 'X');
  const units = await readAnnTable(tree, 'obs', file);
  const genes = await readAnnTable(tree, genesAt, file);
  const node = await tree.node(path);
  if (!node) throw await absent(ann, root, path, [units.names.length, genes.names.length]);
  const kind = kindOf(node);
  if (!kind) throw new RegulonError('E_DATA_FORMAT', `${file}: /${path}: neither dense nor a sparse matrix`);
  const shape = shapeOf(node);
  if (shape.length !== 2 || shape[0] !== units.names.length || shape[1] !== genes.names.length) {
    const names = `${units.names.length} × ${genes.names.length} names`;
    throw new RegulonError('E_DATA_FORMAT', `${file}: /${path}: shape ${shape.join(' × ')} under ${names}`);
  }
  const rows: Rows = kind === 'csc' ? 'genes' : 'units';
  const [own, other] = rows === 'units' ? [units, genes] : [genes, units];
  sink.begin({
    ...headerOf(ann, rows, own, other),
    format: `${ann.container} (${kind === 'dense' ? 'dense' : kind.toUpperCase()}${path === 'X' ? '' : `, ${path}`})`,
  });
  const buffer = new BlockBuffer(new WithTable(sink, own), other.names.length);
  const each = (done: number): void => options.progress?.(done / Math.max(1, own.names.length));
  if (kind === 'dense' && node.kind === 'array') await streamDense(ann, node, path, own, buffer, each);
  else
    await streamSparse(tree, { path, columns: other.names.length, rowNames: own.names, file }, buffer, each);
  buffer.flush();
}

function headerOf(
  { file }: AnnData,
  rows: Rows,
  own: AnnTable,
  other: AnnTable,
): Omit<MatrixHeader, 'format'> {
  const skipped = [...own.skipped, ...other.skipped];
  return {
    ...{ file, rows, columnNames: other.names, columnTable: other.columns },
    columnPlace: (column) => `${rows === 'units' ? 'var' : 'obs'} ${column + 1}`,
    rowColumns: [...own.columns.keys()],
    notes: skipped.length > 0 ? [`annotations that cannot be read: ${skipped.join(', ')}`] : [],
  };
}

/** Adds the annotations of the rows to their blocks. */
class WithTable implements MatrixSink {
  private next = 0;

  constructor(
    private readonly sink: MatrixSink,
    private readonly table: AnnTable,
  ) {}

  begin(header: MatrixHeader): void {
    this.sink.begin(header);
  }

  rows(block: Parameters<MatrixSink['rows']>[0]): void {
    const columns = [...this.table.columns.values()];
    const cells = block.names.map((_, r) => columns.map((column) => column[this.next + r] ?? null));
    this.next += block.names.length;
    this.sink.rows({ ...block, cells });
  }
}

/** Where the matrix and the names of its genes lie. */
async function placesOf(
  tree: ArrayTree,
  root: TreeNode | null,
  layer: string,
): Promise<{ path: string; genesAt: string }> {
  if (layer === 'X') return { path: 'X', genesAt: 'var' };
  if (layer !== 'raw') return { path: `layers/${layer}`, genesAt: 'var' };
  const old = root?.kind === 'group' && root.children.includes('raw.X');
  return old ? { path: 'raw.X', genesAt: 'raw.var' } : { path: 'raw/X', genesAt: 'raw/var' };
}

type Kind = 'dense' | 'csr' | 'csc';

function kindOf(node: TreeNode): Kind | null {
  if (node.kind === 'array') return node.type === 'number' ? 'dense' : null;
  const encoding = node.attributes['encoding-type'] ?? node.attributes['h5sparse_format'];
  if (encoding === 'csr_matrix' || encoding === 'csr') return 'csr';
  return encoding === 'csc_matrix' || encoding === 'csc' ? 'csc' : null;
}

function shapeOf(node: TreeNode): readonly number[] {
  if (node.kind === 'array') return node.shape;
  const shape = node.attributes['shape'] ?? node.attributes['h5sparse_shape'];
  return Array.isArray(shape) ? shape.map(Number) : [];
}

async function streamDense(
  { tree, file }: AnnData,
  { chunk }: ArrayNode,
  path: string,
  { names }: AnnTable,
  buffer: BlockBuffer,
  each: (rows: number) => void,
): Promise<void> {
  const columns = buffer.columns;
  // whole stored pieces, so that none is unpacked twice
  const piece = Math.max(1, chunk[0] ?? 1);
  const fitting = Math.max(1, Math.floor(DENSE_CELLS / Math.max(1, columns)));
  const step = piece >= fitting ? Math.min(piece, 8 * fitting) : Math.floor(fitting / piece) * piece;
  for (let first = 0; first < names.length; first += step) {
    const last = Math.min(names.length, first + step);
    const values = await tree.numbers(path, [first, 0], [last, columns]);
    for (let r = first; r < last; r++) {
      const row = buffer.add(names[r] ?? '', `obs ${r + 1}`);
      row.set(values.subarray((r - first) * columns, (r - first + 1) * columns));
      verifyFinite(row, () => `${file}: /${path}: obs ${r + 1}`);
    }
    each(last);
  }
}

/** What is not there, and which matrices are. */
async function absent(
  { tree, file }: AnnData,
  root: TreeNode | null,
  path: string,
  [units, genes]: readonly [number, number],
): Promise<RegulonError> {
  const has = (name: string): boolean => root?.kind === 'group' && root.children.includes(name);
  const layers = has('layers') ? await tree.node('layers') : null;
  const known = [
    ...(has('X') ? ['X'] : []),
    ...(has('raw') || has('raw.X') ? ['raw'] : []),
    ...(layers?.kind === 'group' ? layers.children : []),
  ];
  const names = known.slice(0, MAX_NAMED).join(', ');
  return new RegulonError('E_DATA_FORMAT', `${file}: ${units} units × ${genes} genes, but no /${path}`, {
    hint: names
      ? `name what is there with --layer: ${names}${known.length > MAX_NAMED ? ', …' : ''}`
      : 'the file holds annotations and no matrix at all: export it again with X, or with a layer',
  });
}
