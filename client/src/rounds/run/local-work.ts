import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ErrorCode, explainError, isRegulonError, RegulonError } from '@regulon/shared/errors';
import { slimFit } from '@regulon/shared/genomics';
import {
  type Arm,
  encodeEvaluation,
  encodeValidation,
  headShapesOf,
  isValidation,
  Purpose,
  type RunContract,
  type RunProgram,
  type ScheduledRound,
  scoreShapeOf,
  type SiteScore,
  weightOf,
} from '@regulon/shared/program';
import type { Manifest } from '@regulon/shared/secagg';
import { armPrefix, type UnitUse } from '../../datasets/index.js';
import { guarded, type LocalFacts } from '../../state/index.js';
import { type ArmData, modelFilePaths, type TrainResult } from '../../training/index.js';
import type { Contribution } from '../../update/index.js';
import type { SiteContext } from '../context.js';
import { LocalWeights } from './local-weights.js';
import { RunTrainer, startTrainer, type StartTrainer } from './run-trainer.js';
import { addScore, withBaselines } from './site-score.js';
import { saidOf, trainingOf, unitsOf } from './training-job.js';

/** What one round needs from this site, computed once for all its attempts. */
export interface LocalResult {
  readonly contribution: Contribution;
  readonly weight: number;
  readonly extras: Readonly<Record<string, number>>;
}

/** What local work needs of its run. */
export interface LocalRun {
  readonly run: string;
  readonly folder: string;
  readonly contract: RunContract;
  readonly program: RunProgram;
  readonly roundingSecret: Uint8Array;
  /** file with the current weights of an arm */
  readonly modelOf: (arm: number) => string;
}

const notFinite: ReadonlySet<ErrorCode> = new Set(['E_LOSS_NOT_FINITE', 'E_NOT_FINITE', 'E_DATA_NOT_FINITE']);
const SILENT: LocalFacts = { extras: {}, weight: 0 };

/** The update of the last closed round, which the next one is written over. @param folder of the run */
export const sparePath = (folder: string): string => join(folder, 'delta.spare');

/** Computes this site's contribution to each round: a statistic, an update, or a score. */
export class LocalWork {
  private readonly trainer: RunTrainer;
  private readonly localWeights: LocalWeights;
  private readonly features = new Map<string, Promise<ArmData | null>>();
  private readonly running = new Map<number, Promise<LocalResult>>();

  /** @param start starts the trainer; specs replace it */
  constructor(
    private readonly site: SiteContext,
    private readonly live: LocalRun,
    start: StartTrainer = (onCpu) => startTrainer(site.config, live.folder, onCpu),
  ) {
    this.trainer = new RunTrainer(start, site.config.training.fallback);
    this.localWeights = new LocalWeights(live.folder, live.program);
  }

  /** Begin, or join, the work of a round; a result from before a crash is found again. */
  result(round: ScheduledRound, manifest: Manifest): Promise<LocalResult> {
    const known = this.running.get(round.round);
    if (known) return known;
    const work = this.compute(round, manifest);
    this.running.set(round.round, work);
    work.catch(() => this.running.delete(round.round));
    return work;
  }

  /** The round is over. */
  forget(round: number): void {
    this.running.delete(round);
  }

  /** Start the trainer beside the first rounds, so that training need not wait for it. */
  warmUp(): void {
    if (this.site.config.testing?.skipTraining) return;
    this.trainer.warmUp();
  }

  async close(): Promise<void> {
    await this.trainer.close();
  }

  private async compute(round: ScheduledRound, manifest: Manifest): Promise<LocalResult> {
    const { site, live } = this;
    let facts = site.runs.local(live.run, round.round);
    if (!facts || (facts.file !== undefined && !existsSync(join(live.folder, facts.file)))) {
      facts = await this.work(round, manifest).catch((error: unknown) => this.faulty(round, error));
      site.runs.saveLocal(live.run, round.round, facts);
    }
    if (round.purpose === Purpose.train) site.crash.reached('trained', round.round);
    return { ...facts, contribution: this.contributionOf(round, facts) };
  }

