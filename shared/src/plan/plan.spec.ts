import { describe, expect, it } from '@jest/globals';
import { isRegulonError } from '../errors/index.js';
import { decimalOf, parsePlan, planBytes, planHashOf } from './parse.js';

const base = {
  schema: 'regulon.plan/1',
  name: 'tiny',
  seed: 1,
  sites: ['a', 'b', 'c', 'd', 'e'],
  dataset: { name: 'toy', kind: 'expression', scale: 'counts', unit: 'patient' },
  task: 'reconstruct',
  model: { blocks: [{ name: 'head', layers: [{ type: 'dense', units: 'outputs' }] }] },
  training: { rounds: 2, optimizer: { name: 'adam', learningRate: 1e-7 } },
  evaluation: { split: 'holdout' },
};
const norm = { name: 'norm', aggregate: 'local', layers: [{ type: 'batch-norm' }] };
const ownedBy = (owners: readonly string[]) => ({ aggregate: 'owners', owners, denominator: 1 });
const messageOf = (change: object): string => {
  try {
    parsePlan({ ...base, ...change });
  } catch (error) {
    if (isRegulonError(error, 'E_PLAN')) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('parsePlan', () => {
  it('fills defaults in and hashes them: the same plan with a default spelled out has the same hash', () => {
    const plain = parsePlan(base);
    const spelled = parsePlan({ ...base, training: { ...base.training, batchSize: 32 } });
    expect(planHashOf(spelled)).toEqual(planHashOf(plain));
    expect(Buffer.from(planBytes(plain)).toString()).toContain('"learningRate":"0.0000001"');
  });

  it('refuses a preparation before the split that chooses genes or looks at labels', () => {
    const evaluation = { split: 'det5', preparation: 'once' };
    const counts = { step: 'log2-cpm' };
    expect(messageOf({ evaluation, prepare: [counts, { step: 'z-score' }] })).toBe('accepted');
    for (const step of [
      { step: 'top-variance', k: 8 },
      { step: 'combat', covariates: ['age'] },
      { step: 'filter-by-expression' },
    ])
      expect(messageOf({ evaluation, prepare: [counts, step] })).toContain(
        `evaluation.preparation: ${step.step} before the split would see the test units`,
      );
    expect(messageOf({ evaluation: { ...evaluation, split: 'holdout' } })).toContain('once needs the split');
    expect(messageOf({ evaluation: { ...evaluation, finalModel: false } })).toContain('once needs the split');
  });

  it('refuses a column of patients where each unit is one', () => {
    const dataset = { ...base.dataset, patientColumn: 'patient' };
    expect(messageOf({ dataset })).toContain('dataset.patientColumn');
    expect(messageOf({ dataset: { ...dataset, unit: 'library' } })).toBe('accepted');
  });

  it('refuses texts of which the hash would stand for two: no NFC, or no text at all', () => {
    expect(messageOf({ title: 'caf\u00e9' })).toBe('accepted');
    expect(messageOf({ title: 'cafe\u0301' })).toBe('plan: title: text in NFC');
    expect(messageOf({ title: '\ud800' })).toBe('plan: title: well-formed text');
    const rule = (text: string): string =>
      messageOf({ task: 'classify', label: { classes: ['a', 'b'].map((name) => ({ name, rule: text })) } });
    expect(rule('\u00e9tat')).toBe('accepted');
    expect(rule('e\u0301tat')).toMatch(/^plan: label\.classes\[0\]\.rule: text in NFC/);
  });

  it('refuses an unknown key and names its path, not its value', () => {
    expect(messageOf({ training: { ...base.training, optimiser: 'secret-value' } })).toBe(
      'plan: training.optimiser: unknown key',
    );
    expect(messageOf({ training: { ...base.training, rounds: 'secret-value' } })).toMatch(
      /^plan: training\.rounds: (?!.*secret)/,
    );
  });

  it('takes sequences and series as they are: no steps, no reconstruction, no scale of another kind', () => {
    const classes = ['a', 'b'].map((name) => ({ name, rule: name }));
    const dna = { name: 'toy', kind: 'sequences', scale: 'bases', unit: 'sequence' };
    const series = { name: 'toy', kind: 'series', scale: 'log-ratio', unit: 'gene' };
    const classify = { task: 'classify', label: { classes } };
    expect(messageOf({ ...classify, dataset: dna })).toBe('accepted');
    expect(messageOf({ ...classify, dataset: series })).toBe('accepted');
    expect(messageOf({ ...classify, dataset: { ...series, channels: ['heat', 'cold'] } })).toBe('accepted');
    expect(messageOf({ ...classify, dataset: { ...series, channels: ['heat', 'heat'] } })).toMatch(/unique/);
    expect(messageOf({ ...classify, dataset: { ...dna, channels: ['heat', 'cold'] } })).toMatch(
      /only series that are classified have channels/,
    );
    expect(messageOf({ dataset: dna })).toBe('plan: task: sequences cannot be reconstructed');
    expect(messageOf({ ...classify, dataset: { ...dna, scale: 'counts' } })).toMatch(/dataset\.scale/);
    expect(messageOf({ ...classify, dataset: { ...base.dataset, scale: 'bases' } })).toMatch(
      /dataset\.scale/,
    );
    expect(messageOf({ ...classify, dataset: series, prepare: [{ step: 'z-score' }] })).toMatch(
      /prepare\[0\]/,
    );
  });

  it('takes weights that never leave their site beside shared ones', () => {
    expect(messageOf({ model: { blocks: [norm, base.model.blocks[0]] } })).toBe('accepted');
  });

  it('refuses a graph of co-expression that no step makes', () => {
    const graph = { type: 'chebyshev', filters: 2, order: 2, graph: 'co-expression' };
    const layers = [graph, { type: 'flatten' }, { type: 'dense', units: 'outputs' }];
    const model = { blocks: [{ name: 'trunk', layers }] };
    expect(messageOf({ model })).toMatch(/^plan: model\.blocks\[0\]\.layers\[0\]\.graph: /);
    const prepare = [{ step: 'log2-cpm' }, { step: 'z-score' }, { step: 'co-expression' }];
    expect(messageOf({ model, prepare })).toBe('accepted');
  });

  it('refuses a model for a newer catalogue before it reads its layers', () => {
    const model = { catalogue: 99, blocks: [{ name: 'a', layers: [{ type: 'from the future' }] }] };
    expect(() => parsePlan({ ...base, model })).toThrow(
      expect.objectContaining({
        code: 'E_CATALOGUE',
        message: 'model.catalogue: 99, this program knows catalogue 1',
      }),
    );
  });

  it.each([
    ['a classification without classes', { task: 'classify' }, /label/],
    ['a forecast of no series', { task: 'forecast' }, /dataset\.kind/],
    [
      'noise without a quantisation that leaves room for it',
      { secureAggregation: { noise: { mechanism: 'skellam', z: 1 } } },
      /quantizationBits/,
    ],
    ['groups below nMin', { secureAggregation: { subCohort: 4 } }, /groups of 4 sites are below nMin 5/],
    ['a group without a second one', { secureAggregation: { subCohort: 5 } }, /are not two groups of 5/],
    ['a gamma of one half', { secureAggregation: { gamma: { num: 1, den: 2 } } }, /gamma/],
    ['fewer sites than nMin', { sites: ['a', 'b', 'c', 'd'] }, /nMin/],
    [
      'four sites that assume colluders',
      { sites: ['a', 'b', 'c', 'd'], secureAggregation: { nMin: 3 } },
      /gamma 0/,
    ],
    [
      'log2-cpm of log-ratios',
      { dataset: { ...base.dataset, scale: 'log-ratio' }, prepare: [{ step: 'log2-cpm' }] },
      /needs counts/,
    ],
    ['more survivors than sites', { deadlines: { minSurvivors: 6 } }, /minSurvivors/],
    [
      'more survivors than an arm has contributors',
      { deadlines: { minSurvivors: 5 }, evaluation: { split: 'leave-site-out' } },
      /minSurvivors/,
    ],
    [
      'a mask that no dataset brings',
      { model: { ...base.model, inputs: [{ name: 'rna', shape: [3], mask: 'unit' }] } },
      /model\.inputs\[0\]\.mask/,
    ],
    [
      'a layer that no catalogue has',
      { model: { blocks: [{ name: 'head', layers: [{ type: 'lambda' }] }] } },
      /^plan: model\.blocks\[0\]\.layers\[0\]\.type: /,
    ],
    [
      'a loss that is none of the task',
      { model: { ...base.model, heads: [{ block: 'head', loss: { type: 'cox' } }] } },
      /model\.heads\[0\]\.loss: reconstruct is trained by squared-error/,
    ],
    [
      'a block owned by a site that takes no part',
      { model: { blocks: [{ ...base.model.blocks[0], ...ownedBy(['a', 'z']) }] } },
      /model\.blocks\[0\]\.owners: z is no site of the plan/,
    ],
    [
      'a block owned by everybody',
      { model: { blocks: [{ ...base.model.blocks[0], ...ownedBy(base.sites) }] } },
      /model\.blocks\[0\]\.owners: every site owns it/,
    ],
    [
      'a block with owners where one of them is left out',
      {
        model: { blocks: [{ ...base.model.blocks[0], ...ownedBy(['a']) }] },
        evaluation: { split: 'leave-site-out' },
      },
      /model\.blocks\[0\]\.aggregate: a site that is left out may be one of its owners/,
    ],
    [
      'a block with owners in groups of sites',
      {
        model: { blocks: [{ ...base.model.blocks[0], ...ownedBy(['a']) }] },
        sites: Array.from({ length: 10 }, (_, i) => String.fromCharCode(97 + i)),
        secureAggregation: { weightCap: 64, subCohort: 5 },
      },
      /model\.blocks\[0\]\.aggregate: a group of sub-cohorts may have too few of its owners/,
    ],
    [
      'a model of which nothing is shared',
      {
        model: {
          blocks: [
            { name: 'noise', layers: [{ type: 'dropout', rate: 0.5 }] },
            { ...base.model.blocks[0], aggregate: 'local' },
          ],
        },
      },
      /model\.blocks\[1\]\.aggregate: no weights are left/,
    ],
    [
      'weights of a site that is left out',
      { model: { blocks: [norm, base.model.blocks[0]] }, evaluation: { split: 'leave-site-out' } },
      /model\.blocks\[0\]\.aggregate: a site that is left out/,
    ],
    [
      'batches of one unit before a norm over the batch',
      {
        model: { blocks: [norm, base.model.blocks[0]] },
        training: { ...base.training, batchSize: 1 },
      },
      /training\.batchSize: batch-norm needs batches of at least 2 units/,
    ],
    [
      'a norm over batches in a strategy without batches',
      {
        model: { blocks: [norm, base.model.blocks[0]] },
        training: { ...base.training, strategy: 'fed-sgd', optimizer: { name: 'sgd', learningRate: 0.1 } },
      },
      /training\.strategy: fed-sgd takes no batches/,
    ],
    ['a site twice', { sites: ['a', 'a', 'c', 'd', 'e'] }, /sites/],
  ])('refuses %s', (_, change, rule) => {
    expect(messageOf(change)).toMatch(rule);
  });

  it.each([
    [1e-7, '0.0000001'],
    [1.5e-10, '0.00000000015'],
    [1e21, '1000000000000000000000'],
    [-2.5, '-2.5'],
    [100, '100'],
  ])('writes %p as %s', (value, text) => {
    expect(decimalOf(value)).toBe(text);
    expect(Number(decimalOf(value))).toBe(value);
  });
});
