import { describe, expect, it } from '@jest/globals';
import { loadDataset, viewOf } from './index.js';
import { counts, fileOf, PLAIN, refusalOf } from './source-files.support.js';

describe('a label table', () => {
  const load = async (labels: string) => loadDataset(counts(PLAIN, { labels: fileOf(labels) }));

  it('is joined by id, never by position, and surplus units are noted', async () => {
    const dataset = await load('\tstage\tarm\nP9\t1\tx\nP2\t2\tNA\nP1\t3.5\ty\n');
    expect(dataset.columns.get('stage')).toEqual([3.5, 2]);
    expect(dataset.columns.get('arm')).toEqual(['y', null]);
    expect(dataset.notes).toEqual(['1 units of the label table have no data']);
  });

  it('is refused when it misses units, repeats one, or repeats a column', async () => {
    const refused = async (labels: string): Promise<string> =>
      refusalOf(counts(PLAIN, { labels: fileOf(labels) }));
    expect(await refused('id\tx\nP1\t1\n')).toBe(
      'E_LABEL_MISSING FILE: 1 of 2 units of FILE are missing (column 3)',
    );
    expect(await refused('id\tx\nP1\t1\nP1\t2\nP2\t1\n')).toContain(
      'line 3, column 1: the same unit as line 2',
    );
    expect(await refused('id\tx\tx\nP1\t1\t1\n')).toContain('column 3: two columns are named x');
    expect(await refused('id\tage\nP1\t1,5\nP2\t2\n')).toContain('line 2, column age: decimal comma');
  });

  it('gives classes by the rules of the plan; an unknown class stops', async () => {
    const dataset = await load('\tsubtype\nP1\tLumA\nP2\tHer2\n');
    const classes = [
      { name: 'A', rule: "subtype == 'LumA'" },
      { name: 'B', rule: "subtype == 'LumB'" },
    ];
    expect(() => viewOf(dataset, classes)).toThrow('unit 2 matches no class');
    const view = viewOf(dataset, [
      classes[0] ?? { name: '', rule: '' },
      { name: 'H', rule: "subtype == 'Her2'" },
    ]);
    expect([...(view.labels ?? [])]).toEqual([0, 1]);
  });
});