  /**
   * Numbers that are none are not refused on the wire, where a refusal would tell of the data: zeros go out with the
   * masked fault raised, which names no site.
   *
   * @throws every other error as it is
   */
  private async faulty(round: ScheduledRound, error: unknown): Promise<LocalFacts> {
    if (!isRegulonError(error) || !notFinite.has(error.code)) throw error;
    const { run, contract, program } = this.live;
    this.site.logger.warn({ run, round: round.round, code: error.code }, explainError(error));
    const extras = { fault: 1 };
    if (round.purpose !== Purpose.train) {
      return {
        file: this.saveValues(round, new Float64Array(program.vectorLength(round))),
        weight: 1,
        extras,
      };
    }
    const data = await this.dataOf(this.armOf(round.arm), 'train');
    const units = data ? unitsOf(this.live, data) : 0;
    return { weight: weightOf(units, contract.plan.secureAggregation.weightCap), extras, norm: 0 };
  }

  private work(round: ScheduledRound, manifest: Manifest): Promise<LocalFacts> {
    if (round.silent.includes(this.site.site.own.id)) return Promise.resolve(SILENT);
    switch (round.purpose) {
      case Purpose.statistics:
        return this.statistic(round);
      case Purpose.train:
        return this.train(round, manifest);
      case Purpose.evaluation:
        if (isValidation(round)) return this.validate(round);
        return round.baseline === undefined ? this.evaluate(round) : this.baselineSums(round);
    }
  }

  private contributionOf(round: ScheduledRound, facts: LocalFacts): Contribution {
    if (facts.weight === 0 && facts.file === undefined && facts.norm === undefined) return { kind: 'silent' };
    const path = facts.file === undefined ? null : join(this.live.folder, facts.file);
    if (round.purpose === Purpose.train) return { kind: 'update', deltaPath: path };
    const bytes = Uint8Array.from(readFileSync(path ?? ''));
    return { kind: 'values', values: new Float64Array(bytes.buffer) };
  }

  private async statistic(round: ScheduledRound): Promise<LocalFacts> {
    const values = await this.site.data.statistics({ ...this.armRequest(this.armOf(round.arm)), round });
    return { file: this.saveValues(round, values), weight: 1, extras: {} };
  }

  private async baselineSums(round: ScheduledRound): Promise<LocalFacts> {
    const fit = slimFit(this.live.program.baselines.fit(round));
    const values = await this.site.data.baselineSums({
      ...this.armRequest(this.armOf(round.arm)),
      ...{ round, fit },
    });
    return { file: this.saveValues(round, values), weight: 1, extras: {} };
  }

  private armRequest(arm: Arm) {
    const { contract, program } = this.live;
    const specification = program.specification(arm.index);
    return { contract, siteId: this.site.site.own.id, arm, specification };
  }

  private async train(round: ScheduledRound, manifest: Manifest): Promise<LocalFacts> {
    const { contract, folder } = this.live;
    const arm = this.armOf(round.arm);
    const data = await this.dataOf(arm, 'train');
    if (!data) throw new RegulonError('E_UNITS', `arm ${arm.label} has no training units at this site`);
    await this.site.data.release();
    const file = `delta-${round.round}.f32`;
    if (this.site.config.testing?.skipTraining)
      return this.skipped(file, manifest.d, unitsOf(this.live, data));
    const result = await this.trainOnce(round, arm, data, join(folder, file), manifest.deadlines[2] ?? 0);
    const { weightCap } = contract.plan.secureAggregation;
    const weight = weightOf(unitsOf(this.live, data, result), weightCap);
    return { file, weight, norm: weight * Math.sqrt(result.deltaNormSquared), ...saidOf(contract, result) };
  }

  /** Under test: almost the weights that came, since no site answers twice for one model (a round without training). */
  private skipped(file: string, parameters: number, count: number): LocalFacts {
    writeFileSync(join(this.live.folder, file), Float32Array.of(2 ** -10), { mode: 0o600 });
    truncateSync(join(this.live.folder, file), 4 * parameters);
    const weight = weightOf(count, this.live.contract.plan.secureAggregation.weightCap);
    return { file, weight, norm: 0, extras: { loss: 0, correct: 0, count } };
  }

