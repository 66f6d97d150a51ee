import { describe, expect, it } from '@jest/globals';
import { fileOf } from '../source-files.support.js';
import { refusalOfFile } from '../stream/collected.support.js';
import { readBed, readFasta, summariseRecords } from './sequences.js';

async function all<T>(records: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const record of records) found.push(record);
  return found;
}

describe('FASTA', () => {
  it('joins lines, drops case and descriptions, keeps ambiguity', async () => {
    const file = fileOf('>seq1 human\r\nACgt\r\nNN\r\n\r\n>seq2\r\nRYK-\r\n', 'a.fa');
    expect(await all(readFasta(file))).toEqual([
      { name: 'seq1', bases: 'ACGTNN', line: 1 },
      { name: 'seq2', bases: 'RYK-', line: 5 },
    ]);
    expect(await summariseRecords(file)).toMatchObject({
      records: 2,
      shortest: 4,
      longest: 6,
      total: 10,
      ambiguous: 6,
    });
    expect(await refusalOfFile(file)).toMatch(/sequences or intervals, no matrix/);
  });

  it.each([
    ['bases first', 'ACGT\n', /line 1: bases before the first name/],
    ['a letter that is no base', '>a\nACGT\nAC1\n', /line 3: a letter that is no base/],
    ['an empty sequence', '>a\n>b\nA\n', /line 1: the sequence is empty/],
    ['no name', '> \nA\n', /line 1: the sequence has no name/],
    ['nothing', '\n', /holds no sequence/],
  ])('with %s is refused', async (_, text, message) => {
    await expect(all(readFasta(fileOf(text)))).rejects.toThrow(message);
  });
});

describe('BED', () => {
  it('counts from 0, with or without name and strand', async () => {
    const file = fileOf('track name=x\nchr1\t0\t10\ta\t0\t-\nchr2\t5\t5\ta\t0\t.\n', 'a.bed');
    expect(await all(readBed(file))).toEqual([
      { chromosome: 'chr1', start: 0, end: 10, name: 'a', strand: '-', line: 2 },
      { chromosome: 'chr2', start: 5, end: 5, name: 'a', strand: null, line: 3 },
    ]);
    expect(await summariseRecords(file)).toMatchObject({
      format: 'BED',
      records: 2,
      duplicateNames: 1,
      ambiguous: 1,
    });
  });

  it.each([
    ['an end before its start', 'chr1\t10\t9\n', /line 1, column 3: the end lies before the start/],
    ['a negative position', 'chr1\t-1\t9\n', /line 1, column 2: no position/],
    ['cells that differ in number', 'chr1\t1\t9\nchr1\t1\n', /line 2: 2 cells instead of 3/],
    ['a strand of its own', 'chr1\t1\t9\ta\t0\tx\n', /line 1, column 6: no strand/],
    ['nothing', '#\n', /holds no interval/],
  ])('with %s is refused', async (_, text, message) => {
    await expect(all(readBed(fileOf(text)))).rejects.toThrow(message);
  });
});
