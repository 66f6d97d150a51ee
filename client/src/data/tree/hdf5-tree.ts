import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import h5wasm, { Dataset, type File, Group } from 'h5wasm/node';
import { RegulonError } from '@regulon/shared/errors';
import {
  type ArrayNode,
  type ArrayTree,
  type Attribute,
  MAX_CHUNK,
  MAX_NUMBERS,
  MAX_TEXTS,
  sizeOf,
  type TreeNode,
} from './array-tree.js';

/** An HDF5 file through its own C library in WebAssembly; for a thread of its own, since damaged files may end it. */
export class Hdf5Tree implements ArrayTree {
  private constructor(
    private readonly file: File,
    private readonly name: string,
  ) {}

  static async open(path: string, name: string): Promise<Hdf5Tree> {
    const library = await h5wasm.ready;
    library.activate_throwing_error_handler();
    // filters come from the installed package only, never from folders of the machine
    while (library.get_plugin_search_paths().length > 0) library.remove_plugin_search_path(0);
    library.insert_plugin_search_path(filterFolder(), 0);
    return new Hdf5Tree(new h5wasm.File(path, 'r'), name);
  }

  async node(path: string): Promise<TreeNode | null> {
    const entity = this.entity(path);
    if (entity instanceof Dataset) return this.arrayNode(entity, path);
    if (!(entity instanceof Group)) return null;
    return { kind: 'group', attributes: attributesOf(entity), children: entity.keys() };
  }

  async numbers(path: string, start: readonly number[], end: readonly number[]): Promise<Float64Array> {
    const dataset = this.dataset(path);
    const count = sizeOf(end.map((e, axis) => e - (start[axis] ?? 0)));
    if (count > MAX_NUMBERS) throw this.fault(path, `more than ${MAX_NUMBERS} numbers at once`);
    if (count === 0) return new Float64Array(0);
    const value = dataset.slice(end.map((e, axis): [number, number] => [start[axis] ?? 0, e]));
    return this.toNumbers(value, path, count);
  }

  async texts(path: string, field?: string): Promise<string[]> {
    if (field !== undefined) return this.field(path, field).map((cell) => textOf(cell));
    const dataset = this.dataset(path);
    if (sizeOf(dataset.shape ?? []) > MAX_TEXTS) throw this.fault(path, `more than ${MAX_TEXTS} texts`);
    const { value } = dataset;
    if (!Array.isArray(value)) throw this.fault(path, 'no list of texts');
    return value.map(textOf);
  }

  async fieldNumbers(path: string, field: string): Promise<Float64Array> {
    return Float64Array.from(this.field(path, field), Number);
  }

  async close(): Promise<void> {
    this.file.close();
  }

  private field(path: string, field: string): unknown[] {
    const dataset = this.dataset(path);
    const at = fieldsOf(dataset).indexOf(field);
    const { value } = dataset;
    if (at < 0 || !Array.isArray(value)) throw this.fault(path, 'no records');
    return value.map((record) => (Array.isArray(record) ? record[at] : null));
  }

  private arrayNode(dataset: Dataset, path: string): ArrayNode {
    const shape = dataset.shape ?? [];
    const chunk = chunksOf(dataset) ?? shape;
    if (chunk !== shape && sizeOf(chunk) > MAX_CHUNK)
      throw this.fault(path, `a stored piece of more than ${MAX_CHUNK} elements`);
    if ((dataset.metadata as { virtual_sources?: unknown[] }).virtual_sources?.length)
      throw this.fault(path, 'its numbers lie in other files');
    return {
      ...{ kind: 'array', shape, chunk, attributes: attributesOf(dataset) },
      ...{ type: typeOf(dataset), fields: fieldsOf(dataset) },
    };
  }

  private dataset(path: string): Dataset {
    const entity = this.entity(path);
    if (entity instanceof Dataset) return entity;
    throw this.fault(path, 'no array');
  }

  /** Only what lies in this file: links, to other files or within it, are not followed. */
  private entity(path: string): unknown {
    let at: unknown = this.file;
    let full = '';
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (!(at instanceof Group) || !at.keys().includes(name)) return null;
      full += `/${name}`;
      const { filename } = this.file.get_external_link(full) as { filename?: string };
      if (filename !== undefined || this.file.get_link(full) !== null) return null;
      at = at.get(name);
    }
    return at;
  }

  private toNumbers(value: unknown, path: string, count: number): Float64Array {
    const numbers = ArrayBuffer.isView(value) ? Float64Array.from(value as Float64Array, Number) : null;
    if (numbers?.length === count) return numbers;
    if (
      Array.isArray(value) &&
      value.length === count &&
      value.every((x) => typeof x === 'boolean' || typeof x === 'number')
    )
      return Float64Array.from(value, Number);
    throw this.fault(path, 'no numbers, or fewer than its shape says');
  }

  private fault(path: string, rule: string): RegulonError {
    return new RegulonError('E_DATA_FORMAT', `${this.name}: /${path}: ${rule}`);
  }
}

/** Folder of the filters LZF, Blosc, LZ4 and Zstandard for HDF5. */
function filterFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve('h5wasm-plugins/package.json')), 'plugins');
}

const textOf = (cell: unknown): string =>
  typeof cell === 'string' ? cell : typeof cell === 'number' || typeof cell === 'bigint' ? String(cell) : '';

function chunksOf(dataset: Dataset): readonly number[] | null {
  return dataset.metadata.chunks ?? null;
}

/** HDF5 type classes: 0 integer, 1 float, 3 string, 6 compound, 8 enumeration. */
function typeOf(dataset: Dataset): ArrayNode['type'] {
  const { type } = dataset.metadata;
  if (type === 0 || type === 1 || type === 8) return 'number';
  if (type === 3) return 'text';
  return type === 6 ? 'record' : 'other';
}

function fieldsOf(dataset: Dataset): string[] {
  return dataset.metadata.compound_type?.members.map(({ name }) => name) ?? [];
}

function attributesOf(entity: Group | Dataset): Record<string, Attribute> {
  const found: Record<string, Attribute> = {};
  for (const [name, attribute] of Object.entries(entity.attrs)) {
    const value = attributeOf(attribute.value);
    if (value !== null) found[name] = value;
  }
  return found;
}

/** @returns null for what is neither text nor number, e.g. a reference */
function attributeOf(value: unknown): Attribute | null {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number(value);
  if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return null;
  const items = Array.from(value as ArrayLike<unknown>, (x) => (typeof x === 'bigint' ? Number(x) : x));
  return items.every((x) => typeof x === 'string' || typeof x === 'number') ? items : null;
}
