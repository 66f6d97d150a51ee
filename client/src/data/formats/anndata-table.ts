import { RegulonError } from '@regulon/shared/errors';
import type { Cell } from '@regulon/shared/genomics';
import { type ArrayTree, MAX_TEXTS, type TreeNode } from '../tree/index.js';

/** `obs` or `var` of AnnData. */
export interface AnnTable {
  readonly names: readonly string[];
  readonly columns: ReadonlyMap<string, readonly Cell[]>;
  /** columns of a kind that is not read */
  readonly skipped: readonly string[];
}

/**
 * Read `obs` or `var`: a data frame of the present encoding, of the one before 0.8, or an array of records.
 *
 * Category code −1 is a missing cell.
 *
 * @throws E_DATA_FORMAT when there is no such table
 */
export async function readAnnTable(tree: ArrayTree, path: string, file: string): Promise<AnnTable> {
  const node = await tree.node(path);
  if (node?.kind === 'array' && node.type === 'record') return readRecords(tree, path, node.fields);
  if (node?.kind !== 'group') throw new RegulonError('E_DATA_FORMAT', `${file}: /${path}: no table of names`);
  const index = textAttribute(node, '_index') ?? (node.children.includes('index') ? 'index' : '_index');
  const names = await textsAt(tree, `${path}/${index}`);
  if (!names) throw new RegulonError('E_DATA_FORMAT', `${file}: /${path}/${index}: no names`);
  const order = node.attributes['column-order'];
  const listed = Array.isArray(order) ? order.map(String) : typeof order === 'string' ? [order] : null;
  const wanted = (listed ?? node.children).filter((name) => name !== index && name !== '__categories');
  const columns = new Map<string, readonly Cell[]>();
  const skipped: string[] = [];
  for (const name of wanted) {
    const cells = await readColumn(tree, path, name);
    if (cells?.length === names.length) columns.set(name, cells);
    else skipped.push(name);
  }
  return { names, columns, skipped };
}

async function readColumn(tree: ArrayTree, table: string, name: string): Promise<Cell[] | null> {
  const path = `${table}/${name}`;
  const node = await tree.node(path);
  if (!node) return null;
  if (node.kind === 'group') {
    if (node.children.includes('codes')) return readCodes(tree, `${path}/codes`, `${path}/categories`);
    return node.children.includes('mask') ? readMasked(tree, path) : null;
  }
  const old = `${table}/__categories/${name}`;
  if (node.type === 'number' && (await tree.node(old))) return readCodes(tree, path, old);
  if (node.type === 'number') return (await allNumbers(tree, path))?.map(numberCell) ?? null;
  return node.type === 'text' ? ((await textsAt(tree, path))?.map(textCell) ?? null) : null;
}

async function readCodes(tree: ArrayTree, codes: string, categories: string): Promise<Cell[] | null> {
  const positions = await allNumbers(tree, codes);
  const node = await tree.node(categories);
  if (!positions || node?.kind !== 'array') return null;
  const words: readonly Cell[] | undefined =
    node.type === 'text'
      ? await textsAt(tree, categories)
      : (await allNumbers(tree, categories))?.map(numberCell);
  return words ? positions.map((code) => words[code] ?? null) : null;
}

async function readMasked(tree: ArrayTree, path: string): Promise<Cell[] | null> {
  const mask = await allNumbers(tree, `${path}/mask`);
  const values = await allNumbers(tree, `${path}/values`);
  return mask && values ? values.map((x, i) => (mask[i] === 0 ? numberCell(x) : null)) : null;
}

async function readRecords(tree: ArrayTree, path: string, fields: readonly string[]): Promise<AnnTable> {
  const index = fields.find((field) => field === 'index' || field === '_index') ?? fields[0] ?? '';
  const names = await tree.texts(path, index);
  const columns = new Map<string, readonly Cell[]>();
  for (const field of fields.filter((name) => name !== index)) {
    const words = await categoriesOfRecords(tree, field);
    const numbers = [...(await tree.fieldNumbers(path, field))];
    if (words)
      columns.set(
        field,
        numbers.map((code) => words[code] ?? null),
      );
    else if (numbers.some((x) => !Number.isNaN(x))) columns.set(field, numbers.map(numberCell));
    else columns.set(field, (await tree.texts(path, field)).map(textCell));
  }
  return { names, columns, skipped: [] };
}

/** The first AnnData kept the words of a column in `uns`. */
async function categoriesOfRecords(tree: ArrayTree, field: string): Promise<string[] | undefined> {
  return textsAt(tree, `uns/${field}_categories`);
}

async function textsAt(tree: ArrayTree, path: string): Promise<string[] | undefined> {
  const node = await tree.node(path);
  if (node?.kind === 'array' && node.shape.length === 1 && node.type !== 'other') return tree.texts(path);
  // strings that may be missing are a group of values and a mask
  if (node?.kind === 'group' && node.children.includes('values')) return textsAt(tree, `${path}/values`);
  return undefined;
}

async function allNumbers(tree: ArrayTree, path: string): Promise<number[] | null> {
  const node = await tree.node(path);
  if (node?.kind !== 'array' || node.shape.length !== 1 || node.type !== 'number') return null;
  const [length = 0] = node.shape;
  if (length > MAX_TEXTS) return null;
  return [...(await tree.numbers(path, [0], [length]))];
}

const numberCell = (x: number): Cell => (Number.isFinite(x) ? x : null);
const textCell = (text: string): Cell => (text === '' ? null : text);

function textAttribute({ attributes }: TreeNode, name: string): string | undefined {
  const value = attributes[name];
  return typeof value === 'string' ? value : undefined;
}
