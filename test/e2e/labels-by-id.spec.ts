import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parsePlan, type Plan } from '@regulon/shared/plan';
import { linesOf } from '../../shared/src/genomics/golden-data.support.js';
import { classesOf, pulledModel } from '../support/pulled-model.js';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';
import { toyPlan } from '../support/toy-plan.js';

const data = process.env['REGULON_DATA'];
const real = compiled && data !== undefined && existsSync(join(data, 'golub')) ? it : it.skip;
const MINUTES = 60_000;
const names = ['a', 'b', 'c', 'd', 'e'];
/** Intensities are written in thousands: a run takes numbers to 64, and z-scores have no unit. */
const UNIT = 1000;

const plan = toyPlan(names, {
  dataset: { name: 'golub', kind: 'expression', scale: 'log-ratio', unit: 'patient' },
  label: { classes: ['ALL', 'AML'].map((name) => ({ name, rule: `cancer == "${name}"` })) },
  prepare: [{ step: 'top-variance', k: 2000 }, { step: 'z-score' }],
  model: { blocks: [{ name: 'leukaemia', layers: [{ type: 'dense', units: 'outputs' }] }] },
  // the L2 of a logistic regression with C = 0.01 over 38 units: 1 / (C·n)
  training: { rounds: 12, localEpochs: 20, optimizer: { name: 'adam', weightDecay: 2.63 } },
  evaluation: { split: 'none' },
  secureAggregation: { weightCap: 16 },
  deadlines: {},
});

/** The plan with BatchNorm in a block that the sites average; nothing here has checked it. */
function averagedBatchNorm(): Plan {
  const parsed = parsePlan(plan);
  const norm = { type: 'batch-norm', momentum: 0.99, epsilon: 1e-3 } as const;
  const blocks = parsed.model.blocks.map((block) => ({ ...block, layers: [norm, ...block.layers] }));
  return { ...parsed, name: 'averaged', model: { ...parsed.model, blocks } };
}

/** A file as it was published: a value and a call for each sample, samples in no order, blanks at line ends. */
function arraysOf(file: string): { samples: string[]; rows: [gene: string, values: string[]][] } {
  const [header = '', ...lines] = linesOf(`golub/${file}.tsv.gz`);
  const at = header.split('\t').flatMap((name, column) => (/^\d+$/.test(name) ? [column] : []));
  const picked = (line: string): string[] => at.map((column) => line.split('\t')[column] ?? '');
  const rows = lines.map((line): [string, string[]] => {
    const values = picked(line).map((value) => String(Number(value) / UNIT));
    return [line.split('\t')[1] ?? '', values];
  });
  return { samples: picked(header), rows: rows.filter(([gene]) => gene !== '') };
}

/** Some samples of a file, in its order. */
function write(folder: string, { samples, rows }: ReturnType<typeof arraysOf>, keep: (i: number) => boolean) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'arrays.tsv');
  const lines = [['gene', samples] as const, ...rows].map(([first, cells]) =>
    [first, ...cells.filter((_, i) => keep(i))].join('\t'),
  );
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

describe('leukaemia arrays whose columns are in no order, through five daemons', () => {
  real(
    'find their labels by id: one error of 34; by position there are many. BatchNorm is refused (needs the compiled programs and the shared data)',
    async () => {
      const root = mkdtempSync(join(tmpdir(), 'regulon-golub-'));
      const labels = join(data ?? '', 'golub', 'actual.csv');
      const train = arraysOf('data_set_ALL_AML_train');
      const test = arraysOf('data_set_ALL_AML_independent');
      expect([train.samples.length, test.samples.length, train.rows.length]).toEqual([38, 34, 7129]);
      const files = names.map((name, site) => {
        const counts = write(join(root, 'data', name), train, (i) => i % names.length === site);
        return { name, counts, labels };
      });
      const { federation } = await openRealFederation(root, plan, { files });
      try {
        await expect(federation.propose(averagedBatchNorm())).rejects.toMatchObject({
          code: 'E_MODEL_SHAPE',
        });
        const document = await runToItsEnd(federation, parsePlan(plan));
        expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
        const pulled = join(root, 'pulled');
        mkdirSync(pulled);
        const model = await pulledModel(federation, document, pulled);
        const counts = write(join(root, 'data', 'independent'), test, () => true);
        const said = await classesOf(model, { where: { counts } }, pulled);
        const truth = new Map(linesOf('golub/actual.csv').map((line) => line.split(',') as [string, string]));
        const errors = test.samples.filter((sample) => said.get(sample) !== truth.get(sample));
        expect(errors.length).toBeLessThanOrEqual(1);
        // the labels of the file from its 39th row on, as if samples were in order
        const byPosition = [...truth.values()].slice(1 + 38);
        const wrong = test.samples.filter((sample, i) => said.get(sample) !== byPosition[i]);
        expect(wrong.length).toBeGreaterThan(8);
      } finally {
        await federation.stop();
        rmSync(root, { recursive: true, force: true });
      }
    },
    20 * MINUTES,
  );
});
