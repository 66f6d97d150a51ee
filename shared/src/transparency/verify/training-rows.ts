import { z } from 'zod';
import { enc, equalBytes, sha256, utf8 } from '../../crypto/index.js';
import {
  hasWorsened,
  stoppingRuleSchema,
  stoppingState,
  validationDigest,
  type ValidationFigures,
} from '../../plan/index.js';
import type { LogEntry } from '../entries/schema.js';
import { armModel } from '../entries/bodies-plan.js';
import { digestBytes, digestText } from '../entries/fields.js';
import type { ApprovedRun } from './approval-rows.js';
import { partOfPlan } from './attached-plan.js';
import { elementsOf, type VerifyContext } from './context.js';
import type { Placed, RunView } from './run-view.js';

/** Numbers of an attached plan are decimal strings. */
const number = z.string().transform(Number);

/** What of an attached plan says how long an arm is trained; other members are not read. */
const trainingPlan = z.object({
  training: z.object({ rounds: number }),
  evaluation: z.object({
    every: number.optional(),
    maxWorsening: number.optional(),
    earlyStopping: z
      .object({ metric: stoppingRuleSchema.shape.metric, patience: number, minDelta: number })
      .optional(),
  }),
});
type TrainingPlan = z.infer<typeof trainingPlan>;

/** A closed round as the log states it. */
interface StatedRound {
  readonly open: Placed<'round.open'>;
  readonly aggregate: Placed<'round.aggregate'>;
}

/** The training of one arm as the log has it. */
interface TrainedArm {
  /** closed rounds `train` and `validate`, in the order of the log */
  readonly rounds: readonly StatedRound[];
  /** digest text of the model that the plan makes of them */
  readonly model: string | undefined;
  /** whether the plan asks for no more of them */
  readonly isDone: boolean;
}

/**
 * Rows S2 and S4 of the training of each arm: as many rounds, validated as often, as the plan and its early stopping say
 * by the figures in the log, and the model that they say.
 */
export function checkTraining(
  context: VerifyContext,
  view: RunView,
  approved: ApprovedRun | undefined,
): void {
  const plan = approved && partOfPlan(context, approved, trainingPlan);
  if (plan === undefined) return;
  const rounds = statedRounds(view);
  const own = rounds.filter(({ open }) => isTraining(open.entry.body.stepId));
  const numbers = [...new Set(own.map(({ open }) => open.entry.body.arm))];
  const arms = new Map(numbers.map((arm) => [arm, armOf(context, plan, own, arm)]));
  for (const [arm, trained] of arms) checkLength(context, view, arm, trained);
  checkModels(context, view, rounds, arms);
}

function statedRounds({ opens, aggregates }: RunView): StatedRound[] {
  const keyOf = ({ round, attempt }: LogEntry<'round.open' | 'round.aggregate'>): string =>
    `${round} ${attempt}`;
  const byKey = new Map(opens.map((open) => [keyOf(open.entry), open]));
  return aggregates.flatMap((aggregate) => {
    const open = byKey.get(keyOf(aggregate.entry));
    return open ? [{ open, aggregate }] : [];
  });
}

const isTraining = (stepId: string): boolean => stepId === 'train' || stepId === 'validate';

/** What the plan asks for next, given the figures so far. */
function* stepsOf(
  { training, evaluation: { every, earlyStopping } }: TrainingPlan,
  figures: readonly ValidationFigures[],
): Generator<'train' | 'validate'> {
  for (let iteration = 1; iteration <= training.rounds; iteration++) {
    yield 'train';
    if (every === undefined || (iteration % every !== 0 && iteration !== training.rounds)) continue;
    yield 'validate';
    if (earlyStopping && figures.length > 0 && stoppingState(figures, earlyStopping).stops) return;
  }
}

