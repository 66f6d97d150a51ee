import { RegulonError } from '@regulon/shared/errors';
import type { Cell } from '@regulon/shared/genomics';
import { BlockBuffer, type MatrixSink, type ReadOptions } from '../stream/index.js';
import type { ArrayTree, GroupNode } from '../tree/index.js';
import { streamSparse } from './sparse-rows.js';

/** The group of a 10x file: `matrix` since version 3, before that one a genome. @returns null for no 10x file */
export async function tenxGroups(tree: ArrayTree): Promise<string[] | null> {
  const root = await tree.node('');
  if (root?.kind !== 'group') return null;
  const found: string[] = [];
  for (const name of root.children.slice(0, 100)) {
    const node = await tree.node(name);
    if (node?.kind === 'group' && ['barcodes', 'indptr'].every((part) => node.children.includes(part)))
      found.push(name);
  }
  return found.length > 0 ? found : null;
}

/**
 * Read a 10x matrix in HDF5, version 2 or 3: features × barcodes, stored by barcode. Genes are named by their ids.
 *
 * @throws E_DATA_FORMAT naming the path inside the file and the rule
 * @throws E_ARGUMENT when it holds several genomes and none is named
 */
export async function readTenxH5(
  tree: ArrayTree,
  groups: readonly string[],
  file: string,
  options: ReadOptions,
  sink: MatrixSink,
): Promise<void> {
  const group = options.layer ?? groups[0] ?? '';
  if (!groups.includes(group) || (groups.length > 1 && options.layer === undefined)) {
    throw new RegulonError('E_ARGUMENT', `${file}: holds ${groups.join(', ')}`, {
      hint: 'name one with --layer',
    });
  }
  const node = await tree.node(group);
  const { version, ids, table } = await featuresOf(tree, group, node as GroupNode, file);
  const barcodes = await tree.texts(`${group}/barcodes`);
  await verifyShape(tree, group, [ids.length, barcodes.length], file);
  sink.begin({
    ...{ format: `10x HDF5 (version ${version})`, file, rows: 'units', columnNames: ids, columnTable: table },
    ...{ columnPlace: (column) => `feature ${column + 1}`, rowColumns: [], notes: notesOf(table) },
  });
  const buffer = new BlockBuffer(sink, ids.length);
  const matrix = { path: group, columns: ids.length, rowNames: barcodes, file };
  await streamSparse(tree, matrix, buffer, (done) => options.progress?.(done / Math.max(1, barcodes.length)));
  buffer.flush();
}

interface Features {
  readonly version: 2 | 3;
  readonly ids: readonly string[];
  readonly table: Map<string, readonly Cell[]>;
}

async function featuresOf(tree: ArrayTree, group: string, node: GroupNode, file: string): Promise<Features> {
  const fault = new RegulonError('E_DATA_FORMAT', `${file}: /${group}: no features`);
  if (node.children.includes('genes')) {
    const names = node.children.includes('gene_names') ? await tree.texts(`${group}/gene_names`) : [];
    const ids = await tree.texts(`${group}/genes`);
    return { version: 2, ids, table: new Map(names.length === ids.length ? [['symbol', names]] : []) };
  }
  const features = await tree.node(`${group}/features`);
  if (features?.kind !== 'group' || !features.children.includes('id')) throw fault;
  const ids = await tree.texts(`${group}/features/id`);
  const table = new Map<string, readonly Cell[]>();
  for (const [name, title] of [
    ['name', 'symbol'],
    ['feature_type', 'feature type'],
  ] as const) {
    if (!features.children.includes(name)) continue;
    const cells = await tree.texts(`${group}/features/${name}`);
    if (cells.length === ids.length) table.set(title, cells);
  }
  return { version: 3, ids, table };
}

async function verifyShape(
  tree: ArrayTree,
  group: string,
  expected: readonly [number, number],
  file: string,
): Promise<void> {
  const shape = await tree.numbers(`${group}/shape`, [0], [2]);
  if (shape[0] === expected[0] && shape[1] === expected[1]) return;
  throw new RegulonError(
    'E_DATA_FORMAT',
    `${file}: /${group}/shape: not that of ${expected[0]} features and ${expected[1]} barcodes`,
  );
}

/** Features of several kinds in one matrix are worth a word. */
export function notesOf(table: ReadonlyMap<string, readonly Cell[]>): string[] {
  const kinds = new Set(table.get('feature type'));
  return kinds.size > 1 ? [`features of ${kinds.size} types: ${[...kinds].map(String).join(', ')}`] : [];
}
