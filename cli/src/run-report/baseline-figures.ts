import type { Plan } from '@regulon/shared/plan';
import { type HeadMetrics, mainScoreOf, type Metrics, type RunResult } from '@regulon/shared/program';
import { type Bar, barChart } from './bar-chart.js';
import type { Picture } from './chart-frame.js';
import { numberText } from './html.js';

/** The run beside its baselines: one picture, or one a head; none where there is nothing beside it. */
export function baselinePictures(plan: Plan, result: RunResult): Picture[] {
  const pictures = plan.task === 'heads' ? headPictures(result) : [taskPicture(plan, result)];
  return pictures.flatMap((picture) => picture ?? []);
}

/** Baselines that a plan can name for a task. */
const KNOWN: Partial<Record<Plan['task'], readonly string[]>> = {
  classify: ['ridge', 'logistic', 'elastic-net', 'pca-logistic', 'lone-sites'],
  heads: ['linear'],
};

/** Which baselines are missing beside the result, and why; empty for a task without any that a plan names. */
export function absentBaselines({ task, evaluation }: Plan): string {
  const named: readonly string[] = (evaluation.baselines ?? []).map(({ name }) => name);
  const known = KNOWN[task];
  if (!known) return '';
  const absent = known.filter((name) => !named.includes(name));
  const first = absent.length === 0 ? '' : `The plan does not ask for the baselines ${absent.join(', ')}. `;
  return `${first}Random forests are left out: trees do not add up, and those of one site hold values of single patients as thresholds; only sums leave a site.`;
}

function taskPicture({ task }: Plan, { pooled, baselines = [] }: RunResult): Picture | null {
  const isClasses = task === 'classify';
  const value = ({ accuracy, mse }: Metrics): number | undefined => (isClasses ? accuracy : mse);
  const own = value(pooled);
  if (own === undefined) return null;
  const interval = (metrics: Metrics) => (isClasses ? (metrics.accuracyInterval ?? null) : null);
  const beside: [string, number | undefined][] = [
    ['majority class', pooled.majority],
    ['last value', pooled.lastValueMse],
    ['zero', pooled.zeroMse],
    ['AR(3)', pooled.ar3Mse],
  ];
  const bars: Bar[] = [
    { name: 'this run', value: own, interval: interval(pooled), isRun: true },
    ...beside.flatMap(([name, score]) => (score === undefined ? [] : [{ name, value: score, isRun: false }])),
    ...baselines.flatMap(({ name, metrics }) => {
      const score = value(metrics);
      return score === undefined ? [] : [{ name, value: score, interval: interval(metrics), isRun: false }];
    }),
  ];
  const unit = isClasses ? 'accuracy (longer is better)' : 'mean squared error (shorter is better)';
  return pictureOf('Baselines', unit, bars, isClasses, notesOf(baselines));
}

/** Of each head: what needs no model, then the baselines. */
function headPictures({ pooled, baselines = [] }: RunResult): (Picture | null)[] {
  return (pooled.heads ?? []).map((head, h) => {
    const { name, value } = mainScoreOf(head);
    if (value === null) return null;
    const beside = baselines.flatMap(({ name: baseline, metrics }) => {
      const own = metrics.heads?.[h];
      const score = own ? mainScoreOf(own).value : null;
      return score === null ? [] : [{ name: baseline, value: score, isRun: false }];
    });
    const bars: Bar[] = [{ name: 'this run', value, isRun: true }, ...withoutModel(head), ...beside];
    return pictureOf(
      `Baselines of ${head.head}`,
      `${name} (longer is better)`,
      bars,
      true,
      notesOf(baselines),
    );
  });
}

function withoutModel({ classes, survival }: HeadMetrics): Bar[] {
  if (classes) return [{ name: 'majority class', value: classes.majority, isRun: false }];
  return survival
    ? [{ name: 'no order', value: 0.5, isRun: false }]
    : [{ name: 'mean of the target', value: 0, isRun: false }];
}

const notesOf = (baselines: NonNullable<RunResult['baselines']>): string =>
  baselines.map(({ name, note }) => ` ${name}: ${note}.`).join('');

/** @param bars that of the run first */
function pictureOf(
  title: string,
  unit: string,
  bars: readonly Bar[],
  isLongerBetter: boolean,
  notes: string,
): Picture | null {
  const [own, ...others] = bars;
  if (!own || others.length === 0) return null;
  const ahead = others.filter(({ value }) => (isLongerBetter ? value >= own.value : value <= own.value));
  const verdict =
    ahead.length === 0
      ? 'This run is ahead of every baseline shown.'
      : `Not ahead of: ${ahead.map(({ name }) => name).join(', ')}.`;
  const values = bars.map(({ name, value }) => `${name} ${numberText(value)}`).join('; ');
  return barChart(title, `${values}. ${verdict}${notes}`, unit, bars);
}
