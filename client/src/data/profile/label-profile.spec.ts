import { describe, expect, it } from '@jest/globals';
import { inspectTable } from '../index.js';
import { fileOf } from '../source-files.support.js';
import { associationsOf } from './associations.js';
import { kindsOf } from './identifier-kinds.js';

const repeat = <T>(...parts: readonly (readonly [T, number])[]): T[] =>
  parts.flatMap(([value, count]) => new Array<T>(count).fill(value));

describe('labels against batches', () => {
  it('are found among more units than a function takes arguments', () => {
    const cells = Array.from({ length: 150_000 }, (_, i) => i % 2);
    const [found] = associationsOf(
      new Map([
        ['class', cells],
        ['batch', cells],
      ]),
    );
    expect(found).toMatchObject({ label: 'class', batch: 'batch', units: 150_000, level: 'alarm' });
  });

  // the plates of a published series: plate 1 18 good, plate 2 13 good and 6 bad, plate 3 2 good and 14 bad
  const responder = repeat(['good', 18], ['good', 13], ['bad', 6], ['good', 2], ['bad', 14]);
  const plate = repeat([1, 18], [2, 19], [3, 16]);

  it('alarm with the published figures', () => {
    const [found, ...others] = associationsOf(
      new Map<string, (string | number)[]>([
        ['responder', responder],
        ['plate', plate],
      ]),
    );
    expect(others).toEqual([]);
    expect(found).toMatchObject({ level: 'alarm', label: 'responder', batch: 'plate', units: 53, absent: 1 });
    expect(found?.cramersV).toBeCloseTo(0.728, 3);
    expect(found?.correctedV).toBeCloseTo(0.708, 3);
    expect(found?.batchRule).toBeCloseTo(0.849, 3);
    expect(found?.majority).toBeCloseTo(0.623, 3);
  });

  it('are quiet where every batch holds the same share, and where no name tells a batch', () => {
    const balanced = repeat<string | number>(['a', 9], ['b', 9]);
    const lab = Array.from({ length: 18 }, (_, i) => `L${i % 3}`);
    expect(
      associationsOf(
        new Map([
          ['donor', balanced],
          ['lab', lab],
        ]),
      ),
    ).toEqual([]);
    expect(
      associationsOf(
        new Map<string, (string | number)[]>([
          ['responder', responder],
          ['arm', plate],
        ]),
      ),
    ).toEqual([]);
  });

  it('are not judged on a handful of units, and a missing label counts for nothing', () => {
    expect(
      associationsOf(
        new Map([
          ['y', ['a', 'b', 'a']],
          ['batch', ['1', '2', '1']],
        ]),
      ),
    ).toEqual([]);
    const gaps = responder.map((word, i) => (i % 4 === 0 ? null : word));
    expect(
      associationsOf(
        new Map<string, (string | number | null)[]>([
          ['y', gaps],
          ['plate', plate],
        ]),
      )[0],
    ).toMatchObject({
      ...{ level: 'alarm', units: gaps.filter((cell) => cell !== null).length },
    });
  });
});

describe('kinds of identifiers', () => {
  it('symbols that could be UniProt numbers or locus tags are symbols among symbols', () => {
    const symbols = ['C1ORF9', 'C9ORF6', 'ESR1', 'FOXA1', 'GATA3'];
    expect([...kindsOf(symbols)]).toEqual([['symbol', 5]]);
    expect([...kindsOf(['P04637', 'Q9Y6K9', 'P38398', 'ESR1'])]).toEqual([
      ['UniProt', 3],
      ['symbol', 1],
    ]);
    expect([...kindsOf(['PA0001', 'PA0002', 'PA0003'])]).toEqual([['locus tag', 3]]);
  });

  it('a metabolite may have its common name behind its number', () => {
    const names = ['HMDB0001844|2-Methylsuccinic acid', 'HMDB0000357|3-Hydroxybutyric acid', 'HMDB0000208'];
    expect([...kindsOf(names)]).toEqual([['HMDB metabolite', 3]]);
  });
});

