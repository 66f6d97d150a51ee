import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { importFile, inspectFile, listStores, loadDataset, verifyStore } from './index.js';
import { fileOf } from './source-files.support.js';

const folder = temporaryFolder('stores');
let stores = 0;
const name = (): string => `store-${stores++}`;

const GENES = ['ENSG00000000003', 'ENSG00000000005', 'ENSG00000000419'];
const MATRIX = `gene\tP1\tP2\n${GENES[0]}\t5\t0\n${GENES[1]}\t70000\t9\n${GENES[2]}\t1\t300\n`;
const TURNED = `unit\t${GENES.join('\t')}\nP1\t5\t70000\t1\nP2\t0\t9\t300\n`;
const LABELS = 'unit\tsubtype\tage\nP2\tLumA\t50\nP1\tBasal\tNA\nP9\tLumA\t1\n';
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no refusal',
    (error: Error) => error.message,
  );

describe('an imported dataset', () => {
  it.each([
    ['genes in rows', MATRIX],
    ['units in rows', TURNED],
  ])('is what the file held, with %s, for the daemon too', async (_, text) => {
    const file = fileOf(text);
    const labels = fileOf(LABELS);
    const { folder: at, manifest } = await importFile(file, {
      ...{ name: name(), folder, labels, keepColumns: ['subtype'] },
    });
    expect(manifest).toMatchObject({ genes: 3, units: 2, scale: 'counts', missing: 0 });
    const source = { kind: 'expression', scale: 'counts' } as const;
    const stored = await loadDataset({ ...source, counts: at });
    const direct = await loadDataset({ ...source, counts: file, labels });
    expect([stored.unitIds, stored.genes, [...stored.values]]).toEqual([
      direct.unitIds,
      direct.genes,
      [...direct.values],
    ]);
    expect(Buffer.from(stored.panelDigest).toString('hex')).toBe(manifest.panel);
    expect(stored.columns).toEqual(new Map([['subtype', ['Basal', 'LumA']]]));
    expect(verifyStore(at)).toMatchObject({ genes: 3, units: 2, blocks: 1 });
  });

  it('keeps gaps and fractions exactly', async () => {
    const file = fileOf('gene\tS1\tS2\tS3\nYAL001C\t0.1\tNA\t-3e-7\nYAL002W\t\t2.5\t0\n');
    const { folder: at, manifest } = await importFile(file, { name: name(), folder });
    expect(manifest).toMatchObject({ scale: 'log-ratio', missing: 2 });
    const { values } = await loadDataset({ counts: at, kind: 'expression', scale: 'log-ratio' });
    expect([...values]).toEqual([0.1, NaN, NaN, 2.5, -3e-7, 0]);
    expect(await refusal(loadDataset({ counts: at, kind: 'expression', scale: 'counts' }))).toContain(
      'declared counts, imported as log-ratio',
    );
  });

  it('is listed by its name, and is not replaced unasked', async () => {
    const own = temporaryFolder('listed');
    const file = fileOf(MATRIX);
    await importFile(file, { name: 'b', folder: own });
    await importFile(file, { name: 'a', folder: own });
    expect(listStores(own).map((store) => store.name)).toEqual(['a', 'b']);
    expect(await refusal(importFile(file, { name: 'a', folder: own }))).toContain('exists already');
    await importFile(fileOf(TURNED), { name: 'a', folder: own, replace: true });
    expect(readdirSync(own).sort()).toEqual(['a', 'b']);
    expect(listStores(join(own, 'none'))).toEqual([]);
  });

  it.each(['values.bin', 'genes.json', 'units.json', 'manifest.json'])(
    'is refused when %s was changed',
    async (file) => {
      const { folder: at } = await importFile(fileOf(MATRIX), { name: name(), folder });
      const bytes = readFileSync(join(at, file));
      bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
      writeFileSync(join(at, file), bytes);
      expect(() => verifyStore(at)).toThrow(expect.objectContaining({ code: 'E_DATA_FORMAT' }));
      expect(() => verifyStore(at)).toThrow(file);
    },
  );
});

