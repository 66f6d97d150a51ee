import { RegulonError } from '../errors/index.js';
import {
  hasWorsened,
  stoppingState,
  type StoppingState,
  validationDigest,
  type ValidationFigures,
} from '../plan/index.js';
import type { RunContract } from './contract.js';
import type { ArmModel, ArmModels } from './arm-models.js';
import type { Following } from './round-outcome.js';
import { isValidation, Purpose, type ScheduledRound } from './schedule.js';
import { figuresOf, type ValidationPoint } from './validation-point.js';
import { validationPointOf } from './validation-sums.js';

/** What an arm has been scored at, in the order of its validation rounds. */
interface Scored {
  readonly figures: readonly ValidationFigures[];
  readonly models: readonly ArmModel[];
  /** null without early stopping */
  readonly state: StoppingState | null;
}

/** The validation rounds of a run, and what its rule of early stopping makes of them. */
export class Validation {
  readonly points: ValidationPoint[] = [];
  /** of each round, what followed from it */
  private readonly digests = new Map<number, Uint8Array>();
  private readonly arms = new Map<number, Scored>();

  /** @param models those of the arms: where the training of one ends, its best becomes its model */
  constructor(
    private readonly contract: RunContract,
    private readonly models: ArmModels,
  ) {}

  /**
   * What follows from the sum of a validation round.
   *
   * @throws as `validationPointOf`; E_STATE before the model of its arm is initialised; E_WORSENED when the loss lies too far
   *   above the lowest of its arm: nothing is made of the model
   */
  following(round: ScheduledRound, sums: Float64Array, survivors: number): Following {
    const { arm, iteration } = round;
    const scored = this.models.of(arm);
    if (!scored) throw new RegulonError('E_STATE', `arm ${arm} has no model to validate`);
    const validation = validationPointOf(this.contract, round, sums, survivors);
    this.verifyGate(validation);
    const modelOut = validationDigest(scored.model, figuresOf(validation));
    const apply = (): void => {
      this.points.push(validation);
      this.digests.set(round.round, modelOut);
      this.arms.set(arm, this.after(validation, scored));
      const best = this.best(arm);
      const isLast = iteration + 1 === this.contract.plan.training.rounds;
      if (best && (isLast || this.arms.get(arm)?.state?.stops)) this.models.set(arm, best);
    };
    return { modelOut, point: null, validation, finding: null, apply };
  }

  /** Figures of a validation round that has closed; undefined for other rounds. */
  figures(round: number): ValidationFigures | undefined {
    const point = this.points.find((known) => known.round === round);
    return point && figuresOf(point);
  }

  /** What followed from a validation round, 32 bytes; null before it has closed. */
  digest(round: number): Uint8Array | null {
    return this.digests.get(round) ?? null;
  }

  /** The best model of an arm so far; null without early stopping, or before it was scored. */
  best(arm: number): ArmModel | null {
    const { models, state } = this.arms.get(arm) ?? {};
    return models?.[state?.best ?? -1] ?? null;
  }

  /** The rounds of a run after a validation round: without the training of its arm where early stopping ends that. */
  shortened(
    rounds: readonly ScheduledRound[],
    { arm, round: last }: ScheduledRound,
  ): readonly ScheduledRound[] {
    if (!this.arms.get(arm)?.state?.stops) return rounds;
    const isSaved = (round: ScheduledRound): boolean =>
      round.arm === arm && round.round > last && (round.purpose === Purpose.train || isValidation(round));
    return rounds.filter((round) => !isSaved(round)).map((round, i) => ({ ...round, round: i }));
  }

  /** The run ends with a poisoned model, not with one release of it: a model before it would need its rounds again. */
  private verifyGate(point: ValidationPoint): void {
    const { maxWorsening } = this.contract.plan.evaluation;
    if (maxWorsening === undefined) return;
    const own = [...this.points, point].filter(({ arm }) => arm === point.arm);
    const losses = own.map(({ loss }) => loss);
    if (!hasWorsened(losses, maxWorsening)) return;
    throw new RegulonError(
      'E_WORSENED',
      `round ${point.round}: the held-out loss of arm ${point.arm} is ${point.loss.toPrecision(4)}, more than ${maxWorsening} above ${Math.min(...losses.slice(0, -1)).toPrecision(4)}`,
    );
  }

  private after(point: ValidationPoint, model: ArmModel): Scored {
    const { figures = [], models = [] } = this.arms.get(point.arm) ?? {};
    const all = [...figures, figuresOf(point)];
    const { earlyStopping } = this.contract.plan.evaluation;
    const state = earlyStopping ? stoppingState(all, earlyStopping) : null;
    return { figures: all, models: [...models, model], state };
  }
}
