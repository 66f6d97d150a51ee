import { describe, expect, it } from '@jest/globals';
import { loadDataset } from './index.js';
import { counts, fileOf, PLAIN, refusalOf } from './source-files.support.js';

/** Long enough that work with the square of the length does not end within the time of a test. */
const LONG = 400_000;
const digits = '1'.repeat(LONG);

describe('a line that is longer than any hospital writes is read or refused in one pass', () => {
  it('with a cell of digits that is no number', async () => {
    const refusal = await refusalOf(counts(PLAIN.replace('5', `${digits}x`)));
    expect(refusal).toBe('E_DATA_FORMAT FILE: line 2, column 2: not a number');
  });

  it('with a cell of digits that is too large a number', async () => {
    expect(await refusalOf(counts(PLAIN.replace('5', digits)))).toContain('E_DATA_NOT_FINITE');
  });

  it('with a time step whose name is digits without end', async () => {
    const source = {
      counts: fileOf(`ORF\t${digits}x\nY1\t1\n`),
      kind: 'series',
      scale: 'log-ratio',
    } as const;
    expect(await refusalOf(source)).toContain('the name holds no time');
  });

  it('with a label table of very many columns', async () => {
    const names = Array.from({ length: LONG }, (_, i) => `c${i}`).join('\t');
    const row = '1\t'.repeat(LONG).trimEnd();
    const labels = fileOf(`id\t${names}\nP1\t${row}\nP2\t${row}\n`);
    expect((await loadDataset(counts(PLAIN, { labels }))).columns.size).toBe(LONG);
  });
});
