import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPlanFile } from '@regulon/cli/plan-file';
import { detectLayout, filesOf, simulatedLayout } from '@regulon/cli/sim';
import { Trainer } from '@regulon/client/training';
import { explainError, RegulonError } from '@regulon/shared/errors';
import type { Plan } from '@regulon/shared/plan';
import type { RunResult } from '@regulon/shared/program';
import { federated, type SiteSource } from './federation.js';
import { type Figure, type Recipe, recipes } from './recipes.js';

const EXAMPLES = fileURLToPath(new URL('../../../examples', import.meta.url));
const HELP = `npm run recipes -- [NAME …] [--seeds 1,2,3], names ${recipes.map(({ name }) => name).join(', ')}; REGULON_DATA names the folder of data`;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/**
 * Systems against their thresholds: each example plan is trained federated, with secure aggregation, once a seed. Slow;
 * no part of the tests.
 */
async function main(args: readonly string[]): Promise<number> {
  const { wanted, seeds } = optionsOf(args);
  let failed = 0;
  say('system\tfigure\tthreshold\tmean\tby seed');
  for (const recipe of wanted) {
    const data = process.env['REGULON_DATA'];
    if (recipe.data !== undefined && data === undefined) {
      process.stdout.write(`${recipe.name}\tskipped: REGULON_DATA is not set\n`);
      continue;
    }
    const runs: Figure[][] = [];
    for (const seed of seeds) {
      runs.push(recipe.figures(await scoresOf(recipe, seed, data)));
      say(
        `${recipe.name}, seed ${seed}: ${runs
          .at(-1)
          ?.map(({ name, value }) => `${name} ${value}`)
          .join(', ')}`,
      );
    }
    failed += lines(recipe.name, runs);
  }
  return failed === 0 ? 0 : 1;
}

function optionsOf(args: readonly string[]): { wanted: readonly Recipe[]; seeds: number[] } {
  const at = args.indexOf('--seeds');
  const seeds = at < 0 ? [1, 2, 3] : (args[at + 1] ?? '').split(',').map(Number);
  const names = args.filter((_, i) => at < 0 || (i !== at && i !== at + 1));
  const unknown = names.find((name) => !recipes.some((recipe) => recipe.name === name));
  if (unknown !== undefined || seeds.some((seed) => !Number.isInteger(seed) || seed < 0)) {
    throw new RegulonError('E_ARGUMENT', unknown === undefined ? '--seeds' : `no recipe ${unknown}`, {
      hint: HELP,
    });
  }
  const wanted = names.length === 0 ? recipes : recipes.filter(({ name }) => names.includes(name));
  return { wanted, seeds };
}

/** The data of a plan's sites: real ones, arranged where a recipe says so, or simulated. */
function sourcesOf(
  recipe: Recipe,
  plan: Plan,
  data: string | undefined,
  folder: string,
): readonly SiteSource[] {
  if (recipe.data === undefined || data === undefined)
    return filesOf(plan, simulatedLayout(plan, join(folder, 'data'), plan.seed));
  const from = join(data, recipe.data);
  const to = join(folder, 'data');
  recipe.arrange?.(from, to);
  return filesOf(plan, detectLayout(recipe.arrange ? to : from));
}

async function scoresOf(recipe: Recipe, seed: number, data: string | undefined): Promise<RunResult> {
  const folder = mkdtempSync(join(tmpdir(), 'regulon-recipe-'));
  try {
    const { split } = recipe;
    const plan = readPlanFile(join(EXAMPLES, recipe.plan), (document) => {
      document['seed'] = seed;
      if (split !== undefined) document['evaluation'] = { split };
    });
    const sources = sourcesOf(recipe, plan, data, folder);
    const trainer = await Trainer.start({ folder, backend: 'auto' });
    try {
      return await federated(plan, sources, { trainer, folder, say });
    } finally {
      await trainer.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A line a figure. @returns how many miss their threshold in the mean over the seeds */
function lines(name: string, runs: readonly (readonly Figure[])[]): number {
  let failed = 0;
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  runs[0]?.forEach(({ name: figure, better }, f) => {
    const values = runs.map((run) => run[f]?.value ?? NaN);
    const goal = mean(runs.map((run) => run[f]?.goal ?? NaN));
    const ok = better === 'higher' ? mean(values) >= goal : mean(values) <= goal;
    if (!ok) failed++;
    const cells = [
      name,
      figure,
      `${better === 'higher' ? '≥' : '≤'} ${goal.toFixed(3)}`,
      mean(values).toFixed(3),
    ];
    const seeds = values.map((value) => value.toFixed(3)).join(' ');
    process.stdout.write(`${[...cells, seeds, ok ? 'reached' : 'MISSED'].join('\t')}\n`);
  });
  return failed;
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${explainError(error)}\n`);
    process.exitCode = error instanceof RegulonError ? error.exitCode : 5;
  },
);
