import { mainScoreOf } from '@regulon/shared/program';
import { type Column, shareText, tableLines } from '../output/index.js';
import { type DemoOutcome, meanOf } from './outcome.js';

interface ScoreRow {
  readonly name: string;
  /** a column each; what is missing shows as a dash */
  readonly values: readonly (number | null)[];
  readonly note: string;
}

/** Scores of a classification, as runs and references give them. */
interface ClassScore {
  readonly accuracy: number | null;
  readonly balancedAccuracy: number | null;
  readonly recallPerClass: readonly (number | null)[] | null;
}

/** The table of scores: what federation gains over lone sites, and loses against pooled data. */
export function scoreLines(outcome: DemoOutcome): string[] {
  switch (outcome.plan.task) {
    case 'classify':
      return classifyLines(outcome);
    case 'reconstruct':
      return reconstructLines(outcome);
    case 'forecast':
      return forecastLines(outcome);
    case 'heads':
      return headLines(outcome);
  }
}

function classifyLines({ plan, result, reference }: DemoOutcome): string[] {
  const classes = plan.label?.classes ?? [];
  const pooled = result?.pooled;
  const { label } = reference;
  const lone = reference.lone.map(({ score }) => score);
  const loneAccuracies = reference.lone.map(({ site, score }) => ({ site, value: score.accuracy }));
  const largest = largestClass(pooled?.confusion, classes.length);
  const row = (name: string, note: string, score: Partial<ClassScore> | undefined): ScoreRow => {
    const { accuracy = null, balancedAccuracy = null, recallPerClass } = score ?? {};
    return {
      name,
      note,
      values: [accuracy, balancedAccuracy, ...classes.map((_, k) => recallPerClass?.[k] ?? null)],
    };
  };
  const majority = {
    accuracy: pooled?.majority ?? null,
    balancedAccuracy: 1 / classes.length,
    recallPerClass: classes.map((_, k) => (largest === null ? null : Number(k === largest))),
  };
  const loneMean = {
    accuracy: meanOf(lone.map(({ accuracy }) => accuracy)),
    balancedAccuracy: meanOf(lone.map(({ balancedAccuracy }) => balancedAccuracy)),
    recallPerClass: classes.map((_, k) => meanOf(lone.map((score) => score.recallPerClass?.[k] ?? null))),
  };
  const rows = [
    row('majority class', '', majority),
    row('lone sites, mean', label, loneMean),
    ...loneExtremes(loneAccuracies, label, 'high'),
    row('federated', 'this run, secure aggregation on', pooled),
    ...(result?.baselines ?? []).map(({ name, note, metrics }) => row(name, `baseline; ${note}`, metrics)),
    row('pooled', label, reference.pooled),
  ];
  return scoreTable(['accuracy', 'balanced', ...classes.map(({ name }) => `recall ${name}`)], rows);
}

function reconstructLines({ result, reference }: DemoOutcome): string[] {
  const lone = reference.lone.map(({ site, score }) => ({ site, value: score.mse }));
  const rows: ScoreRow[] = [
    { name: 'mean profile', values: [1], note: 'z-scores have variance 1 on the training units' },
    { name: 'lone sites, mean', values: [meanOf(lone.map((row) => row.value))], note: reference.label },
    ...loneExtremes(lone, reference.label, 'low'),
    { name: 'federated', values: [result?.pooled.mse ?? null], note: 'this run, secure aggregation on' },
    { name: 'pooled', values: [reference.pooled.mse], note: reference.label },
    { name: '64 principal components', values: [reference.pca64Mse], note: reference.label },
  ];
  return scoreTable(['mean squared error'], rows);
}

