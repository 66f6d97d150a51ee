import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { LETTERS } from '@regulon/shared/genomics';
import { parseStrict, sitePolicySchema } from '@regulon/shared/plan';
import { costOfRun } from '@regulon/shared/program';
import { groupLines } from './group-lines.js';
import { outlineOf, readPlanFile } from './index.js';

const examples = fileURLToPath(new URL('../../../examples', import.meta.url));
const files = readdirSync(examples).filter((name) => name.endsWith('.yaml'));
const plans = files.filter((name) => !name.startsWith('site-policy'));

describe('the example plans', () => {
  it('are systems and a simulated twin of each, and those that are always simulated', () => {
    const names = plans.filter((name) => !name.includes('.sim.')).map((name) => name.replace('.yaml', ''));
    const twins = names.flatMap((name) => [`${name}.sim.yaml`, `${name}.yaml`]);
    expect(plans.sort()).toEqual(
      [
        ...twins,
        'brca3-separable.sim.yaml',
        'landmark-genes.sim.yaml',
        'local-norm.sim.yaml',
        'motif-scanner.sim.yaml',
        'omics-fusion.sim.yaml',
        'omics-gated.sim.yaml',
        'omics-owners.sim.yaml',
        'per-base.sim.yaml',
        'robust-groups.sim.yaml',
        'tumour-heads.sim.yaml',
        'tumour-stopping.sim.yaml',
        'tumour-variational.sim.yaml',
      ].sort(),
    );
    expect(names).toHaveLength(15);
  });

  it.each(plans)('%s parses, its layers fit, and its weights are exact', (name) => {
    const plan = readPlanFile(join(examples, name));
    const outline = outlineOf(plan, name === 'motif-scanner.sim.yaml' ? LETTERS * 101 : undefined);
    expect(outline.parameters).toBeGreaterThan(plan.privacy ? 100 : 1000);
    expect(Math.log2(plan.secureAggregation.weightCap) % 1).toBe(0);
    // yeast-phase has folds of genes, as other work on these data
    const held = plan.dataset.unit === 'gene' ? 'det5' : 'leave-site-out';
    const usual = plan.task === 'forecast' ? 'chronological' : name.includes('.sim.') ? 'holdout' : held;
    // a score is a sum that no noise covers yet
    expect(plan.evaluation.split).toBe(plan.privacy ? 'none' : usual);
  });

  it.each(plans)('%s with an unknown key is refused, and the error names the path', (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'regulon-plan-'));
    const path = join(folder, 'plan.yaml');
    writeFileSync(
      path,
      readFileSync(join(examples, name), 'utf8').replace(/^training:$/m, 'training:\n  warmUp: 3'),
    );
    expect(() => readPlanFile(path)).toThrow('training.warmUp: unknown key');
    rmSync(folder, { recursive: true });
  });

  it.each(['brca3-private.yaml', 'brca3-private.sim.yaml'])('%s costs the ε that its title says', (name) => {
    const plan = readPlanFile(join(examples, name));
    expect(plan.title).toContain('ε = 8');
    const { reported } = costOfRun(plan)!;
    expect(reported.epsilon).toBeLessThanOrEqual(8);
    expect(reported.epsilon).toBeGreaterThan(7.9);
  });

  it('says who owns a block, how few sites a round may then lose, and when they are too few', () => {
    const plan = readPlanFile(join(examples, 'omics-owners.sim.yaml'));
    const owners = ['site-1', 'site-2', 'site-3', 'site-4'];
    expect(outlineOf(plan)).toMatchObject({ mayLose: 0, ownedBlocks: [{ name: 'rna-encoder', owners }] });
    expect(outlineOf(readPlanFile(join(examples, 'omics-fusion.sim.yaml')))).toMatchObject({
      ...{ mayLose: 1, ownedBlocks: [] },
    });
    const few = readPlanFile(join(examples, 'omics-owners.sim.yaml'), (document) => {
      const { blocks } = document['model'] as { blocks: { owners?: string[] }[] };
      blocks.forEach((block) => block.owners?.pop());
    });
    expect(() => outlineOf(few)).toThrow(
      /model\.blocks\[0\]\.owners: 3 sites, but a sum covers at least 4 of 5/,
    );
  });

  it('says what the median of groups withstands, and what it costs', () => {
    const plan = readPlanFile(join(examples, 'robust-groups.sim.yaml'));
    expect(plan.evaluation).toMatchObject({ every: 2, maxWorsening: 0.5 });
    expect(groupLines(plan).join()).toMatch(/3 groups of 4 .* withstands 1 poisoned of 3 groups/);
  });

  it('counts the layers of the 1D CNN as the zoo does', () => {
    const outline = outlineOf(readPlanFile(join(examples, 'brca3-cnn.yaml')));
    const flat = 16 * Math.floor((Math.floor((1000 - 4) / 2) - 4) / 2);
    expect(outline.parameters).toBe(8 * 5 + 8 + 16 * 8 * 5 + 16 + flat * 32 + 32 + 32 * 3 + 3);
    expect(outline.arms).toEqual(['all', ...['c1', 'c2', 'c3', 'c4', 'c5'].map((site) => `without-${site}`)]);
  });

  it('gives an autoencoder as many outputs as features, whatever labels the plan declares', () => {
    const plan = readPlanFile(join(examples, 'brca3-autoencoder.yaml'));
    const { label } = readPlanFile(join(examples, 'brca3-mlp.yaml'));
    expect(outlineOf({ ...plan, label }).parameters).toBe(outlineOf(plan).parameters);
  });

  it('names a file that is no YAML, and one that is not there', () => {
    expect(() => readPlanFile(join(examples, 'nothing.yaml'))).toThrow('no such file');
    const folder = mkdtempSync(join(tmpdir(), 'regulon-plan-'));
    writeFileSync(join(folder, 'p.yaml'), 'a: [1,\nb: }');
    expect(() => readPlanFile(join(folder, 'p.yaml'))).toThrow(/line \d+ is not YAML/);
    rmSync(folder, { recursive: true });
  });
});

describe('the example site policies', () => {
  it.each(files.filter((name) => name.startsWith('site-policy')))('%s parses', (name) => {
    const value: unknown = parse(readFileSync(join(examples, name), 'utf8'));
    const policy = parseStrict(sitePolicySchema, value, name, 'E_CONFIG');
    expect(policy.leaveSiteOut).toBe(name.includes('public') ? 'exact' : 'off');
  });
});
