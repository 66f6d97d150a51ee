import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { fileOf } from '../source-files.support.js';
import { collect, refusalOfFile } from '../stream/collected.support.js';
import { frame, hdf5File, sparse, type Sparse } from './hdf5.support.js';

const CELLS = ['cell1', 'cell2', 'cell3'];
const GENES = ['ESR1', 'FOXA1'];
/** cells × genes: [[1, 0], [0, 0.5], [2, 3]] */
const VALUES = [1, 0, 0, 0.5, 2, 3];
const BY_ROW: Sparse = { data: [1, 0.5, 2, 3], indices: [0, 1, 0, 1], indptr: [0, 1, 2, 4] };
const BY_COLUMN: Sparse = { data: [1, 2, 0.5, 3], indices: [0, 2, 1, 2], indptr: [0, 2, 4] };

type Root = Parameters<Parameters<typeof hdf5File>[0]>[0];
const named = (root: Root): void => {
  frame(root, 'obs', CELLS, [0, 1, -1]);
  frame(root, 'var', GENES);
};

describe('h5ad', () => {
  it.each([
    [
      'dense',
      (root: Root) => void root.create_dataset({ name: 'X', data: Float64Array.from(VALUES), shape: [3, 2] }),
    ],
    [
      'dense, in packed pieces',
      (root: Root) =>
        void root.create_dataset({
          ...{ name: 'X', data: Float32Array.from(VALUES), shape: [3, 2] },
          ...{ chunks: [2, 1], compression: 'gzip' as const, maxshape: [3, 2] },
        }),
    ],
    ['CSR', (root: Root) => sparse(root, 'X', 'csr_matrix', [3, 2], BY_ROW)],
  ])('%s gives units in rows, category code −1 as missing', async (_, matrix) => {
    const all = await collect(await hdf5File((root) => (named(root), matrix(root))));
    expect(all.header).toMatchObject({ rows: 'units', columnNames: GENES, rowColumns: ['kind'] });
    expect(all.rowNames).toEqual(CELLS);
    expect(all.values.flat()).toEqual(VALUES);
    expect(all.cells).toEqual([['T cell'], ['B cell'], [null]]);
  });

  it('CSC gives genes in rows', async () => {
    const file = await hdf5File((root) => (named(root), sparse(root, 'X', 'csc_matrix', [3, 2], BY_COLUMN)));
    const all = await collect(file);
    expect(all.header).toMatchObject({ rows: 'genes', format: 'h5ad (CSC)', columnNames: CELLS });
    expect(all.header?.columnTable).toEqual(new Map([['kind', ['T cell', 'B cell', null]]]));
    expect(all.values).toEqual([
      [1, 0, 2],
      [0, 0.5, 3],
    ]);
  });

  it('without X says the shape, and reads raw or a layer when it is asked to', async () => {
    const file = await hdf5File((root) => {
      named(root);
      root.create_group('raw');
      frame(root, 'raw/var', ['A', 'B', 'C']);
      sparse(root, 'raw/X', 'csr_matrix', [3, 3], { data: [7], indices: [2], indptr: [0, 0, 0, 1] });
      root.create_group('layers');
      root.create_dataset({
        name: 'layers/counts',
        data: Int32Array.from([1, 2, 3, 4, 5, 6]),
        shape: [3, 2],
      });
    });
    expect(await refusalOfFile(file)).toMatch(/3 units × 2 genes, but no \/X$/);
    await expect(collect(file)).rejects.toMatchObject({
      hint: 'name what is there with --layer: raw, counts',
    });
    expect((await collect(file, { layer: 'raw' })).values).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 7],
    ]);
    expect((await collect(file, { layer: 'counts' })).values[2]).toEqual([5, 6]);
  });

  it('without any matrix says that there is none to name', async () => {
    const file = await hdf5File((root) => (named(root), void root.create_group('layers')));
    await expect(collect(file)).rejects.toMatchObject({ hint: expect.stringMatching(/no matrix at all/) });
  });

  it('of the encodings before 0.8 and before 0.7', async () => {
    const file = await hdf5File((root) => {
      const obs = root.create_group('obs');
      obs.create_attribute('_index', 'index');
      obs.create_attribute('column-order', ['kind', 'age']);
      obs.create_dataset({ name: 'index', data: CELLS });
      obs.create_dataset({ name: 'kind', data: Int8Array.from([1, -1, 0]) });
      obs.create_dataset({ name: 'age', data: Float64Array.from([50, NaN, 61]) });
      obs.create_group('__categories').create_dataset({ name: 'kind', data: ['a', 'b'] });
      frame(root, 'var', GENES);
      const group = root.create_group('X');
      group.create_attribute('h5sparse_format', 'csr');
      group.create_attribute('h5sparse_shape', Int32Array.from([3, 2]), [2], '<i');
      group.create_dataset({ name: 'data', data: Float64Array.from(BY_ROW.data) });
      group.create_dataset({ name: 'indices', data: Int32Array.from(BY_ROW.indices) });
      group.create_dataset({ name: 'indptr', data: Int32Array.from(BY_ROW.indptr) });
    });
    const all = await collect(file);
    expect([all.values.flat(), all.cells]).toEqual([
      VALUES,
      [
        ['b', 50],
        [null, null],
        ['a', 61],
      ],
    ]);
  });

  it.each<[string, number[], Sparse, RegExp]>([
    ['another shape than its names', [2, 2], BY_ROW, /\/X: shape 2 × 2 under 3 × 2 names/],
    ['a pointer too few', [3, 2], { ...BY_ROW, indptr: [0, 1, 4] }, /indptr has 3 entries for 3 rows/],
    ['pointers that go back', [3, 2], { ...BY_ROW, indptr: [0, 3, 2, 4] }, /indptr goes back at row 2/],
    ['pointers beyond the data', [3, 2], { ...BY_ROW, indptr: [0, 1, 2, 9] }, /does not span the data/],
    [
      'an index beyond the columns',
      [3, 2],
      { ...BY_ROW, indices: [0, 1, 0, 7] },
      /row 3: an index beyond the 2/,
    ],
    ['a negative index', [3, 2], { ...BY_ROW, indices: [0, 1, 0, -1] }, /row 3: an index beyond/],
    ['indices too few', [3, 2], { ...BY_ROW, indices: [0, 1, 0] }, /data and indices are not of one length/],
    [
      'an infinite value',
      [3, 2],
      { ...BY_ROW, data: [1, Infinity, 2, 3] },
      /E_DATA_NOT_FINITE .*row 2: infinite/,
    ],
  ])('with %s is refused', async (_, shape, parts, message) => {
    const file = await hdf5File((root) => (named(root), sparse(root, 'X', 'csr_matrix', shape, parts)));
    expect(await refusalOfFile(file)).toMatch(message);
  });

  it('does not follow links to other files', async () => {
    const other = await hdf5File(
      (root) => void root.create_dataset({ name: 'X', data: Float64Array.from(VALUES), shape: [3, 2] }),
    );
    const file = await hdf5File((root) => (named(root), void root.create_external_link(other, 'X', 'X')));
    expect(await refusalOfFile(file)).toMatch(/no \/X|neither dense nor/);
  });

  it('that is damaged ends in a named error, wherever the damage is; this process goes on', async () => {
    const whole = readFileSync(
      await hdf5File((root) => (named(root), sparse(root, 'X', 'csr_matrix', [3, 2], BY_ROW))),
    );
    const outcomes = new Set<string>();
    for (let at = 0; at < 12; at++) {
      const bytes = Buffer.from(whole);
      const begin = 8 + Math.floor((at * (bytes.length - 80)) / 12);
      bytes.fill(at % 2 === 0 ? 0xff : 0x00, begin, begin + 64);
      const refusal = await refusalOfFile(fileOf(bytes, `damaged${at}.h5ad`), { patienceMs: 5000 });
      outcomes.add(refusal.split(' ')[0] ?? '');
      expect(refusal).toMatch(/^(E_DATA_\w+ damaged\d+\.h5ad: |no refusal$)/);
    }
    expect(outcomes).toContain('E_DATA_FORMAT');
    const cut = fileOf(whole.subarray(0, whole.length / 2), 'cut.h5ad');
    expect(await refusalOfFile(cut)).toMatch(/^E_DATA_FORMAT cut\.h5ad: .*HDF5 data are damaged/);
    writeFileSync(cut, Buffer.concat([Buffer.from('894844460d0a1a0a', 'hex'), Buffer.alloc(4096, 0xa5)]));
    expect(await refusalOfFile(cut)).toMatch(/^E_DATA_FORMAT cut\.h5ad: /);
  });
});

