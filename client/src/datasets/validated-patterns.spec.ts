import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { contractOf } from '@regulon/shared/program';
import { testFederation, testPlan } from '../policy/site.support.js';
import { DatasetStore } from './dataset-store.js';

const folder = mkdtempSync(join(tmpdir(), 'regulon-patterns-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('few patients whom two heads tell apart', () => {
  it('are refused where a validation round sums them alone', async () => {
    const paths = { counts: join(folder, 'heads.tsv'), labels: join(folder, 'heads-design.tsv') };
    const units = Array.from({ length: 100 }, (_, i) => `P${String(i).padStart(3, '0')}`);
    writeFileSync(
      paths.counts,
      `gene\t${units.join('\t')}\n${['ESR1', 'GATA3'].map((gene) => `${gene}\t${units.map((_, i) => i + 1).join('\t')}\n`).join('')}`,
    );
    // fold of unit i = i mod 5; without an index are 3 units of fold 1, which validates, and 6 of fold 2
    const lacks = (i: number): boolean => (i % 5 === 1 && i < 15) || (i % 5 === 2 && i < 30);
    const row = (unit: string, i: number): string => `${unit}\t${i < 50 ? 1 : 0}\t${lacks(i) ? '' : i}\n`;
    writeFileSync(paths.labels, `unit\tx\tindex\n${units.map(row).join('')}`);
    const store = await DatasetStore.load({
      ...paths,
      ...{ name: 'd', kind: 'expression', scale: 'counts', unit: 'patient', public: false, simulated: false },
    });
    const dense = { layers: [{ type: 'dense', units: 'outputs' }], from: 'features' };
    const classes = ['x', 'not x'].map((rule) => ({ name: rule, rule }));
    const prepare = (evaluation: object): number => {
      const plan = testPlan({
        ...{ task: 'heads', label: undefined, evaluation },
        targets: [
          { head: 'type', kind: 'classes', classes },
          { head: 'index', kind: 'numbers', columns: ['index'] },
        ],
        model: {
          blocks: ['type', 'index'].map((name) => ({ name, ...dense })),
          heads: [
            { block: 'type', outputs: 2, loss: { type: 'cross-entropy' } },
            { block: 'index', loss: { type: 'squared-error' } },
          ],
        },
      });
      const { panel } = store.describe();
      const { roster } = testFederation();
      return store.prepare(
        contractOf({ runId: new Uint8Array(16), roster, isPublic: false, panel, plan }),
        1,
      );
    };
    expect(prepare({ split: 'holdout' })).toBe(80);
    expect(() => prepare({ split: 'holdout', every: 1 })).toThrow(
      expect.objectContaining({
        code: 'E_UNITS',
        message: expect.stringMatching(/share what heads/) as unknown,
      }),
    );
  });
});
