import { describe, expect, it } from '@jest/globals';
import { fileOf } from '../source-files.support.js';
import { collect, refusalOfFile } from '../stream/collected.support.js';
import { type ZipEntry, zipOf } from './zip.support.js';

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const BLOSC = { id: 'blosc', cname: 'lz4', clevel: 5, shuffle: 1, blocksize: 0 };
const GENES = 64;
/** 3 × 64 float32 as the Blosc library packs them (LZ4, bytes shuffled): 1 0 / 0 0.5 / 2 3, then zeros. */
const PACKED =
  'AgEhBAADAAAAAwAAYQAAABQAAAALAAAAHwABAKdQAAAAAAALAAAAHwABAKdQAAAAAAARAAAAL4AAAQBsH0CAACZQAAAAAAAWAAAALz8AAQAsD0EALC9AQIAAJlAAAAAAAA==';

/** 2 × 64 numbers, packed the same way. */
const FEWER =
  'AgEhBAACAAAAAgAAUAAAABQAAAALAAAAHwABAGdQAAAAAAALAAAAHwABAGdQAAAAAAALAAAAH4ABAGdQgICAgIALAAAAHz8BAGdQPz8/Pz8=';

function array(path: string, dtype: string, shape: number[], bytes: Uint8Array, packed: boolean): ZipEntry[] {
  const compressor = packed ? BLOSC : null;
  const meta = {
    zarr_format: 2,
    shape,
    chunks: shape,
    dtype,
    compressor,
    fill_value: 0,
    order: 'C',
    filters: null,
  };
  return [
    { name: `${path}/.zarray`, bytes: json(meta) },
    { name: `${path}/${shape.map(() => '0').join('.')}`, bytes },
  ];
}

/** Names as texts of fixed length, four bytes a character, as NumPy writes them. */
function texts(path: string, words: readonly string[]): ZipEntry[] {
  const codes = words.flatMap((word) => [...word.padEnd(3, '\0')].map((c) => c.codePointAt(0) ?? 0));
  return array(path, '<U3', [words.length], new Uint8Array(Uint32Array.from(codes).buffer), false);
}

const group = (path: string, attributes: object): ZipEntry[] => [
  { name: `${path}.zgroup`, bytes: json({ zarr_format: 2 }) },
  { name: `${path}.zattrs`, bytes: json(attributes) },
];

/** Units a, b, c and genes G1 … G64. */
function annData(x: Uint8Array = Buffer.from(PACKED, 'base64')): ZipEntry[] {
  const frame = { _index: '_index', 'column-order': [] };
  const genes = Array.from({ length: GENES }, (_, g) => `G${g + 1}`);
  return [
    ...[...group('', {}), ...group('obs/', frame), ...group('var/', frame)],
    ...[...texts('obs/_index', ['a', 'b', 'c']), ...texts('var/_index', genes)],
    ...array('X', '<f4', [3, GENES], x, true),
  ];
}

describe('Zarr, version 2, Blosc with LZ4', () => {
  it('is read from a zip archive', async () => {
    const all = await collect(fileOf(zipOf(annData()), 'v2.zarr.zip'));
    expect(all.header).toMatchObject({ rows: 'units', format: 'Zarr (dense)' });
    expect([all.rowNames, all.columnNames.length]).toEqual([['a', 'b', 'c'], GENES]);
    expect(all.values.map((row) => row.slice(0, 3))).toEqual([
      [1, 0, 0],
      [0, 0.5, 0],
      [2, 3, 0],
    ]);
  });

  it.each([
    ['cut', (bytes: Buffer) => bytes.subarray(0, 40)],
    ['shorter than its header', (bytes: Buffer) => bytes.subarray(0, 9)],
    ['longer', (bytes: Buffer) => Buffer.concat([bytes, bytes])],
    ['of fewer numbers', () => Buffer.from(FEWER, 'base64')],
  ])('with a piece that is %s ends in a named error, not in other numbers', async (what, damage) => {
    const entries = annData(damage(Buffer.from(PACKED, 'base64')));
    expect(await refusalOfFile(fileOf(zipOf(entries), `v2-${what.length}.zarr.zip`))).toMatch(
      /^E_DATA_FORMAT .*X/,
    );
  });

  it('not packed, and cut, ends in a named error', async () => {
    const entries = annData().map((entry) =>
      entry.name === 'var/_index/0' ? { ...entry, bytes: entry.bytes.slice(0, 24) } : entry,
    );
    expect(await refusalOfFile(fileOf(zipOf(entries), 'v2-names.zarr.zip'))).toMatch(/^E_DATA_FORMAT .*var/);
  });

  it('in an archive whose bytes were changed, the checksum tells', async () => {
    const archive = zipOf(annData(), false);
    const at = archive.indexOf(Buffer.from(PACKED, 'base64').subarray(0, 20)) + 30;
    archive[at] = (archive[at] ?? 0) ^ 1;
    expect(await refusalOfFile(fileOf(archive, 'v2-changed.zarr.zip'))).toMatch(
      /^E_DATA_FORMAT .*X\/0\.0: is damaged, its checksum differs/,
    );
  });
});
