import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from './run-program.support.js';

const example = fileURLToPath(new URL('../../../examples/searches/brca3-mlp.yaml', import.meta.url));

describe('regulon run search --dry-run', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-search-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const changed = (from: string | RegExp, to: string): string => {
    const file = join(folder, 'search.yaml');
    const text = readFileSync(example, 'utf8').replace('../', `${dirname(dirname(example))}/`);
    expect(text.replace(from, to)).not.toBe(text);
    writeFileSync(file, text.replace(from, to));
    return file;
  };

  it('says how many runs there may be and that nothing hides a patient in them, and proposes none', async () => {
    const { code, out } = await run('run', 'search', example, '--dry-run', '--format', 'table');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^search brca3-mlp, [0-9a-f]{16}: at most 8 trials and one run of the best, each at 5 sites$/m,
    );
    expect(out).toContain('none of the 9 runs is differentially private');
  });

  it.each([
    ['a key that is not varied', 'training.localEpochs', 'sites.0', 'space[1].key: only keys below'],
    ['values that make no plan', 'units, values: [32,', 'units, values: [0.5,', 'model.blocks[0].layers[0]'],
    ['no budget', 'runs: 8', '', 'search: runs'],
    ['a plan that is not there', /brca3-mlp\.sim\.yaml$/m, 'nothing.yaml', 'no such file'],
    ['a plan that tests every site', /brca3-mlp\.sim\.yaml$/m, 'brca3-mlp.yaml', 'splits leave-site-out'],
    ['a grid beyond the budget', 'bayesian, first: 4', 'grid, steps: 3', 'more places than the 8 runs'],
  ])('refuses %s', async (_, from, to, words) => {
    const { code, err } = await run('run', 'search', changed(from, to), '--dry-run');
    expect(code).toBe(4);
    expect(err).toContain(words);
  });

  it('reads who built the software before anything is proposed', async () => {
    const provenance = join(folder, 'provenance.json');
    writeFileSync(provenance, '{}');
    const { code, err } = await run('run', 'search', example, '--dry-run', '--provenance', provenance);
    expect(code).toBe(4);
    expect(err).toMatch(/provenance\.json.*_type/);
  });

  it('is another search over other samples under the same names, as losses on them are others', async () => {
    const file = join(folder, 'private.json');
    const declared = {
      ...{ schema: 'regulon.search/1', name: 'private', runs: 2, epsilon: 1e6 },
      plan: join(dirname(dirname(example)), 'brca3-private.sim.yaml'),
      validation: { data: 'own.tsv', labels: 'own.csv' },
      space: [{ key: 'training.optimizer.learningRate' }],
    };
    writeFileSync(file, JSON.stringify(declared));
    writeFileSync(join(folder, 'own.csv'), 'unit,subtype\nP1,LumA\n');
    const digestOver = async (samples: string): Promise<string> => {
      writeFileSync(join(folder, 'own.tsv'), samples);
      const { out } = await run('run', 'search', file, '--dry-run', '--format', 'json');
      return (JSON.parse(out) as { data: { digest: string } }).data.digest;
    };
    const [first, other, again] = [await digestOver('a'), await digestOver('b'), await digestOver('a')];
    expect(first).toMatch(/^[0-9a-f]{16}$/);
    expect([other === first, again === first]).toEqual([false, true]);
    rmSync(join(folder, 'own.tsv'));
    const { code, err } = await run('run', 'search', file, '--dry-run');
    expect([code, err]).toEqual([4, expect.stringContaining('own.tsv: no such file')]);
  });

  it('asks for the key of the researcher before anything is proposed', async () => {
    const { code, err } = await run('run', 'search', example, '--yes');
    expect([code, err]).toEqual([4, expect.stringContaining('--federation is missing')]);
  });
});