describe('a table of labels', () => {
  const LABELS =
    'unit,subtype,arm,dob,stage\nP1,LumA,x,1950-02-01,1\nP2,LumA,y,1961-12-24,2\nP3,Basal,x,1948-07-30,NA\nP4,Basal,y,1977-01-02,2\n';

  it('is told from a matrix, with its vocabulary and the columns that identify persons', async () => {
    const found = await inspectTable(fileOf(LABELS));
    expect(found).toMatchObject({ kind: 'labels', units: 4, repeatedUnits: 0 });
    if (found.kind !== 'labels') throw new Error('no table of labels');
    expect(found.vocabularies.map(({ column }) => column)).toEqual(['subtype', 'arm', 'dob', 'stage']);
    expect(found.vocabularies[0]?.frequent).toEqual([
      ['Basal', 2],
      ['LumA', 2],
    ]);
    expect(found.vocabularies[3]).toMatchObject({ distinct: 2, missing: 1 });
    expect(found.identifying).toEqual([{ column: 'dob', rule: expect.stringMatching(/name of the column/) }]);
  });

  it.each([
    [
      'codes of which one is no number',
      'unit\tcode\tname\tland\nU1\t5\ta\tx\nU2\t6\tb\ty\nU3\tA7\tc\tx\n',
      'labels',
    ],
    ['words only', 'unit\tclass\nP1\ta\nP2\tb\n', 'labels'],
    [
      'numbers under named units',
      'unit\tage\tstage\nTCGA-01\t5\t1\nTCGA-02\t6\t2\nTCGA-03\t6\t2\n',
      'labels',
    ],
    [
      'numbered rows whose units a later column names',
      '\tname\tage\tstage\n0\tTCGA-01\t5\t1\n1\tTCGA-02\t6\t2\n0\tTCGA-03\t6\t2\n1\tTCGA-04\t6\t2\n',
      'labels',
    ],
    [
      'a matrix with gene names',
      'gene\tP1\tP2\nENSG00000000003\t5\t0\nENSG00000000005\t7\t9\nENSG00000000419\t1\t1\n',
      'matrix',
    ],
    [
      'a matrix with descriptions',
      'gene\tkind\tplace\tP1\tP2\nG1\ta\tx\t5\t0\nG2\tb\ty\t7\t9\nG3\tb\ty\t7\t9\n',
      'matrix',
    ],
  ])('%s', async (_, text, kind) => {
    expect((await inspectTable(fileOf(text))).kind).toBe(kind);
  });

  it('may be named by another column than the first', async () => {
    const text = '\tname\tarm\tstage\n0\tP1\tx\ta\n1\tP2\ty\tb\n2\tP2\ty\tb\n';
    const found = await inspectTable(fileOf(text), { idColumn: 'name' });
    expect(found).toMatchObject({ kind: 'labels', units: 3, repeatedUnits: 1 });
    expect(found.vocabularies.map(({ column }) => column)).toEqual(['first column', 'arm', 'stage']);
    await expect(inspectTable(fileOf(text), { idColumn: 'nom' })).rejects.toMatchObject({
      ...{ code: 'E_ARGUMENT', message: expect.stringContaining('no column nom') },
    });
  });

  it('is a matrix when a person says so', async () => {
    expect((await inspectTable(fileOf(LABELS), { orientation: 'units-by-genes' })).kind).toBe('matrix');
  });
});

describe('a table that is no matrix of units', () => {
  it.each([
    [
      ',logFC,AveExpr,t,P.Value,adj.P.Val,B\nTP53,1.5,2,3,.1,.2,-4\nEGFR,1,2,-3,.3,.4,-5\n',
      /logFC, AveExpr, t, P.Value are stat/,
    ],
    [',baseMean,log2FoldChange,padj\nTP53,10,1.5,.2\nEGFR,11,2.5,.4\n', /a table of results/],
    ['"","V1"\n"1",.9\n"2",1.1\n"3",1\n', /one column of numbers/],
  ])('is said to be none: %j', async (text, note) => {
    expect(await inspectTable(fileOf(text))).toMatchObject({ notes: [expect.stringMatching(note)] });
  });

  it('units may be called as a statistic is', async () => {
    expect(await inspectTable(fileOf('gene,B,T1,T2\nTP53,1.5,2,3\nEGFR,1,2,3\n'))).toMatchObject({
      notes: [],
    });
  });
});
