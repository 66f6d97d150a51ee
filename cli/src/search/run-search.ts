import type { RunDocument } from '@regulon/coordinator/runs';
import { RegulonError } from '@regulon/shared/errors';
import type { Plan } from '@regulon/shared/plan';
import {
  chosenPlan,
  nextPlace,
  type Place,
  type PlanText,
  type Search,
  trialPlan,
  valuesAt,
} from '@regulon/shared/search';
import { runFailure } from '../sim/index.js';

/** A tried place. */
export interface Trial {
  /** from 1 */
  readonly trial: number;
  readonly run: string;
  /** in the order of the space */
  readonly values: readonly (number | string)[];
  /** over the validation units of all sites; null when training gave no finite numbers */
  readonly loss: number | null;
  readonly accuracy: number | null;
  /** an earlier trial with the same values, which was not run again */
  readonly sameAs?: number;
}

/** What a search found. */
export interface SearchOutcome {
  readonly trials: readonly Trial[];
  readonly best: Trial;
  readonly chosen: RunDocument;
}

/** How runs are carried out. */
export interface Runs {
  /** carry a plan out, or return the run that it became before; `label` tells runs of one search apart */
  readonly carryOut: (plan: Plan, label: string) => Promise<RunDocument>;
  /** of plans that claim privacy: the model of a run on the researcher's own samples */
  readonly score?: (document: RunDocument) => Promise<Score>;
  readonly say: (text: string) => void;
}

/** Loss and share of right classes of a model. */
export interface Score {
  /** null when it is no finite number */
  readonly loss: number | null;
  readonly accuracy: number | null;
}

/** Reasons that tell of the values that were tried, and not of the federation. */
const DIVERGED: readonly string[] = ['E_NOT_FINITE', 'E_LOSS_NOT_FINITE', 'E_FAULT'];

/**
 * Try places until the budget of runs is spent or the grid is exhausted, then train the best one and test it, once.
 *
 * Where the runs score nothing themselves the best one is the chosen one, and nothing is trained again.
 *
 * The same declaration and the same losses give the same trials, so a search that is begun again meets its own runs.
 *
 * @throws E_STATE when no trial gave a loss; whatever ended a run early
 */
export async function runSearch(plan: PlanText, search: Search, runs: Runs): Promise<SearchOutcome> {
  const trials: Trial[] = [];
  const places: Place[] = [];
  while (trials.length < search.runs) {
    const place = nextPlace(search.space, search.method, search.seed, evaluationsOf(trials, places));
    if (!place) break;
    trials.push(await tryPlace(place, { plan, search, runs, trials }));
    places.push(place);
  }
  const [best] = trials.filter(hasLoss).sort((a, b) => a.loss - b.loss);
  const place = best && places[best.trial - 1];
  if (!place)
    throw new RegulonError('E_STATE', `search: none of ${trials.length} trials ended with a finite loss`, {
      hint: 'lower the learning rates of the space, and give the search another name',
    });
  const again = runs.score ? trialPlan(plan, search, place, best.trial) : chosenPlan(plan, search, place);
  if (!runs.score)
    runs.say(`trial ${best.trial} has the least loss: its values are trained, and tested once`);
  const chosen = await runs.carryOut(again, runs.score ? `trial-${best.trial}` : 'chosen');
  const failure = runFailure(chosen);
  if (failure) throw failure;
  return { trials, best, chosen };
}

async function tryPlace(
  place: Place,
  { plan, search, runs, trials }: { plan: PlanText; search: Search; runs: Runs; trials: readonly Trial[] },
): Promise<Trial> {
  const trial = trials.length + 1;
  const values = valuesAt(search.space, place);
  const same = trials.find((other) => other.values.every((value, d) => value === values[d]));
  if (same) return { ...same, trial, sameAs: same.sameAs ?? same.trial };
  const words = search.space.map(({ key }, d) => `${key} ${valueText(values[d])}`);
  runs.say(`trial ${trial} of at most ${search.runs}: ${words.join(', ')}`);
  const document = await runs.carryOut(trialPlan(plan, search, place, trial), `trial-${trial}`);
  const score = await scoreOf(document, runs);
  runs.say(
    `trial ${trial}: ${score.loss === null ? 'no finite numbers' : `loss ${score.loss.toPrecision(4)}`}`,
  );
  return { trial, run: document.run, values, ...score };
}

/** Loss of the model that a run ended with. @throws what ended it, unless its numbers did */
async function scoreOf(document: RunDocument, { score }: Runs): Promise<Score> {
  const failure = runFailure(document);
  if (failure && !DIVERGED.includes(failure.code)) throw failure;
  const found = failure ? null : score ? await score(document) : lastPoint(document);
  return found && Number.isFinite(found.loss) ? found : { loss: null, accuracy: null };
}

/** What the validation round of the model that is kept summed. */
function lastPoint({ models, validation }: RunDocument): Score | null {
  const kept = models[0]?.trainingRound;
  const point = validation.find(({ iteration }) => iteration + 1 === kept) ?? validation.at(-1);
  return point ? { loss: point.loss, accuracy: point.accuracy } : null;
}

/** Diverged trials count as the worst that was seen. */
function evaluationsOf(trials: readonly Trial[], places: readonly Place[]) {
  const worst = Math.max(...trials.filter(hasLoss).map(({ loss }) => loss));
  return trials.map(({ loss }, k) => ({
    place: places[k] ?? [],
    loss: loss ?? (Number.isFinite(worst) ? worst : 0),
  }));
}

const hasLoss = (trial: Trial): trial is Trial & { readonly loss: number } => trial.loss !== null;

/** A value for people: four digits of a number that has more. */
export const valueText = (value: number | string | undefined): string =>
  typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value);
