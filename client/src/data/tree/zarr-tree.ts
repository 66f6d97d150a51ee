import { statSync } from 'node:fs';
import * as zarr from 'zarrita';
import { RegulonError } from '@regulon/shared/errors';
import {
  type ArrayTree,
  type Attribute,
  MAX_CHUNK,
  MAX_NUMBERS,
  MAX_TEXTS,
  sizeOf,
  type TreeNode,
} from './array-tree.js';
import { checkBlosc, checkPieces } from './checked-codecs.js';
import type { FileBox } from './file-box.js';
import { FolderBox } from './folder-box.js';
import { ZipBox } from './zip-box.js';

checkBlosc();

const MARKERS = ['.zgroup', '.zarray', 'zarr.json'];

/** A Zarr store, version 2 or 3, in a folder or a zip archive. */
export class ZarrTree implements ArrayTree {
  private readonly nodes = new Map<string, zarr.Group<BoxStore> | zarr.Array<zarr.DataType, BoxStore>>();

  private constructor(
    private readonly box: FileBox,
    private readonly prefix: string,
    private readonly name: string,
  ) {}

  /** @throws E_DATA_FORMAT when there is no Zarr store */
  static async open(path: string, name: string): Promise<ZarrTree> {
    const box = statSync(path).isDirectory() ? new FolderBox(path, name) : await ZipBox.open(path, name);
    // archives often hold the store in a folder of its name
    const top = await box.children('');
    for (const prefix of ['', ...top.slice(0, 10).map((folder) => `${folder}/`)]) {
      const names = prefix === '' ? top : await box.children(prefix.slice(0, -1));
      if (names.some((file) => MARKERS.includes(file))) return new ZarrTree(box, prefix, name);
    }
    await box.close();
    if (top.includes('[Content_Types].xml')) {
      throw new RegulonError('E_DATA_FORMAT', `${name}: this is an Excel .xlsx file`);
    }
    throw new RegulonError('E_DATA_FORMAT', `${name}: holds no Zarr store`);
  }

  async node(path: string): Promise<TreeNode | null> {
    const node = await this.find(path);
    if (!node) return null;
    const attributes = attributesOf(node.attrs);
    if (node instanceof zarr.Group) {
      const children = await this.box.children(`${this.prefix}${path}`.replace(/\/$/, ''));
      return {
        kind: 'group',
        attributes,
        children: children.filter((name) => !/^\.z|^zarr\.json$/.test(name)),
      };
    }
    const { shape, chunks } = node;
    if (sizeOf(chunks) > MAX_CHUNK)
      throw this.fault(path, `a stored piece of more than ${MAX_CHUNK} elements`);
    const type = node.is('number') || node.is('bigint') || node.is('boolean') ? 'number' : 'text';
    return { kind: 'array', attributes, shape, chunk: chunks, type, fields: [] };
  }

  async numbers(path: string, start: readonly number[], end: readonly number[]): Promise<Float64Array> {
    const count = sizeOf(end.map((e, axis) => e - (start[axis] ?? 0)));
    if (count > MAX_NUMBERS) throw this.fault(path, `more than ${MAX_NUMBERS} numbers at once`);
    const array = await this.array(path);
    const { data } = await zarr.get(
      array,
      end.map((e, axis) => zarr.slice(start[axis] ?? 0, e)),
    );
    const numbers = Float64Array.from(data as Iterable<number | bigint | boolean>, Number);
    if (numbers.length !== count) throw this.fault(path, 'fewer numbers than its shape says');
    return numbers;
  }

  async texts(path: string): Promise<string[]> {
    const array = await this.array(path);
    if (sizeOf(array.shape) > MAX_TEXTS) throw this.fault(path, `more than ${MAX_TEXTS} texts`);
    const { data } = await zarr.get(array);
    return Array.from(data as Iterable<unknown>, (x) =>
      typeof x === 'string' ? x : typeof x === 'number' || typeof x === 'bigint' ? String(x) : '',
    );
  }

  async fieldNumbers(path: string): Promise<Float64Array> {
    throw this.fault(path, 'records are not read from Zarr');
  }

  async close(): Promise<void> {
    await this.box.close();
  }

  private async array(path: string): Promise<zarr.Array<zarr.DataType, BoxStore>> {
    const node = await this.find(path);
    if (node instanceof zarr.Array) return node;
    throw this.fault(path, 'no array');
  }

  private async find(
    path: string,
  ): Promise<zarr.Group<BoxStore> | zarr.Array<zarr.DataType, BoxStore> | null> {
    const known = this.nodes.get(path);
    if (known) return known;
    const at = zarr.root(new BoxStore(this.box, this.prefix)).resolve(path);
    try {
      const node = await zarr.open(at);
      if (node instanceof zarr.Array) checkPieces(node);
      this.nodes.set(path, node);
      return node;
    } catch (error) {
      if (zarr.isZarritaError(error, 'NotFoundError')) return null;
      throw error;
    }
  }

  private fault(path: string, rule: string): RegulonError {
    return new RegulonError('E_DATA_FORMAT', `${this.name}: /${path}: ${rule}`);
  }
}

/** The files of a store as zarrita asks for them. */
class BoxStore implements zarr.AsyncReadable {
  constructor(
    private readonly box: FileBox,
    private readonly prefix: string,
  ) {}

  async get(key: zarr.AbsolutePath): Promise<Uint8Array | undefined> {
    return (await this.box.read(`${this.prefix}${key.slice(1)}`)) ?? undefined;
  }

  async getRange(key: zarr.AbsolutePath, range: zarr.RangeQuery): Promise<Uint8Array | undefined> {
    const bytes = await this.get(key);
    if (!bytes) return undefined;
    if ('suffixLength' in range) return bytes.slice(Math.max(0, bytes.length - range.suffixLength));
    return bytes.slice(range.offset, range.offset + range.length);
  }
}

function attributesOf(attrs: Readonly<Record<string, unknown>>): Record<string, Attribute> {
  const found: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(attrs)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      found[name] = value;
    else if (Array.isArray(value) && value.every((x) => typeof x === 'string' || typeof x === 'number')) {
      found[name] = value;
    }
  }
  return found;
}
