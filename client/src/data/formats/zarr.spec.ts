import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as zarr from 'zarrita';
import { fileOf, folder } from '../source-files.support.js';
import { collect, refusalOfFile } from '../stream/collected.support.js';
import { type ZipEntry, zipOf } from './zip.support.js';

const UTF8 = new TextEncoder();
type Files = Map<string, Uint8Array>;

const json = (value: unknown): Uint8Array => UTF8.encode(JSON.stringify(value));
const group = (files: Files, path: string, attributes: Record<string, unknown> = {}): void => {
  files.set(`${path}zarr.json`, json({ zarr_format: 3, node_type: 'group', attributes }));
};

function texts(files: Files, path: string, words: readonly string[]): void {
  const length = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);
  const pieces = words.flatMap((word) => [length(word.length), UTF8.encode(word)]);
  const chunks = { name: 'regular', configuration: { chunk_shape: [words.length] } };
  files.set(
    `${path}zarr.json`,
    json({
      ...{ zarr_format: 3, node_type: 'array', shape: [words.length], data_type: 'string', fill_value: '' },
      ...{ chunk_grid: chunks, codecs: [{ name: 'vlen-utf8', configuration: {} }], attributes: {} },
      chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    }),
  );
  files.set(`${path}c/0`, Buffer.concat([length(words.length), ...pieces]));
}

/** Units a, b, c and genes G1, G2 in Zarr v3; X in four pieces. */
async function annData(codecs: 'plain' | 'zstd shards' = 'plain', shape = [3, 2]): Promise<Files> {
  const store = new Map<zarr.AbsolutePath, Uint8Array>();
  const at = zarr.root(store);
  const inner = [
    { name: 'bytes', configuration: { endian: 'little' } },
    { name: 'zstd', configuration: { level: 1, checksum: false } },
  ];
  const x = await zarr.create(at.resolve('X'), {
    ...{ dtype: 'float32', shape, chunkShape: [2, 1], fillValue: 9 },
    ...(codecs === 'plain' ? {} : { codecs: inner }),
  });
  const data = Float32Array.from([1, 0, 0, 0.5, 2, 3]).subarray(0, shape[0]! * shape[1]!);
  await zarr.set(x, null, { data, shape, stride: [shape[1]!, 1] });
  const files: Files = new Map([...store].map(([path, bytes]) => [path.slice(1), bytes]));
  texts(files, 'obs/_index/', ['a', 'b', 'c']);
  texts(files, 'var/_index/', ['G1', 'G2']);
  group(files, '');
  for (const frame of ['obs/', 'var/']) group(files, frame, { _index: '_index', 'column-order': [] });
  return files;
}

const entriesOf = (files: Files): ZipEntry[] => [...files].map(([name, bytes]) => ({ name, bytes }));
const zipFile = (entries: ZipEntry[], name: string, packed?: boolean): string =>
  fileOf(zipOf(entries, packed), name);

describe('Zarr', () => {
  it.each(['plain', 'zstd shards'] as const)('in a zip archive, packed or not, %s', async (codecs) => {
    const files = await annData(codecs);
    for (const packed of [true, false]) {
      const all = await collect(zipFile(entriesOf(files), `${codecs}-${packed}.zarr.zip`, packed));
      expect(all.header).toMatchObject({ rows: 'units', format: 'Zarr (dense)', columnNames: ['G1', 'G2'] });
      expect([all.rowNames, all.values.flat()]).toEqual([
        ['a', 'b', 'c'],
        [1, 0, 0, 0.5, 2, 3],
      ]);
    }
  });

  it('in a zip archive below a folder, with folders as entries and repeated names: the last counts', async () => {
    const files = await annData();
    const entries = entriesOf(files).map(({ name, bytes }) => ({ name: `data.zarr/${name}`, bytes }));
    const first = entries.find(({ name }) => name.endsWith('X/c/0/0'));
    const wrong = { name: first?.name ?? '', bytes: new Uint8Array(8) };
    const folders = ['data.zarr/', 'data.zarr/X/'].map((name) => ({ name, bytes: new Uint8Array(0) }));
    const all = await collect(zipFile([...folders, wrong, ...entries], 'repeated.zarr.zip'));
    expect(all.values.flat()).toEqual([1, 0, 0, 0.5, 2, 3]);
  });

  it('in a folder; absent pieces have the fill value, links are not followed', async () => {
    const files = await annData();
    files.delete('X/c/1/1');
    const root = join(folder, 'store.zarr');
    for (const [path, bytes] of files) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), bytes);
    }
    expect((await collect(root)).values[2]).toEqual([2, 9]);
    const elsewhere = fileOf(Buffer.from(files.get('X/c/1/0') ?? []), 'elsewhere.bin');
    symlinkSync(elsewhere, join(root, 'X/c/1/1'));
    expect((await collect(root)).values[2]).toEqual([2, 9]);
  });

  it('of another shape than its names is refused', async () => {
    const file = zipFile(entriesOf(await annData('plain', [2, 2])), 'shape.zarr.zip');
    expect(await refusalOfFile(file)).toMatch(/\/X: shape 2 × 2 under 3 × 2 names/);
  });

  it('that is hostile ends in a named error', async () => {
    const files = await annData();
    const meta = JSON.parse(Buffer.from(files.get('X/zarr.json') ?? []).toString()) as Record<
      string,
      unknown
    >;
    const huge = new Map(files).set(
      'X/zarr.json',
      json({ ...meta, chunk_grid: { name: 'regular', configuration: { chunk_shape: [2 ** 20, 2 ** 20] } } }),
    );
    expect(await refusalOfFile(zipFile(entriesOf(huge), 'huge.zarr.zip'))).toMatch(
      /a stored piece of more than/,
    );
    const liar = entriesOf(files).map((entry) =>
      entry.name === 'X/c/0/0' ? { ...entry, claimed: 3 } : entry,
    );
    expect(await refusalOfFile(zipFile(liar, 'liar.zarr.zip'))).toMatch(
      /^E_DATA_FORMAT liar\.zarr\.zip: .*damaged/,
    );
    const bomb = entriesOf(files).map((entry) =>
      entry.name === 'X/c/0/0' ? { ...entry, claimed: 2 ** 31 } : entry,
    );
    expect(await refusalOfFile(zipFile(bomb, 'bomb.zarr.zip'))).toMatch(/X\/c\/0\/0: larger than/);
    const outside = [{ name: '../x', bytes: json({}) }, ...entriesOf(files)];
    expect(await refusalOfFile(zipFile(outside, 'outside.zarr.zip'))).toMatch(/^E_DATA_FORMAT/);
    const cut = readFileSync(zipFile(entriesOf(files), 'whole.zarr.zip')).subarray(0, 900);
    expect(await refusalOfFile(fileOf(cut, 'cut.zarr.zip'))).toMatch(/^E_DATA_FORMAT cut/);
    expect(await refusalOfFile(zipFile([{ name: 'a.txt', bytes: json(1) }], 'other.zip'))).toMatch(
      /no Zarr store/,
    );
  });
});

describe('Excel', () => {
  it.each(['book.xlsx', 'renamed.zip'])('in %s is refused with advice', async (name) => {
    const entries = ['[Content_Types].xml', 'xl/workbook.xml'].map((entry) => ({
      name: entry,
      bytes: json(1),
    }));
    expect(await refusalOfFile(zipFile(entries, name))).toMatch(/an Excel \.xlsx file/);
  });
});
