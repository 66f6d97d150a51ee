import { enc, sha256, utf8 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import {
  featureCount,
  type FeatureSpecification,
  findingOf,
  specificationDigest,
  type StatisticsStep,
} from '../genomics/index.js';
import { isPrepared } from '../plan/index.js';
import {
  initialWeights,
  manifestOf,
  type ModelFrame,
  travellingWeights,
  type WeightSpec,
} from '../models/index.js';
import type { Manifest } from '../secagg/index.js';
import { type ArmModel, ArmModels } from './arm-models.js';
import { BaselineFits } from './baselines.js';
import type { RunContract } from './contract.js';
import { decodeEvaluation, type RunResult } from './evaluation.js';
import {
  decodeExtras,
  type ExtraField,
  statisticsExtras,
  type SummedExtras,
  trainingExtras,
} from './extras.js';
import { type CurvePoint, curvePointOf } from './learning-curve.js';
import { modelFrameOf } from './model-frame.js';
import {
  type ClosingRound,
  contributing,
  type Following,
  required,
  type RoundOutcome,
} from './round-outcome.js';
import { type OpenedAttempt, roundManifest } from './round-manifest.js';
import {
  type Arm,
  armsOf,
  firstSpecification,
  fitsOnce,
  isValidation,
  preparationOf,
  Purpose,
  scheduleOf,
  type ScheduledRound,
} from './schedule.js';
import { type StepTerms, stepTermsOf, type TrainingSums } from './step-terms.js';
import { Validation } from './validation.js';
import { boundOf, fractionBitsOf, vectorLengthOf } from './vectors.js';

/**
 * What a plan implies, round by round: the same machine at the coordinator, at every site and in the verifier.
 *
 * Pure and deterministic: replaying the outcomes of the closed rounds in order restores it after a crash.
 */
export class RunProgram {
  readonly arms: readonly Arm[];
  private rounds: readonly ScheduledRound[];
  readonly curve: CurvePoint[] = [];
  readonly baselines: BaselineFits;
  readonly validation: Validation;
  private readonly steps: readonly StatisticsStep[];
  private readonly specifications: FeatureSpecification[];
  private readonly models: ArmModels;
  /** energies of the tiles of each arm's closed training rounds, where the plan tests them */
  private readonly tiles: number[][][];
  private position = 0;
  private evaluation: RunResult | null = null;

  constructor(readonly contract: RunContract) {
    this.arms = armsOf(
      contract.plan,
      contract.sites.map((s) => s.id),
    );
    this.steps = preparationOf(contract);
    this.baselines = new BaselineFits(contract, (arm) => this.specification(arm));
    this.models = new ArmModels(this.arms.length);
    this.tiles = this.arms.map(() => []);
    this.validation = new Validation(contract, this.models);
    this.rounds = scheduleOf(contract, this.arms, this.steps, this.baselines.list);
    this.specifications = this.arms.map(() => firstSpecification(contract));
  }

  /** The round to run next, or null when the run is done. */
  next(): ScheduledRound | null {
    return this.schedule[this.position] ?? null;
  }

  /** Every round of the run, done or to come; early stopping takes those out that it saves, and what follows moves up. */
  get schedule(): readonly ScheduledRound[] {
    return this.rounds;
  }

  /** Feature specification of an arm as fitted so far. */
  specification(arm: number): FeatureSpecification {
    const fitted = this.specifications[fitsOnce(this.contract.plan) ? 0 : arm];
    if (fitted === undefined) throw new RegulonError('E_STATE', `the run has no arm ${arm}`);
    return fitted;
  }

  /** Digest of the current model of an arm, or null before it is initialised. */
  model(arm: number): Uint8Array | null {
    return this.models.of(arm)?.model ?? null;
  }

  /** Training round that gave the current model of an arm; null before its first. */
  modelRound(arm: number): number | null {
    return this.models.of(arm)?.round ?? null;
  }

  /** Models of an arm that later rounds need: the current one, and with early stopping the best so far. */
  keptModels(arm: number): ArmModel[] {
    return [this.models.of(arm), this.validation.best(arm)].flatMap((model) => model ?? []);
  }

  /** The statistic that a round of purpose `statistics` sums. */
  step(round: ScheduledRound): StatisticsStep {
    const step = this.steps.find((s) => s.id === round.stepId);
    if (!step || round.purpose !== Purpose.statistics)
      throw new RegulonError('E_STATE', `round ${round.round} sums no statistic`);
    return step;
  }

  /** Shape of one unit and width of the output; needs the fitted specification of the arm. */
  modelFrame(arm: number): ModelFrame {
    const { plan, panel } = this.contract;
    return modelFrameOf(
      plan,
      isPrepared(plan.dataset.kind) ? featureCount(this.specification(arm)) : panel.size,
    );
  }

  /** Weights of an arm's model that travel, in their fixed order; needs the fitted specification of the arm. */
  weightSpecs(arm: number): WeightSpec[] {
    return travellingWeights(this.allWeights(arm));
  }

  /** First weights of an arm that never leave their site, float32 in manifest order; empty for most models. */
  initialLocalWeights(arm: number): Float32Array {
    const own = this.allWeights(arm).filter(({ aggregate }) => aggregate === 'local');
    const pieces = [...initialWeights(own, { seed: this.contract.plan.seed, arm })];
    return Float32Array.from(pieces.flatMap((piece) => [...piece]));
  }

  private allWeights(arm: number): WeightSpec[] {
    return manifestOf(this.contract.plan.model, this.modelFrame(arm));
  }

  /** Initial weights of an arm, float32 in manifest order, in pieces of at most 1 MiB. */
  initialModel(arm: number): Generator<Float32Array> {
    return initialWeights(this.weightSpecs(arm), { seed: this.contract.plan.seed, arm });
  }

  /** Tell the program the digest of an arm's initial model (hashing it is the caller's work). */
  setInitialModel(arm: number, modelHash: Uint8Array): void {
    this.models.initialise(arm, modelHash);
  }

  /** modelHash of a round's manifest: model, specification so far, or all models; null until the initial model is set. */
  modelHash(round: ScheduledRound): Uint8Array | null {
    switch (round.purpose) {
      case Purpose.train:
        return this.model(round.arm);
      case Purpose.statistics:
        return specificationDigest(this.specification(round.arm));
      case Purpose.evaluation: {
        if (isValidation(round)) return this.model(round.arm);
        const models = this.arms.map((_, arm) => this.model(arm) ?? new Uint8Array(0));
        return this.baselines.digest(round) ?? sha256(enc(utf8('regulon/evaluation/v1'), ...models));
      }
    }
  }

  /** d: coordinates of the round's vector, extras not counted. */
  vectorLength(round: ScheduledRound): number {
    return vectorLengthOf(this, round);
  }

  /** Extras of a round in their order, the weight (always first) not listed. */
  extras(round: ScheduledRound): readonly ExtraField[] {
    return round.purpose === Purpose.train ? trainingExtras(this.contract.plan) : statisticsExtras;
  }

  /** 0 for training, else the fraction bits of the fixed-point statistics. */
  fractionBits(round: ScheduledRound): number {
    return fractionBitsOf(this, round);
  }

  /** Every field of the manifest of a round. @throws E_STATE before the initial model of its arm is set */
  manifest(round: ScheduledRound, open: OpenedAttempt): Manifest {
    const modelHash = this.modelHash(round);
    if (!modelHash) throw new RegulonError('E_STATE', `the model of arm ${round.arm} is not initialised`);
    const facts = {
      modelHash,
      length: this.vectorLength(round),
      extras: this.extras(round),
      bound: boundOf(this, round),
      fractionBits: this.fractionBits(round),
    };
    return roundManifest(this.contract, round, facts, open);
  }

  /** Decode the ring integers of the extras of a round (weight first). */
  decodeExtras(round: ScheduledRound, integers: readonly number[]): SummedExtras {
    return decodeExtras(this.extras(round), integers);
  }

  /** What the server step (`serverStepOf`) of a training round of an arm depends on. */
  stepTerms(arm: number, sums: TrainingSums): StepTerms {
    return stepTermsOf(this.contract, this.weightSpecs(arm), sums, this.tiles[arm] ?? []);
  }

  /**
   * Close the next round and move on.
   *
   * @throws what `closing` throws; nothing has changed then
   */
  complete(round: ScheduledRound, outcome: RoundOutcome): void {
    this.closing(round, outcome).advance();
  }

  /**
   * What follows from the sum of the next round. Nothing changes before `advance`, so that what follows can be made
   * durable first.
   *
   * @throws E_FAULT when a site met a value outside the declared bounds (no site is named)
   * @throws E_UNITS when a released statistic covers too few units; E_STATE when the outcome does not fit the round
   */
  closing(round: ScheduledRound, outcome: RoundOutcome): ClosingRound {
    const { position } = this;
    if (this.next()?.round !== round.round)
      throw new RegulonError(
        'E_STATE',
        `round ${round.round} is not the next round of ${this.contract.plan.name}`,
      );
    if ((outcome.extras['fault'] ?? 0) > 0) {
      throw new RegulonError(
        'E_FAULT',
        `round ${round.round} (${round.stepId}): a value exceeded the bound that the plan declares`,
      );
    }
    const { apply, ...known } = this.following(round, outcome);
    const advance = (): void => {
      if (this.position !== position)
        throw new RegulonError('E_STATE', `round ${round.round} is closed already`);
      apply();
      this.position += 1;
      if (isValidation(round)) this.rounds = this.validation.shortened(this.rounds, round);
    };
    return { ...known, advance };
  }

  /** By purpose: the digest of what follows from a sum, and the change that it makes. */
  private following(round: ScheduledRound, outcome: RoundOutcome): Following {
    switch (round.purpose) {
      case Purpose.train: {
        const modelOut = required(outcome.modelHash, round);
        const { plan } = this.contract;
        // no loss is summed where the plan claims privacy
        const point = plan.privacy
          ? null
          : curvePointOf(plan, round, outcome.extras, outcome.survivors.length);
        const apply = (): void => {
          this.models.set(round.arm, { round: round.round, model: modelOut });
          if (point) this.curve.push(point);
          if (outcome.tiles) this.tiles[round.arm]?.push([...outcome.tiles]);
        };
        return { modelOut, point, validation: null, finding: null, apply };
      }
      case Purpose.statistics: {
        const fitted = this.step(round).fit(
          this.specification(round.arm),
          required(outcome.sums, round),
          contributing(round, outcome),
        );
        const apply = (): void => void (this.specifications[round.arm] = fitted);
        const finding = findingOf(fitted, round.stepId);
        return { modelOut: specificationDigest(fitted), point: null, validation: null, finding, apply };
      }
      case Purpose.evaluation: {
        const sums = required(outcome.sums, round);
        if (isValidation(round)) return this.validation.following(round, sums, contributing(round, outcome));
        const modelOut = required(this.modelHash(round) ?? undefined, round);
        const known = { modelOut, point: null, validation: null, finding: null };
        if (round.baseline !== undefined)
          return { ...known, apply: this.baselines.after(round, sums, contributing(round, outcome)) };
        const result = decodeEvaluation(this.contract, sums, (name) => this.baselines.note(name));
        return { ...known, apply: () => void (this.evaluation = result) };
      }
    }
  }

  /** The evaluation of the run, or null before its last round. */
  result(): RunResult | null {
    return this.evaluation;
  }
}
