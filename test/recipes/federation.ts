import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadDataset, viewOf } from '@regulon/client/data';
import { writePrepared, writeUnprepared } from '@regulon/client/datasets';
import { LocalWeights } from '@regulon/client/rounds';
import type { ArmData, EvaluateJob, Trainer } from '@regulon/client/training';
import {
  designOf,
  omicsOf,
  seriesBaselines,
  sitePreparation,
  targetsOf,
  type UnitsView,
} from '@regulon/shared/genomics';
import { isPrepared, type Plan } from '@regulon/shared/plan';
import {
  addedHeads,
  type Arm,
  headExtrasOf,
  headShapesOf,
  type RunProgram,
  type RunResult,
  scoreShapeOf,
  type SiteScore,
} from '@regulon/shared/program';
import { testRoster } from '../support/federation-keys.js';
import { InProcessRun, type InProcessSite, unitsWhere } from '../support/in-process-run.js';
import { bytesOf } from '../support/round-vectors.js';

/** Where the data of a site lie. */
export interface SiteSource {
  readonly name: string;
  readonly counts: string;
  readonly labels?: string;
  readonly columnsPrefix?: string | readonly string[];
}

interface Workplace {
  readonly trainer: Trainer;
  /** for features and weights; removed by the caller */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** The result of a plan that is carried out in this process. @throws for a plan that scores nothing */
export async function federated(
  plan: Plan,
  sources: readonly SiteSource[],
  at: Workplace,
): Promise<RunResult> {
  const result = (await carriedOut(plan, sources, at)).program.result();
  if (!result) throw new Error('the run has no evaluation');
  return result;
}

/** How the model of a plan that holds nothing out scores units that no site of the run has, as a site would. */
export async function scoredElsewhere(
  plan: Plan,
  { train, test }: { train: readonly SiteSource[]; test: readonly SiteSource[] },
  at: Workplace,
): Promise<SiteScore> {
  const run = await carriedOut(plan, train, at);
  let score: SiteScore = { count: 0 };
  for (const [i, source] of test.entries()) {
    const { site } = await openSite(plan, { ...source, name: `test-${source.name}` }, i + 1, at);
    score = added(score, await site.scoreAll(run.program, run.models));
  }
  return score;
}

/**
 * A whole run of a plan in this process: the daemon's importer, preparation and trainer, the run's program, and secure
 * aggregation of every round; without network, log and approvals.
 */
async function carriedOut(plan: Plan, sources: readonly SiteSource[], at: Workplace): Promise<InProcessRun> {
  const opened = [];
  for (const [i, source] of sources.entries()) opened.push(await openSite(plan, source, i + 1, at));
  const panel = opened[0]?.panel;
  if (!panel) throw new Error('a plan without sites');
  const { nMin, gamma } = plan.secureAggregation;
  const roster = testRoster(plan.sites, { nMin, gamma });
  const run = new InProcessRun(
    roster,
    opened.map(({ site }) => site),
    { plan, ...panel },
  );
  let [arm, started] = [-1, Date.now()];
  await run.finish((round) => {
    if (round.arm === arm) return;
    at.say(
      `${plan.name}: arm ${round.arm + 1} of ${run.program.arms.length}, ${(Date.now() - started) / 1000} s`,
    );
    [arm, started] = [round.arm, Date.now()];
  });
  return run;
}

async function openSite(
  plan: Plan,
  { name, ...source }: SiteSource,
  id: number,
  { trainer, folder }: Workplace,
) {
  const { kind, scale } = plan.dataset;
  const dataset = await loadDataset({ ...source, kind, scale });
  const view = {
    ...{ ...viewOf(dataset, plan.label?.classes), ...designOf(dataset, plan.design) },
    ...{ ...targetsOf(dataset, plan), ...omicsOf(dataset, plan) },
  };
  const own = join(folder, name);
  mkdirSync(own);
  const site = new RecipeSite({ id, name, view, unitIds: dataset.unitIds }, plan, trainer, own);
  return { site, panel: { panelDigest: dataset.panelDigest, genes: dataset.panel.length } };
}

interface SiteUnits {
  readonly id: number;
  readonly name: string;
  readonly view: UnitsView;
  readonly unitIds: readonly string[];
}

/** A site that trains and scores as a daemon does. */
class RecipeSite implements InProcessSite {
  readonly id: number;
  readonly view: UnitsView;
  readonly unitIds: readonly string[];
  private readonly written = new Map<string, ArmData | null>();
  private localWeights: LocalWeights | undefined;

  constructor(
    private readonly units: SiteUnits,
    private readonly plan: Plan,
    private readonly trainer: Trainer,
    private readonly folder: string,
  ) {
    ({ id: this.id, view: this.view, unitIds: this.unitIds } = units);
  }

