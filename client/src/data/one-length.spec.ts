import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { loadDataset, viewOf } from './dataset.js';

const folder = temporaryFolder('sequences');

function load(fasta: string, labels?: string) {
  const counts = join(folder, 's.fa');
  writeFileSync(counts, fasta);
  const source = { kind: 'sequences', scale: 'bases', counts } as const;
  if (labels === undefined) return loadDataset(source);
  writeFileSync(join(folder, 'design.tsv'), labels);
  return loadDataset({ ...source, labels: join(folder, 'design.tsv') });
}

describe('sequences of one length', () => {
  it('are a matrix of four columns a base, joined to their labels by name', async () => {
    const dataset = await load('>a\nACG\n>b\nTTN\n', 'id\tbound\nb\t1\na\t0\n');
    expect(dataset.unitIds).toEqual(['a', 'b']);
    expect(dataset.genes).toHaveLength(12);
    const classes = [
      { name: 'free', rule: 'not bound' },
      { name: 'bound', rule: 'bound' },
    ];
    const view = viewOf(dataset, classes);
    expect([...(view.labels ?? [])]).toEqual([0, 1]);
    expect([...view.values.slice(20)]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });

  it('have one panel for one length, whatever the bases', async () => {
    const [one, two] = [await load('>a\nACG\n'), await load('>b\nTTT\n')];
    expect(one.panelDigest).toEqual(two.panelDigest);
    expect((await load('>a\nACGT\n')).panelDigest).not.toEqual(one.panelDigest);
  });

  it.each([
    ['of two lengths', '>a\nACG\n>b\nAC\n', 'E_DATA_FORMAT', /s\.fa: line 3.*2 bases instead of 3/],
    ['with one name twice', '>a\nACG\n>a\nACC\n', 'E_DATA_DUPLICATE', /line 3.*the same name as line 1/],
    ['with a letter that is no base', '>a\nACX\n', 'E_DATA_FORMAT', /line 2/],
  ])('%s are refused with file and line', async (_, fasta, code, message) => {
    await expect(load(fasta)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  const track = 'id\tbase_1\tbase_2\tbase_3\n';
  it('with a label for every base have a column for each, and gaps', async () => {
    const { columns } = await load('>a\nACG\n>b\nTTN\n', `${track}a\t0\t1\t1\nb\t1\t0\t\n`);
    expect([...columns.values()]).toEqual([
      [0, 1],
      [1, 0],
      [1, null],
    ]);
  });

  it.each([
    ['too few labels', 'a\t0\t1\t1\nb\t0\t1\n', 'E_DATA_FORMAT', /design\.tsv: line 3: 3 cells instead of 4/],
    ['an infinite one', 'a\t0\t1\t1\nb\t0\t1\tinf\n', 'E_DATA_NOT_FINITE', /line 3, column base_3/],
    ['none', 'a\t0\t1\t1\n', 'E_LABEL_MISSING', /1 of 2 units of s\.fa are missing \(line 3\)/],
  ])('with %s for the bases of one are refused with file and line', async (_, rows, code, message) => {
    await expect(load('>a\nACG\n>b\nTTN\n', `${track}${rows}`)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('without a label are counted and named by line, not by name', async () => {
    await expect(load('>secret\nACG\n', 'id\tbound\nb\t1\n')).rejects.toMatchObject({
      code: 'E_LABEL_MISSING',
      message: expect.not.stringContaining('secret'),
    });
  });
});