  private async trainOnce(
    round: ScheduledRound,
    arm: Arm,
    data: ArmData,
    deltaPath: string,
    deadlineMs: number,
  ): Promise<TrainResult> {
    const job = {
      ...this.modelJob(arm, data),
      ...trainingOf(this.live, round, this.site.site.own.id, data),
      ...this.localWeights.pathsFor(round),
      ...{ weightsPath: this.live.modelOf(arm.index), deltaPath, sparePath: sparePath(this.live.folder) },
    };
    return this.trainer.run((trainer) => {
      const timeoutSeconds = Math.max(1, Math.ceil((deadlineMs - Date.now()) / 1000));
      return trainer.train({ ...job, timeoutSeconds });
    });
  }

  private async validate(round: ScheduledRound): Promise<LocalFacts> {
    const arm = this.armOf(round.arm);
    const data = await this.dataOf(arm, 'validation');
    let score: SiteScore = { count: 0 };
    if (data && !this.site.config.testing?.skipTraining) {
      await this.site.data.release();
      const job = this.scoringJob(arm, data);
      score = await this.trainer.run((trainer) => trainer.evaluate(job));
    }
    const values = encodeValidation(this.live.contract, score);
    return { file: this.saveValues(round, values), weight: 1, extras: {} };
  }

  private scoringJob(arm: Arm, data: ArmData) {
    return {
      ...{ ...this.modelJob(arm, data), weightsPath: this.live.modelOf(arm.index) },
      ...this.localWeights.latest(arm.index),
    };
  }

  private async evaluate(round: ScheduledRound): Promise<LocalFacts> {
    const { contract, program } = this.live;
    let score: SiteScore = { count: 0 };
    for (const arm of program.arms.filter((a) => a.evaluated)) {
      const data = await this.dataOf(arm, 'test');
      if (!data || this.site.config.testing?.skipTraining) continue;
      const scores = scoreShapeOf(contract);
      const job = {
        ...this.scoringJob(arm, data),
        ...(scores && { scores }),
        ...(contract.plan.task === 'heads' ? { heads: headShapesOf(contract) } : {}),
      };
      score = addScore(score, await this.trainer.run((trainer) => trainer.evaluate(job)));
      score = await withBaselines(score, this.armRequest(arm), program, this.site.data);
    }
    if (contract.plan.task === 'forecast') {
      score = { ...score, ...(await this.site.data.baselines(contract.plan.evaluation.horizon)) };
    }
    await this.site.data.release();
    const values = encodeEvaluation(contract, this.site.site.own.id, score);
    return { file: this.saveValues(round, values), weight: 1, extras: {} };
  }

  private modelJob(arm: Arm, data: ArmData) {
    const { plan } = this.live.contract;
    const { inputShape, outputs } = this.live.program.modelFrame(arm.index);
    return {
      declaration: plan.model,
      inputShape,
      outputs,
      task: plan.task,
      data,
      modelFiles: modelFilePaths(plan.model, join(this.site.config.stateFolder, 'model-files')),
      site: this.site.config.site,
      horizon: plan.evaluation.horizon,
    };
  }

  private dataOf(arm: Arm, use: UnitUse): Promise<ArmData | null> {
    const prefix = armPrefix(this.live.folder, arm.index, use);
    const known = this.features.get(prefix);
    if (known) return known;
    const written = this.site.data.writeFeatures({ ...this.armRequest(arm), use, prefix });
    this.features.set(prefix, written);
    written.catch(() => this.features.delete(prefix));
    return written;
  }

  private armOf(index: number): Arm {
    const arm = this.live.program.arms[index];
    if (!arm) throw new RegulonError('E_STATE', `the run has no arm ${index}`);
    return arm;
  }

  private saveValues(round: ScheduledRound, values: Float64Array): string {
    const name = `values-${round.round}.f64`;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    guarded('local statistic', () =>
      writeFileSync(join(this.live.folder, name), bytes, { mode: 0o600, flush: true }),
    );
    return name;
  }
}