describe('an import that fails', () => {
  it.each([
    ['two genes of one name', `${MATRIX}${GENES[0]}\t1\t1\n`, {}, /line 2, line 5 have the same name/],
    ['two units of one name', MATRIX.replace('P2', 'P1'), {}, /column 2, column 3 have the same name/],
    ['a gene that is a date', MATRIX.replace(GENES[1] ?? '', '2-Sep'), {}, /gene 2: .*date by a spreadsheet/],
    ['a row of the counting tool', `${MATRIX}N_unmapped\t9\t9\n`, {}, /gene 4: a summary row/],
    [
      'fractional counts',
      MATRIX.replace('300', '0.5'),
      { scale: 'counts' },
      /declared counts, but 0 .* and 1 fractional/,
    ],
    ['negative counts', MATRIX.replace('300', '-4'), { scale: 'counts' }, /but 1 values are negative/],
    [
      'counts declared as logarithms',
      MATRIX,
      { scale: 'log' },
      /declared log, but the numbers look like counts/,
    ],
    ['no word about what the rows are', 'x\t1a\t2a\n3a\t1\t2\n4a\t2\t1\n', {}, /names do not tell/],
    ['an annotation that is not there', MATRIX, { keepColumns: ['age'] }, /no annotation age/],
    [
      'an infinite value in its last row',
      MATRIX.replace('300', 'inf'),
      {},
      /line 4, column 3: NaN or infinite/,
    ],
  ] as const)('for %s leaves nothing behind', async (_, text, options, message) => {
    const own = temporaryFolder('failed');
    expect(await refusal(importFile(fileOf(text), { name: 'x', folder: own, ...options }))).toMatch(message);
    expect(readdirSync(own)).toEqual([]);
    expect(existsSync(join(own, 'x'))).toBe(false);
  });
});

describe('the inspection of a file', () => {
  it('tells orientation, scale, identifiers, duplicates and labels', async () => {
    const found = await inspectFile(fileOf(`${MATRIX}${GENES[0]}\t0\t0\n`), { labels: fileOf(LABELS) });
    expect(found).toMatchObject({
      ...{ orientation: 'genes-by-units', because: 'labels', genes: 4, units: 2, scale: 'counts' },
      ...{ identifiers: { 'Ensembl gene': 4 }, duplicateGenes: { count: 1, places: ['line 2 and line 5'] } },
      ...{ silentGenes: 1, unlabelled: 0, surplusLabels: 1, missing: 0, zeros: 3 },
    });
    expect(found.vocabularies.find(({ column }) => column === 'subtype')).toEqual({
      ...{ column: 'subtype', of: 'label table', distinct: 2, missing: 0 },
      frequent: [
        ['LumA', 2],
        ['Basal', 1],
      ],
    });
    expect(found.histograms.values?.counts.reduce((a, b) => a + b)).toBe(5);
  });

  const perMillion = (a: number): string =>
    `g\tS1\tS2\n${GENES[0]}\t${a}\t500000\n${GENES[1]}\t${1e6 - a}\t500000\n`;
  it.each([
    ['counts', MATRIX],
    ['cpm', `g\tS1\n${[3, 1, 996].map((n, i) => `${GENES[i]}\t${(n * 1e6) / 1000.5}`).join('\n')}\n`],
    ['tpm', perMillion(333_333.7)],
    ['log', MATRIX.replace('70000', '11.5').replace('300', '8.2')],
    ['log-ratio', MATRIX.replace('70000', '-1.5').replace('300', '3')],
    ['linear', MATRIX.replace('300', '300.5')],
    ['signed-intensities', MATRIX.replace('300', '-300')],
  ])('takes numbers for %s', async (scale, text) => {
    expect((await inspectFile(fileOf(text))).scale).toBe(scale);
  });
});
