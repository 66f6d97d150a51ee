import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadDataset, viewOf } from '@regulon/client/data';
import { writePrepared } from '@regulon/client/datasets';
import { trainingOf } from '@regulon/client/rounds';
import type { ArmData, Trainer, TrainJob } from '@regulon/client/training';
import { detectLayout, filesOf } from '@regulon/cli/sim';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { foldsOf, selectUnits, sitePreparation, type UnitsView } from '@regulon/shared/genomics';
import type { Plan } from '@regulon/shared/plan';
import type { RunProgram } from '@regulon/shared/program';
import { testRoster } from '../support/federation-keys.js';
import { InProcessRun, type InProcessSite } from '../support/in-process-run.js';
import { bytesOf } from '../support/round-vectors.js';

/** A site's data, and the fold of each of its units. */
export interface SiteUnits {
  readonly id: number;
  readonly name: string;
  readonly view: UnitsView;
  readonly unitIds: readonly string[];
  readonly folds: Int32Array;
}

/** Units of all sites, and the panel that they share. */
export interface Cohort {
  readonly sites: readonly SiteUnits[];
  readonly panel: { readonly panelDigest: Uint8Array; readonly genes: number };
  readonly names: readonly string[];
}

/** How many held-out units of a class were called what: K × K, row = true class. */
export type Confusion = readonly number[];

/** Load the data of a plan's sites; every class is divided into five folds inside each site. */
export async function cohortOf(plan: Plan, folder: string): Promise<Cohort> {
  const sites: SiteUnits[] = [];
  let shared: Omit<Cohort, 'sites'> | undefined;
  for (const [i, { name, ...source }] of filesOf(plan, detectLayout(folder)).entries()) {
    const { kind, scale, unit } = plan.dataset;
    const dataset = await loadDataset({ ...source, kind, scale });
    shared ??= {
      panel: { panelDigest: dataset.panelDigest, genes: dataset.panel.length },
      names: dataset.panel,
    };
    const view = viewOf(dataset, plan.label?.classes);
    const folds = foldsOf(unit, dataset.unitIds, view.labels ?? new Int32Array(view.n), i);
    sites.push({ id: i + 1, name, view, unitIds: dataset.unitIds, folds });
  }
  if (!shared) throw new Error('a plan without sites');
  return { sites, ...shared };
}

/**
 * Train a plan without the units of a fold, by the daemon's job, its trainer and the secure sums of real rounds, and score
 * the model on that fold: what no run may do whose plan claims privacy, and an experiment on public data must.
 *
 * @param folder of this training alone
 * @param seed of the noise in the counts; the noise of the steps comes from the operating system
 */
export async function heldOutScore(
  plan: Plan,
  cohort: Cohort,
  { fold, trainer, folder, seed }: { fold: number; trainer: Trainer; folder: string; seed: number },
): Promise<Confusion> {
  const sites = cohort.sites.map((units) => {
    const own = join(folder, units.name);
    mkdirSync(own, { recursive: true });
    return new PrivateSite(units, { plan, trainer, fold, folder: own, seed });
  });
  const { nMin, gamma } = plan.secureAggregation;
  const run = new InProcessRun(testRoster(plan.sites, { nMin, gamma }), sites, { plan, ...cohort.panel });
  await run.finish();
  const model = run.models.get(0);
  if (!model) throw new Error('the run trained nothing');
  let sum: Confusion = [];
  for (const site of sites) {
    const own = await site.confusion(run.program, model);
    if (own.length > 0) sum = own.map((n, i) => n + (sum[i] ?? 0));
  }
  return sum;
}

interface Training {
  readonly plan: Plan;
  readonly trainer: Trainer;
  readonly fold: number;
  readonly folder: string;
  readonly seed: number;
}

/** A site that trains on all folds but one. */
class PrivateSite implements InProcessSite {
  readonly id: number;
  readonly view: UnitsView;
  readonly unitIds: readonly string[];
  private readonly written = new Map<boolean, ArmData>();

  constructor(
    private readonly units: SiteUnits,
    private readonly training: Training,
  ) {
    const rows = rowsOf(units, (fold) => fold !== training.fold);
    this.id = units.id;
    this.view = selectUnits(units.view, rows);
    this.unitIds = rows.map((row) => units.unitIds[row] ?? '');
  }

  async train(...[round, program, weights]: Parameters<InProcessSite['train']>) {
    const { trainer, folder, seed, fold } = this.training;
    const data = this.dataOf(program, false);
    const deltaPath = join(folder, 'delta.f32');
    const roundingSecret = sha256(utf8(`utility ${seed} ${fold} ${this.id}`));
    const live = { run: 'utility', contract: program.contract, roundingSecret };
    const job: TrainJob = {
      ...this.jobOf(program, data, weights),
      ...trainingOf(live, round, this.id, data),
      deltaPath,
    };
    const { count, correct, lossSum } = await trainer.train(job);
    const units = job.privacy?.patients ?? count;
    return { delta: floatsOf(deltaPath), count: units, correct, lossSum };
  }

  score(): Promise<never> {
    throw new Error('a private plan has no evaluation');
  }

  /** Of the held-out units of this site. */
  async confusion(program: RunProgram, model: Float32Array): Promise<Confusion> {
    if (rowsOf(this.units, (fold) => fold === this.training.fold).length === 0) return [];
    const { confusion } = await this.training.trainer.evaluate(
      this.jobOf(program, this.dataOf(program, true), model),
    );
    return confusion ?? [];
  }

  private jobOf(program: RunProgram, data: ArmData, weights: Float32Array) {
    const { plan, folder } = this.training;
    const weightsPath = join(folder, 'weights.f32');
    writeFileSync(weightsPath, bytesOf(weights));
    return { declaration: plan.model, ...program.modelFrame(0), task: plan.task, data, weightsPath };
  }

  private dataOf(program: RunProgram, isHeldOut: boolean): ArmData {
    const known = this.written.get(isHeldOut);
    if (known) return known;
    const specification = program.specification(0);
    const view = isHeldOut
      ? selectUnits(
          this.units.view,
          rowsOf(this.units, (fold) => fold === this.training.fold),
        )
      : this.view;
    const prefix = join(this.training.folder, isHeldOut ? 'test' : 'train');
    const data = writePrepared(view, specification, sitePreparation(view, specification), prefix);
    this.written.set(isHeldOut, data);
    return data;
  }
}

const rowsOf = ({ folds }: SiteUnits, wanted: (fold: number) => boolean): number[] =>
  [...folds.keys()].filter((row) => wanted(folds[row] ?? -1));

const floatsOf = (path: string): Float32Array => new Float32Array(Uint8Array.from(readFileSync(path)).buffer);