function armOf(
  { findings }: VerifyContext,
  plan: TrainingPlan,
  all: readonly StatedRound[],
  arm: number,
): TrainedArm {
  const rounds = all.filter(({ open }) => open.entry.body.arm === arm);
  const figures: ValidationFigures[] = [];
  const scored: string[] = [];
  const steps = stepsOf(plan, figures);
  for (const { open, aggregate } of rounds) {
    const { round } = open.entry;
    const { stepId, modelIn } = open.entry.body;
    const wanted = steps.next();
    const due = wanted.done ? 'nothing more' : wanted.value;
    if (due !== stepId) {
      const note = `round ${round} is ${stepId} of arm ${arm}, where the plan has ${due}`;
      findings.fail('S2', note, open.index);
      return { rounds, model: undefined, isDone: true };
    }
    if (stepId !== 'validate') continue;
    const stated = aggregate.entry.body;
    if (!stated.figures || !isFrom(modelIn, stated.figures, stated.modelOut)) {
      const note = `round ${round}: its result does not cover the figures in the log`;
      findings.fail('S2', note, aggregate.index);
      return { rounds, model: undefined, isDone: true };
    }
    figures.push(stated.figures);
    if (isBarred(plan, figures)) {
      const note = `round ${round} takes a model whose loss lies further above the lowest of arm ${arm} than the plan allows`;
      findings.fail('S2', note, aggregate.index);
    }
    scored.push(modelIn);
  }
  const isDone = steps.next().done === true;
  const rule = plan.evaluation.earlyStopping;
  const last = rounds.findLast(({ open }) => open.entry.body.stepId === 'train');
  const best = rule && isDone && figures.length > 0 ? scored[stoppingState(figures, rule).best] : undefined;
  return { rounds, model: best ?? last?.aggregate.entry.body.modelOut, isDone };
}

/** Whether the validation gate of the plan has barred the newest model. */
function isBarred(
  { evaluation: { maxWorsening } }: TrainingPlan,
  figures: readonly ValidationFigures[],
): boolean {
  if (maxWorsening === undefined) return false;
  return hasWorsened(
    figures.map(({ loss }) => Number(loss)),
    maxWorsening,
  );
}

const isFrom = (modelIn: string, figures: ValidationFigures, modelOut: string): boolean =>
  equalBytes(validationDigest(digestBytes(modelIn), figures), digestBytes(modelOut));

/** No attempt after the plan asks for no more, and none left out where the run went on or was completed. */
function checkLength({ findings }: VerifyContext, view: RunView, arm: number, trained: TrainedArm): void {
  const { rounds, isDone } = trained;
  const end = rounds.reduce((_, { aggregate }) => aggregate.index, 0);
  const after = view.opens.filter(({ index }) => index > end);
  const own = after.find(({ entry: { body } }) => body.arm === arm && isTraining(body.stepId));
  if (isDone && own)
    findings.fail(
      'S2',
      `round ${own.entry.round} trains arm ${arm} after the plan has ended that`,
      own.index,
    );
  if (isDone) return;
  const other = after.find(({ entry: { body } }) => body.arm !== arm || !isTraining(body.stepId));
  const finish = view.finish?.entry.body.status.startsWith('COMPLETED') ? view.finish : undefined;
  const early = other ?? finish;
  if (early) findings.fail('S2', `the training of arm ${arm} ends before the plan ends it`, early.index);
}

/** The models that the run scores and leaves behind are those of the plan. */
function checkModels(
  { findings, log }: VerifyContext,
  view: RunView,
  rounds: readonly StatedRound[],
  arms: ReadonlyMap<number, TrainedArm>,
): void {
  for (const { arm, model } of elementsOf(view.finish?.entry.body.models ?? [], armModel, log.resolve)) {
    const trained = arms.get(arm);
    if (trained?.isDone && trained.model !== undefined && trained.model !== model)
      findings.fail('S4', `the model of arm ${arm} is not the one that the plan chooses`, view.finish?.index);
  }
  const models = [...arms.values()].flatMap(({ model }) => model ?? []);
  const scored = rounds.find(({ open }) => open.entry.body.stepId === 'evaluate');
  if (!scored || models.length !== arms.size) return;
  const digest = sha256(enc(utf8('regulon/evaluation/v1'), ...models.map(digestBytes)));
  if (scored.open.entry.body.modelIn !== digestText(digest))
    findings.fail('S4', 'the evaluation scores other models than the plan chooses', scored.open.index);
}
