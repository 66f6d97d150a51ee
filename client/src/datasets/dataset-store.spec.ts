import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hex } from '@regulon/shared/crypto';
import { contractOf } from '@regulon/shared/program';
import { testFederation, testPlan } from '../policy/site.support.js';
import { DatasetStore } from './dataset-store.js';

const folder = mkdtempSync(join(tmpdir(), 'regulon-dataset-'));
afterAll(() => rmSync(folder, { recursive: true }));

const COUNTS = 'gene\tP1\tP2\nESR1\t5\t0\nFOXA1\t7\t9\n';
const LABELS = 'unit\tsubtype\tage\nP1\tBasal\t50\nP2\tLumA\t61\n';

/** Digest of what a site commits to. */
async function contentOf(counts: string, labels: string): Promise<string> {
  const paths = { counts: join(folder, 'counts.tsv'), labels: join(folder, 'design.tsv') };
  writeFileSync(paths.counts, counts);
  writeFileSync(paths.labels, labels);
  const store = await DatasetStore.load({
    ...paths,
    ...{ name: 'd', kind: 'expression', scale: 'counts', unit: 'patient', public: false, simulated: true },
  });
  return hex(store.describe().content);
}

describe('the digest of a dataset', () => {
  it.each([
    ['a value', COUNTS.replace('\t9', '\t8'), LABELS],
    ['a class', COUNTS, LABELS.replace('LumA', 'LumB')],
    ['a covariate', COUNTS, LABELS.replace('61', '62')],
    ['the name of a column', COUNTS, LABELS.replace('age', 'years')],
    ['a missing mark', COUNTS, LABELS.replace('61', 'NA')],
    ['the id of a unit', COUNTS.replace('P2', 'P3'), LABELS.replace('P2', 'P3')],
  ])('changes with %s', async (_, counts, labels) => {
    expect(await contentOf(counts, labels)).not.toBe(await contentOf(COUNTS, LABELS));
  });

  it('of a series changes with the time of a step', async () => {
    const ofSeries = async (text: string): Promise<string> => {
      const counts = join(folder, 'series.tsv');
      writeFileSync(counts, text);
      const store = await DatasetStore.load({
        ...{
          counts,
          name: 'd',
          kind: 'series',
          scale: 'log-ratio',
          unit: 'gene',
          public: false,
          simulated: true,
        },
        columnsPrefix: 'cdc15',
      });
      return hex(store.describe().content);
    };
    const text = 'gene\tcdc15_10\tcdc15_30\nYAL001C\t0.5\t-1\n';
    expect(await ofSeries(text.replace('_30', '_40'))).not.toBe(await ofSeries(text));
    expect(await ofSeries(text)).toBe(await ofSeries(text));
  });

  it('does not depend on the order of the label table', async () => {
    const [header, ...rows] = LABELS.trim().split('\n');
    const swapped = [header, ...rows.reverse()].join('\n');
    expect(await contentOf(COUNTS, swapped)).toBe(await contentOf(COUNTS, LABELS));
  });
});

describe('the classes of a plan', () => {
  it('are read anew for a plan of the same name with other rules', async () => {
    const units = Array.from({ length: 20 }, (_, i) => `P${i}`);
    const paths = { counts: join(folder, 'many.tsv'), labels: join(folder, 'many-design.tsv') };
    writeFileSync(
      paths.counts,
      `gene\t${units.join('\t')}\nESR1\t${units.map((_, i) => i + 1).join('\t')}\n`,
    );
    writeFileSync(paths.labels, `unit\tx\n${units.map((unit, i) => `${unit}\t${i % 2}\n`).join('')}`);
    const store = await DatasetStore.load({
      ...paths,
      ...{ name: 'd', kind: 'expression', scale: 'counts', unit: 'patient', public: false, simulated: true },
    });
    const contractWith = (rule: string) =>
      contractOf({
        ...{ runId: new Uint8Array(16), roster: testFederation().roster, isPublic: true },
        panel: store.describe().panel,
        plan: testPlan({
          label: {
            classes: [
              { name: 'x', rule },
              { name: 'y', rule: `not ${rule}` },
            ],
          },
        }),
      });
    expect(store.prepare(contractWith('x'), 1)).toBeGreaterThan(0);
    expect(() => store.prepare(contractWith('z'), 1)).toThrow(/label|column/);
  });
});
