import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Trainer } from '@regulon/client/training';
import { selectUnits } from '@regulon/shared/genomics';
import type { Plan } from '@regulon/shared/plan';
import { costOfRun } from '@regulon/shared/program';
import { type Configuration, planOf } from './configurations.js';
import { type Cohort, type Confusion, heldOutScore, type SiteUnits } from './private-sites.js';

const FOLDS = 5;

/** What a configuration scored at one ε. */
export interface Measured {
  readonly name: string;
  /** wanted; null = no protection */
  readonly epsilon: number | null;
  /** what it costs by accountant, and of what; absent without protection */
  readonly cost?: {
    readonly q: number;
    readonly z: number;
    readonly steps: number;
    readonly pld: number;
    readonly rdp: number;
  };
  /** share of the held-out units of all folds that were called right, a seed each */
  readonly accuracy: readonly number[];
  /** mean recall of the classes, a seed each */
  readonly balanced: readonly number[];
}

/** Where trainings happen. */
export interface Place {
  readonly trainer: Trainer;
  readonly folder: string;
  readonly seeds: readonly number[];
}

/** Train a configuration five times a seed, each fold held out once, and score what was held out. */
export async function measured(
  example: Plan,
  cohort: Cohort,
  configuration: Configuration,
  epsilon: number,
  { trainer, folder, seeds }: Place,
): Promise<Measured> {
  const { share = 1, name } = configuration;
  const sites = share < 1 ? cohort.sites.map((units) => someOf(units, share)) : cohort.sites;
  const confusions: Confusion[] = [];
  let cost: Measured['cost'];
  for (const seed of seeds) {
    const plan = planOf(example, configuration, { epsilon, names: cohort.names, seed });
    cost ??= costOf(plan);
    let sum: Confusion = [];
    for (let fold = 0; fold < FOLDS; fold++) {
      const own = join(folder, 'training');
      mkdirSync(own);
      const part = await heldOutScore(plan, { ...cohort, sites }, { fold, trainer, folder: own, seed });
      sum = part.map((n, i) => n + (sum[i] ?? 0));
      rmSync(own, { recursive: true });
    }
    confusions.push(sum);
  }
  return {
    ...{ name, epsilon: epsilon === Infinity ? null : epsilon, ...(cost && { cost }) },
    accuracy: confusions.map(accuracyOf),
    balanced: confusions.map(balancedOf),
  };
}

function costOf(plan: Plan): Measured['cost'] {
  const account = costOfRun(plan);
  if (!plan.privacy || !account) return undefined;
  const { samplingRate: q, noiseMultiplier: z, localSteps } = plan.privacy;
  const { pld, rdp, exact } = account.epsilon;
  return { q, z, steps: localSteps * plan.training.rounds, pld: pld ?? exact ?? NaN, rdp };
}

/** Some patients of each class: as if the site had fewer. */
function someOf(units: SiteUnits, share: number): SiteUnits {
  const seen = new Map<number, number>();
  const rows = [...units.folds.keys()].filter((row) => {
    const label = units.view.labels?.[row] ?? -1;
    const before = seen.get(label) ?? 0;
    seen.set(label, before + 1);
    return Math.floor((before + 1) * share) > Math.floor(before * share);
  });
  return {
    ...{
      ...units,
      view: selectUnits(units.view, rows),
      unitIds: rows.map((row) => units.unitIds[row] ?? ''),
    },
    folds: Int32Array.from(rows, (row) => units.folds[row] ?? 0),
  };
}

function accuracyOf(confusion: Confusion): number {
  const classes = Math.sqrt(confusion.length);
  const right = confusion.filter((_, i) => i % (classes + 1) === 0);
  return sum(right) / sum(confusion);
}

function balancedOf(confusion: Confusion): number {
  const classes = Math.sqrt(confusion.length);
  const recalls = Array.from({ length: classes }, (_, c) => {
    const row = confusion.slice(c * classes, (c + 1) * classes);
    return (row[c] ?? 0) / sum(row);
  });
  return sum(recalls) / classes;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