describe('a 10x matrix in HDF5', () => {
  const csc = (root: Root, group: string, indptr: readonly number[]): void => {
    root.create_group(group);
    root.create_dataset({ name: `${group}/barcodes`, data: ['AAAC-1', 'AAAG-1', 'AAAT-1'], dtype: 'S6' });
    root.create_dataset({ name: `${group}/data`, data: Int32Array.from([4, 5, 6]) });
    root.create_dataset({ name: `${group}/indices`, data: BigInt64Array.from([1n, 0n, 1n]) });
    root.create_dataset({ name: `${group}/indptr`, data: BigInt64Array.from(indptr.map(BigInt)) });
    root.create_dataset({ name: `${group}/shape`, data: Int32Array.from([2, 3]) });
  };
  const version3 = (indptr: readonly number[]) => (root: Root) => {
    csc(root, 'matrix', indptr);
    root.create_group('matrix/features');
    root.create_dataset({ name: 'matrix/features/id', data: ['ENSG1', 'ENSG2'] });
    root.create_dataset({ name: 'matrix/features/name', data: ['A', 'B'] });
    root.create_dataset({
      name: 'matrix/features/feature_type',
      data: ['Gene Expression', 'Antibody Capture'],
    });
  };
  const version2 = (group: string) => (root: Root) => {
    csc(root, group, [0, 1, 2, 3]);
    root.create_dataset({ name: `${group}/genes`, data: ['ENSG1', 'ENSG2'] });
    root.create_dataset({ name: `${group}/gene_names`, data: ['A', 'B'] });
  };
  const values = [
    [0, 4],
    [5, 0],
    [0, 6],
  ];

  it('of version 3, with 64-bit indices and texts of fixed length', async () => {
    const all = await collect(await hdf5File(version3([0, 1, 2, 3])));
    expect([all.rowNames, all.columnNames, all.values]).toEqual([
      ['AAAC-1', 'AAAG-1', 'AAAT-1'],
      ['ENSG1', 'ENSG2'],
      values,
    ]);
    expect(all.header?.columnTable.get('symbol')).toEqual(['A', 'B']);
    expect(all.header?.notes).toEqual(['features of 2 types: Gene Expression, Antibody Capture']);
  });

  it('of version 2, one genome or a named one of several', async () => {
    expect((await collect(await hdf5File(version2('GRCh38')))).values).toEqual(values);
    const two = await hdf5File((root) => (version2('GRCh38')(root), version2('mm10')(root)));
    expect(await refusalOfFile(two)).toMatch(/E_ARGUMENT .*holds GRCh38, mm10/);
    expect((await collect(two, { layer: 'mm10' })).values).toEqual(values);
  });

  it('needs one pointer more than barcodes', async () => {
    expect(await refusalOfFile(await hdf5File(version3([0, 2, 3])))).toMatch(
      /indptr has 3 entries for 3 rows/,
    );
  });

  it('of another kind is refused by name', async () => {
    const file = await hdf5File((root) => void root.create_group('something'));
    expect(await refusalOfFile(file)).toMatch(/HDF5, but neither AnnData nor a 10x matrix/);
  });
});
