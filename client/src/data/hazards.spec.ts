import { describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { labelsOf } from '@regulon/shared/genomics';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { importFile, inspectFile, loadDataset } from './index.js';
import { fileOf } from './source-files.support.js';

const folder = temporaryFolder('hazards');
let stores = 0;
const GENES = Array.from({ length: 8 }, (_, g) => `ENSG0000000000${g}`);
const table = (value: (gene: number, unit: number) => number | string, units = 6): string => {
  const header = ['gene', ...Array.from({ length: units }, (_, u) => `P${u + 1}`)].join('\t');
  const rows = GENES.map((gene, g) =>
    [gene, ...Array.from({ length: units }, (_, u) => value(g, u))].join('\t'),
  );
  return `${header}\n${rows.join('\n')}\n`;
};
const spread = (g: number, u: number): number => 3 + ((7 * g + 5 * u) % 11) / 10;
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no refusal',
    (error: Error & { code?: string }) => `${error.code} ${error.message.replace(/matrix\d+\.tsv/g, 'FILE')}`,
  );

describe('what an inspection warns of before any plan', () => {
  it('a gene that hardly varies, though its variance as computed is not zero', async () => {
    // 0.1 + 0.2 differs from 0.3 in its last bit
    const { constantGenes, silentGenes } = await inspectFile(
      fileOf(table((g, u) => (g === 2 ? (u % 2 === 0 ? 0.1 + 0.2 : 0.3) : g === 3 ? 0 : spread(g, u)))),
    );
    expect({ constantGenes, silentGenes }).toEqual({ constantGenes: 1, silentGenes: 1 });
  });

  it.each([
    ['genes in rows', (text: string) => text],
    ['units in rows', turned],
  ])('a unit that repeats another one under its own name, %s', async (_, lay) => {
    const { repeatedUnits } = await inspectFile(fileOf(lay(table((g, u) => spread(g, u === 4 ? 1 : u)))));
    expect(repeatedUnits).toBe(1);
  });

  it('a detection floor, and a unit without any value but zero', async () => {
    const { atFloor, cells, silentUnits } = await inspectFile(
      fileOf(table((g, u) => (u === 5 ? 0 : g < 3 ? -6.644 : spread(g, u)))),
    );
    expect([atFloor, cells, silentUnits]).toEqual([15, 48, 1]);
  });

  it('identifiers of several kinds', async () => {
    const mixed = table(spread)
      .replace(GENES[0] ?? '', 'ESR1')
      .replace(GENES[1] ?? '', 'Entrezid:2099');
    expect((await inspectFile(fileOf(mixed))).identifiers).toEqual({
      ...{ 'Ensembl gene': 6, symbol: 1, 'Entrez number': 1 },
    });
  });
});

describe('bad values', () => {
  const NUMBERS = table((g, u) => 10 * g + u);
  it.each([
    [
      'a negative count',
      NUMBERS.replace('\t35\n', '\t-71234\n'),
      'counts',
      /declared counts, but 1 values are negative/,
    ],
    [
      'a fractional count',
      NUMBERS.replace('\t35\n', '\t71234.5\n'),
      'counts',
      /0 values are negative and 1 fractional/,
    ],
    [
      'counts declared as log-ratios',
      NUMBERS.replace('\t35\n', '\t71234\n'),
      'log-ratio',
      /declared log-ratio, but the numbers look like counts/,
    ],
    ['a word', NUMBERS.replace('\t35\n', '\t71234x\n'), 'counts', /FILE: line 5, column 7: not a number/],
    [
      'infinity',
      NUMBERS.replace('\t35\n', '\t1e71234\n'),
      'counts',
      /E_DATA_NOT_FINITE FILE: line 5, column 7/,
    ],
    [
      'a decimal comma',
      NUMBERS.replace('\t35\n', '\t71234,5\n'),
      'counts',
      /line 5, column 7: decimal comma/,
    ],
  ] as const)(
    '%s is refused by file, place and rule, never with the value',
    async (_, text, scale, message) => {
      const said = await refusal(importFile(fileOf(text), { name: `h-${stores++}`, folder, scale }));
      expect(said).toMatch(message);
      expect(said).not.toContain('71234');
    },
  );

  it('a class that the plan does not know stops, named by unit', async () => {
    const labels = fileOf('unit\tclass\nP1\ta\nP2\tb\n');
    const file = fileOf('gene\tP1\tP2\nENSG00000000003\t5\t1\n');
    const dataset = await loadDataset({ counts: file, labels, kind: 'expression', scale: 'counts' });
    const classes = [
      { name: 'a', rule: 'class == "a"' },
      { name: 'c', rule: 'class == "c"' },
    ];
    const said = await refusal(Promise.resolve().then(() => labelsOf(dataset, classes)));
    expect(said).toMatch(/^E_LABEL .*unit 2/);
    expect(said).not.toMatch(/P2|"b"/);
  });

  it('gzip inside gzip is no table, and a bomb ends early', async () => {
    const inner = gzipSync(table(spread));
    expect(await refusal(inspectFile(fileOf(gzipSync(inner))))).toMatch(/^E_DATA_FORMAT/);
    const bomb = gzipSync(Buffer.alloc(2 ** 26, '1\t'));
    expect(bomb.length).toBeLessThan(2 ** 17);
    expect(await refusal(inspectFile(fileOf(bomb)))).toMatch(/^E_DATA_FORMAT/);
  });
});

function turned(text: string): string {
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  return `${(rows[0] ?? []).map((_, c) => rows.map((row) => row[c] ?? '').join('\t')).join('\n')}\n`;
}