function forecastLines({ result, reference }: DemoOutcome): string[] {
  const bySite = result?.bySite ?? [];
  const sites = reference.units.map(({ site }) => site);
  const own = (site: string) => bySite.find((row) => row.site === site)?.metrics;
  const of = (rows: typeof reference.lone, site: string): number | null =>
    rows.find((row) => row.site === site)?.score.mse ?? null;
  const row = (
    name: string,
    note: string,
    all: number | null,
    value: (site: string) => number | null,
  ): ScoreRow => ({
    name,
    note,
    values: [all, ...sites.map(value)],
  });
  const total = result?.pooled;
  const baseline = 'each site on its own series';
  const rows = [
    row('last value', baseline, total?.lastValueMse ?? null, (site) => own(site)?.lastValueMse ?? null),
    row('zero', baseline, total?.zeroMse ?? null, (site) => own(site)?.zeroMse ?? null),
    row('AR(3), ridge', baseline, total?.ar3Mse ?? null, (site) => own(site)?.ar3Mse ?? null),
    row('lone sites', reference.label, meanOf(reference.lone.map(({ score }) => score.mse)), (site) =>
      of(reference.lone, site),
    ),
    row('federated', 'this run, secure aggregation on', total?.mse ?? null, (site) => own(site)?.mse ?? null),
    row('pooled', reference.label, reference.pooled.mse, (site) => of(reference.pooledBySite, site)),
  ];
  return ['Mean squared error, one step ahead', ...scoreTable(['all', ...sites], rows)];
}

function headLines({ result, reference }: DemoOutcome): string[] {
  const heads = result?.pooled.heads ?? [];
  const of = (score: typeof reference.pooled, name: string): number | null =>
    score.heads?.find(({ head }) => head === name)?.value ?? null;
  const row = (name: string, note: string, value: (head: string) => number | null): ScoreRow => ({
    ...{ name, note, values: heads.map(({ head }) => value(head)) },
  });
  const rows = [
    row('lone sites, mean', reference.label, (head) =>
      meanOf(reference.lone.map(({ score }) => of(score, head))),
    ),
    {
      ...{ name: 'federated', note: 'this run, secure aggregation on' },
      values: heads.map((metrics) => mainScoreOf(metrics).value),
    },
    ...(result?.baselines ?? []).map(({ name, note, metrics }) => ({
      ...{ name, note: `baseline; ${note}` },
      values: (metrics.heads ?? []).map((head) => mainScoreOf(head).value),
    })),
    row('pooled', reference.label, (head) => of(reference.pooled, head)),
  ];
  return scoreTable(
    heads.map((metrics) => `${metrics.head}: ${mainScoreOf(metrics).name}`),
    rows,
  );
}

function scoreTable(titles: readonly string[], rows: readonly ScoreRow[]): string[] {
  const columns: Column<ScoreRow>[] = [
    { title: '', value: (row) => row.name },
    ...titles.map((title, i) => ({ title, value: (row: ScoreRow) => shareText(row.values[i]), right: true })),
    { title: '', value: (row) => row.note },
  ];
  return tableLines(columns, rows);
}

/** The worst and the best lone site, by name. */
function loneExtremes(
  lone: readonly { site: string; value: number | null }[],
  note: string,
  good: 'high' | 'low',
): ScoreRow[] {
  const sorted = lone
    .filter((row): row is { site: string; value: number } => row.value !== null)
    .sort((a, b) => (good === 'high' ? a.value - b.value : b.value - a.value));
  const row = (which: string, entry: { site: string; value: number } | undefined): ScoreRow[] =>
    entry ? [{ name: `lone sites, ${which}`, values: [entry.value], note: `${entry.site}; ${note}` }] : [];
  return [...row('worst', sorted[0]), ...row('best', sorted.at(-1))];
}

function largestClass(confusion: readonly number[] | undefined, classes: number): number | null {
  if (!confusion) return null;
  const rows = Array.from({ length: classes }, (_, k) =>
    confusion.slice(k * classes, (k + 1) * classes).reduce((a, b) => a + b, 0),
  );
  return rows.indexOf(Math.max(...rows));
}
