import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { folder } from '../source-files.support.js';
import { collect, refusalOfFile } from '../stream/collected.support.js';

let folders = 0;
const BANNER = '%%MatrixMarket matrix coordinate integer general\n%metadata_json: {"software": "x"}\n';
const FEATURES = 'ENSG1\tA\tGene Expression\nENSG2\tB\tGene Expression\n';
const BARCODES = 'AAAC-1\nAAAG-1\nAAAT-1\n';

function tenx(matrix: string, more: Record<string, string | Buffer> = {}): string {
  const path = join(folder, `tenx${folders++}`);
  mkdirSync(path);
  const files = { 'matrix.mtx': matrix, 'features.tsv': FEATURES, 'barcodes.tsv': BARCODES, ...more };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

describe('a 10x matrix as text', () => {
  it.each([
    ['sorted by barcode', `${BANNER}2 3 3\n2 1 4\n1 2 5\n2 3 6\n`, 'units'],
    ['sorted by barcode, two a barcode', `${BANNER}2 3 4\n1 1 0\n2 1 4\n1 2 5\n2 3 6\n`, 'units'],
    ['sorted by feature', `${BANNER}2 3 4\n1 1 0\n1 2 5\n2 1 4\n2 3 6\n`, 'genes'],
  ])('%s', async (_, matrix, rows) => {
    const all = await collect(tenx(matrix));
    expect(all.header?.rows).toBe(rows);
    const byUnit = [
      [0, 4],
      [5, 0],
      [0, 6],
    ];
    const byGene = [0, 1].map((g) => byUnit.map((row) => row[g]));
    expect(all.values).toEqual(rows === 'units' ? byUnit : byGene);
  });

  it('packed, with `genes.tsv`, named by its matrix file, with a last barcode of zeros', async () => {
    const path = tenx('', {
      'matrix.mtx.gz': gzipSync(`${BANNER}2 3 1\n2 1 4\n`),
      'features.tsv': 'ENSG1\tA\nENSG2\tB\n',
    });
    const all = await collect(join(path, 'matrix.mtx.gz'));
    expect([all.shape, all.values[0], all.values[2]]).toEqual([
      [3, 2],
      [0, 4],
      [0, 0],
    ]);
  });

  it.each([
    ['sizes of other names', `${BANNER}2 4 1\n1 1 1\n`, /line 3: not the sizes of 2 features and 3 barcodes/],
    ['an index from 0', `${BANNER}2 3 1\n0 1 1\n`, /line 4: not feature, barcode and value, counted from 1/],
    ['an index beyond', `${BANNER}2 3 1\n3 1 1\n`, /line 4: not feature/],
    ['entries too few', `${BANNER}2 3 2\n1 1 1\n`, /1 of 2 entries/],
    [
      'entries in no order',
      `${BANNER}2 3 3\n2 2 1\n1 3 1\n2 1 1\n`,
      /line 6: the entries are sorted neither/,
    ],
    [
      'a pattern matrix',
      '%%MatrixMarket matrix coordinate pattern general\n2 3 0\n',
      /line 1: no Matrix Market file/,
    ],
    ['a word', `${BANNER}2 3 1\n1 1 x\n`, /line 4: not a number/],
  ])('with %s is refused', async (_, matrix, message) => {
    expect(await refusalOfFile(tenx(matrix))).toMatch(message);
  });

  it('without its names is refused with advice; so is a folder of no known kind', async () => {
    const path = join(folder, `tenx${folders++}`);
    mkdirSync(path);
    expect(await refusalOfFile(path)).toMatch(/a folder of no known kind/);
    writeFileSync(join(path, 'matrix.mtx'), `${BANNER}1 1 0\n`);
    expect(await refusalOfFile(path)).toMatch(/has no features\.tsv\.gz or/);
  });
});