  async train(...[round, program, weights]: Parameters<InProcessSite['train']>) {
    const { localEpochs: epochs, ...training } = this.plan.training;
    const data = this.dataOf(program, this.armOf(program, round.arm), 'train');
    if (!data) throw new Error(`site ${this.units.name} has nothing to train on`);
    const deltaPath = join(this.folder, 'delta.f32');
    const shuffleKey = String(this.id).padStart(2, '0').repeat(32);
    const { optimizer, schedule, rounds, batchSize, strategy, gradientClip } = training;
    const result = await this.trainer.train({
      ...this.jobOf(program, round.arm, data, weights),
      ...this.localOf(program).pathsFor(round),
      ...{ deltaPath, epochs, optimizer, batchSize, strategy, shuffleKey, round: round.round },
      ...(gradientClip === undefined ? {} : { gradientClip }),
      ...(schedule && { schedule: { shape: schedule, from: round.iteration, span: 1, rounds } }),
    });
    const { count, correct, lossSum, targetCount } = result;
    const loss = this.plan.task === 'classify' ? lossSum : (lossSum / Math.max(1, targetCount)) * count;
    const extras = headExtrasOf(result.heads ?? []);
    return { delta: floatsOf(deltaPath), count, correct, lossSum: loss, extras };
  }

  async score(...[program, models]: Parameters<InProcessSite['score']>): Promise<SiteScore> {
    const { task, evaluation } = this.plan;
    let score: SiteScore = { count: 0 };
    for (const arm of program.arms.filter(({ evaluated }) => evaluated)) {
      const data = this.dataOf(program, arm, 'test');
      const weights = models.get(arm.index);
      if (!data || !weights) continue;
      const job = {
        ...this.jobOf(program, arm.index, data, weights),
        ...this.localOf(program).latest(arm.index),
      };
      score = added(score, await this.trainer.evaluate(job));
    }
    if (task !== 'forecast') return score;
    const { lastValue, zero, ar3 } = seriesBaselines(this.view, evaluation.horizon);
    const [last, none, auto] = [lastValue, zero, ar3].map(({ squaredError }) => squaredError);
    return { ...score, lastValue: last ?? 0, zero: none ?? 0, autoregressive: auto ?? 0 };
  }

  /** All units of this site by the model of the first arm. */
  async scoreAll(...[program, models]: Parameters<InProcessSite['score']>) {
    const { view } = this;
    const specification = program.specification(0);
    const prepared = sitePreparation(view, specification);
    const data = writePrepared(view, specification, prepared, join(this.folder, 'all'));
    const weights = models.get(0);
    if (!weights) throw new Error('the run has no model');
    return this.trainer.evaluate(this.jobOf(program, 0, data, weights));
  }

  private jobOf(program: RunProgram, arm: number, data: ArmData, weights: Float32Array): EvaluateJob {
    const weightsPath = join(this.folder, 'weights.f32');
    writeFileSync(weightsPath, bytesOf(weights));
    const { model, task, evaluation } = this.plan;
    const scores = scoreShapeOf(program.contract);
    const { horizon } = evaluation;
    return {
      ...{ declaration: model, ...program.modelFrame(arm), task, data, weightsPath, horizon },
      ...{ site: this.units.name, ...(scores ? { scores } : {}) },
      ...(task === 'heads' ? { heads: headShapesOf(program.contract) } : {}),
    };
  }

  private localOf(program: RunProgram): LocalWeights {
    return (this.localWeights ??= new LocalWeights(this.folder, program));
  }

  private armOf(program: RunProgram, index: number): Arm {
    const arm = program.arms[index];
    if (!arm) throw new Error(`no arm ${index}`);
    return arm;
  }

  private dataOf(program: RunProgram, arm: Arm, use: 'train' | 'test'): ArmData | null {
    const key = `${use}-${arm.index}`;
    const known = this.written.get(key);
    if (known !== undefined) return known;
    const data = this.write(program, arm, use, join(this.folder, key));
    this.written.set(key, data);
    return data;
  }

  private write(program: RunProgram, arm: Arm, use: 'train' | 'test', prefix: string): ArmData | null {
    const { plan } = this;
    if (arm.heldOutFold === null && plan.evaluation.split !== 'chronological') {
      if ((arm.heldOutSite === this.id) !== (use === 'test')) return null;
    }
    const view = unitsWhere(this, program, arm.heldOutFold, use === 'test');
    if (view.n === 0) return null;
    if (!isPrepared(plan.dataset.kind)) return writeUnprepared(view, plan, prefix);
    const specification = program.specification(arm.index);
    const fitted = sitePreparation(unitsWhere(this, program, arm.heldOutFold, false), specification);
    return writePrepared(view, specification, sitePreparation(view, specification, fitted), prefix);
  }
}

function added(score: SiteScore, result: Awaited<ReturnType<Trainer['evaluate']>>): SiteScore {
  const sum = (field: 'lossSum' | 'squaredError' | 'targetCount'): number =>
    (score[field] ?? 0) + (result[field] ?? 0);
  const cells = (field: 'confusion' | 'scores'): number[] | undefined =>
    result[field]?.map((n: number, i: number) => n + (score[field]?.[i] ?? 0));
  const [confusion, scores] = [cells('confusion'), cells('scores')];
  return {
    ...{ count: score.count + result.count, lossSum: sum('lossSum') },
    ...{ squaredError: sum('squaredError'), targetCount: sum('targetCount') },
    ...(confusion ? { confusion } : {}),
    ...(scores ? { scores } : {}),
    ...(result.heads ? { heads: addedHeads(score.heads ?? [], result.heads) } : {}),
  };
}

function floatsOf(path: string): Float32Array {
  return new Float32Array(Uint8Array.from(readFileSync(path)).buffer);
}
