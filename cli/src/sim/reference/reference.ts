import { Trainer } from '@regulon/client/training';
import { featureCount, joinUnits, sitePreparation, type UnitsView } from '@regulon/shared/genomics';
import { isPrepared, parsePlan, type Plan } from '@regulon/shared/plan';
import { seriesChannels } from '@regulon/shared/program';
import type { ReferenceJob, ReferenceReport, ReferenceScore } from './job.js';
import {
  evaluateModel,
  type Fitted,
  newModel,
  readFloats,
  trainModel,
  type Workbench,
  writeUnits,
} from './model.js';
import { fitAxes, reconstructionError } from './pca.js';
import { fitPreparation } from './preparation.js';
import { loadSites, type ReferenceSite } from './sites.js';
import { loneArms, type ReferenceArm, referenceArms, type SitePart } from './split.js';
import { Tally } from './tally.js';

const COMPONENTS = 64;

/**
 * Train what only somebody who sees all data can train: one pooled model, and one model a site.
 *
 * @throws whatever the importer, the preparation or the trainer throws, with its code
 */
export async function runReference(job: ReferenceJob): Promise<ReferenceReport> {
  const started = Date.now();
  const plan = parsePlan(job.plan);
  const sites = await loadSites(job, plan);
  const trainer = await Trainer.start({ folder: job.folder, backend: job.backend });
  const bench: Workbench = { plan, trainer, folder: job.folder };
  try {
    const rows = plan.task === 'forecast' ? await seriesRows(bench, sites) : await unitRows(bench, sites);
    return {
      schema: 'regulon.reference/1',
      label: 'reference (sees all data)',
      units: sites.map(({ name, view }) => ({ site: name, units: view.n })),
      ...rows,
      backend: trainer.backend.backend,
      seconds: (Date.now() - started) / 1000,
    };
  } finally {
    await trainer.close();
  }
}

type Rows = Pick<ReferenceReport, 'pooled' | 'pooledBySite' | 'lone' | 'pca64Mse'>;
type Row = ReferenceReport['lone'][number];

async function unitRows(bench: Workbench, sites: readonly ReferenceSite[]): Promise<Rows> {
  const arms = referenceArms(bench.plan, sites);
  const axes = { squaredError: 0, targets: 0 };
  const pooled = await scoreArms(bench, arms, axes);
  const lone: Row[] = [];
  for (const { name } of sites) {
    const own = loneArms(arms, name, bench.plan);
    if (own.length > 0) lone.push({ site: name, score: await scoreArms(bench, own) });
  }
  return {
    pooled,
    pooledBySite: [],
    lone,
    pca64Mse: axes.targets > 0 ? axes.squaredError / axes.targets : null,
  };
}

/** Train and score one model an arm; sums over the arms, as the run's evaluation does. */
async function scoreArms(
  bench: Workbench,
  arms: readonly ReferenceArm[],
  axes?: { squaredError: number; targets: number },
): Promise<ReferenceScore> {
  const { plan } = bench;
  const tally = new Tally(plan);
  for (const { arm, parts } of arms) {
    const [train, test] = [together(parts, 'train'), together(parts, 'test')];
    if (!train || !test) continue;
    const fitted = fittedOn(plan, train, viewsOf(parts, 'train'));
    const trainData = writeUnits(bench, 'train', train, fitted);
    const testData = writeUnits(bench, 'test', test, fitted && testedWith(fitted, test));
    const model = newModel(bench, 'model', featuresOf(plan, train, fitted), arm.index);
    await trainModel(bench, model, trainData, plan.training.rounds * plan.training.localEpochs);
    if (plan.task === 'heads') {
      // pairs of patients are compared inside their site, as the run does
      for (const view of viewsOf(parts, 'test'))
        tally.add(
          await evaluateModel(
            bench,
            model,
            writeUnits(bench, 'test', view, fitted && testedWith(fitted, view)),
          ),
        );
    } else tally.add(await evaluateModel(bench, model, testData));
    if (axes && plan.task === 'reconstruct') {
      const fitted = fitAxes(readFloats(trainData.featuresPath), train.n, COMPONENTS);
      const features = readFloats(testData.featuresPath);
      axes.squaredError += reconstructionError(features, fitted);
      axes.targets += features.length;
    }
  }
  return tally.score();
}

/** Series and sequences are prepared by no steps. */
function fittedOn(plan: Plan, train: UnitsView, views: readonly UnitsView[]): Fitted | null {
  if (!isPrepared(plan.dataset.kind)) return null;
  const specification = fitPreparation(plan, views);
  return { specification, batches: sitePreparation(train, specification) };
}

function testedWith({ specification, batches }: Fitted, test: UnitsView): Fitted {
  return { specification, batches: sitePreparation(test, specification, batches) };
}

function featuresOf(plan: Plan, view: UnitsView, fitted: Fitted | null): number {
  if (fitted) return featureCount(fitted.specification);
  return plan.dataset.kind === 'series' ? seriesChannels(plan) : view.genes;
}

/** The pooled model reads all series mixed, padded in front to one length; every model is tested on the series as they are. */
async function seriesRows(bench: Workbench, sites: readonly ReferenceSite[]): Promise<Rows> {
  const { training } = bench.plan;
  const epochs = training.rounds * training.localEpochs;
  const pooled = newModel(bench, 'pooled', 1, 0);
  const mixed = joinUnits(padded(sites.map(({ view }) => view)));
  await trainModel(bench, pooled, writeUnits(bench, 'all', mixed, null), epochs);
  const pooledBySite: Row[] = [];
  const lone: Row[] = [];
  const everything = new Tally(bench.plan);
  for (const { name: site, view } of sites) {
    const series = writeUnits(bench, 'one', view, null);
    const own = newModel(bench, 'lone', 1, 0);
    await trainModel(bench, own, series, epochs);
    const score = await evaluateModel(bench, pooled, series);
    everything.add(score);
    pooledBySite.push({ site, score: scoreOf(bench.plan, score) });
    lone.push({ site, score: scoreOf(bench.plan, await evaluateModel(bench, own, series)) });
  }
  return { pooled: everything.score(), pooledBySite, lone, pca64Mse: null };
}

/** Units of one width: missing steps are put in front of shorter series so that all end together. */
function padded(views: readonly UnitsView[]): UnitsView[] {
  const steps = Math.max(...views.map((view) => view.genes));
  return views.map((view) => {
    if (view.genes === steps) return view;
    const values = new Float64Array(view.n * steps).fill(NaN);
    for (let i = 0; i < view.n; i++) {
      values.set(view.values.subarray(i * view.genes, (i + 1) * view.genes), (i + 1) * steps - view.genes);
    }
    return { ...view, genes: steps, values };
  });
}

function scoreOf(plan: Plan, result: Parameters<Tally['add']>[0]): ReferenceScore {
  const tally = new Tally(plan);
  tally.add(result);
  return tally.score();
}

function viewsOf(parts: readonly SitePart[], which: 'train' | 'test'): UnitsView[] {
  return parts.flatMap((part) => part[which] ?? []);
}

/** The units of several sites as one view. */
function together(parts: readonly SitePart[], which: 'train' | 'test'): UnitsView | null {
  const views = viewsOf(parts, which);
  return views.length === 0 ? null : joinUnits(padded(views));
}
