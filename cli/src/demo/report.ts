import { bytesText, type Column, shareText, tableLines } from '../output/index.js';
import { type DemoOutcome, type DemoRound, meanOf } from './outcome.js';

/** The final report, for the hospital's IT and the researcher alike. The coverage stands in the first line. */
export function reportLines(outcome: DemoOutcome): string[] {
  const kind = outcome.simulated ? 'simulated' : 'declared public';
  return [
    `${outcome.status}  ${outcome.coverage}`,
    `Every dataset is ${kind}: the rules for public runs apply. Log gate: ${outcome.gateMode}.`,
    '',
    ...dataLines(outcome),
    '',
    ...scoreLines(outcome),
    '',
    ...roundLines(outcome),
    '',
    'What left each site (never a value of a patient, never an update in the clear)',
    ...leavingLines(outcome).map((line) => `  ${line}`),
    '',
    `Model   ${outcome.modelDigest ?? 'none'}`,
    `Log     ${outcome.log.size} entries, root ${outcome.log.root}`,
    ...outcome.log.lines.map((line) => `        ${line}`),
    ...machineLines(outcome),
    ...outcome.files.map((file) => `File    ${file}`),
    '',
    'Secure aggregation hid every single update. It does not hide what their sum, the model, tells: that takes',
    'differential privacy, which this run does not use.',
  ];
}

function dataLines({ plan, reference, run }: DemoOutcome): string[] {
  const units = reference.units.reduce((sum, site) => sum + site.units, 0);
  const names = reference.units.map(({ site, units: n }) => `${site} ${n}`).join(', ');
  return [
    `Plan    ${plan.name}: ${plan.title}`,
    `Run     ${run}`,
    `Data    ${units} units (${plan.dataset.unit}) at ${reference.units.length} sites: ${names}`,
    `Split   ${splitWords(plan.evaluation.split, plan.evaluation.horizon)}`,
  ];
}

function splitWords(split: DemoOutcome['plan']['evaluation']['split'], horizon: number): string {
  switch (split) {
    case 'leave-site-out':
      return 'each site left out once and tested on the model of the others';
    case 'holdout':
      return 'one fifth of the units of each site held out inside the site';
    case 'det5':
      return 'five folds inside each site; one score over all of them';
    case 'chronological':
      return `the last ${horizon} steps of each series, one step ahead`;
  }
}

interface ScoreRow {
  readonly name: string;
  readonly values: readonly (number | null)[];
  readonly note: string;
}

function scoreLines(outcome: DemoOutcome): string[] {
  switch (outcome.plan.task) {
    case 'classify':
      return classifyLines(outcome);
    case 'reconstruct':
      return reconstructLines(outcome);
    case 'forecast':
      return forecastLines(outcome);
  }
}

function classifyLines({ plan, result, reference }: DemoOutcome): string[] {
  const classes = plan.label?.classes ?? [];
  const pooled = result?.pooled;
  const lone = reference.lone.map(({ site, score }) => ({ site, value: score.accuracy }));
  const recalls = (values: readonly (number | null)[] | null | undefined): (number | null)[] =>
    classes.map((_, k) => values?.[k] ?? null);
  const majorityClass = largestClass(pooled?.confusion, classes.length);
  const rows: ScoreRow[] = [
    {
      name: 'majority class',
      values: [
        pooled?.majority ?? null,
        1 / classes.length,
        ...classes.map((_, k) => (majorityClass === null ? null : k === majorityClass ? 1 : 0)),
      ],
      note: '',
    },
    {
      name: 'lone sites, mean',
      values: [
        meanOf(lone.map((row) => row.value)),
        meanOf(reference.lone.map(({ score }) => score.balancedAccuracy)),
        ...classes.map((_, k) =>
          meanOf(reference.lone.map(({ score }) => score.recallPerClass?.[k] ?? null)),
        ),
      ],
      note: reference.label,
    },
    ...loneExtremes(lone, reference.label, classes.length, 'high'),
    {
      name: 'federated',
      values: [
        pooled?.accuracy ?? null,
        pooled?.balancedAccuracy ?? null,
        ...recalls(pooled?.recallPerClass),
      ],
      note: 'this run, secure aggregation on',
    },
    {
      name: 'pooled',
      values: [
        reference.pooled.accuracy,
        reference.pooled.balancedAccuracy,
        ...recalls(reference.pooled.recallPerClass),
      ],
      note: reference.label,
    },
  ];
  return scoreTable(['accuracy', 'balanced', ...classes.map(({ name }) => `recall ${name}`)], rows);
}

function reconstructLines({ result, reference }: DemoOutcome): string[] {
  const lone = reference.lone.map(({ site, score }) => ({ site, value: score.mse }));
  const rows: ScoreRow[] = [
    { name: 'mean profile', values: [1], note: 'z-scores have variance 1 on the training units' },
    { name: 'lone sites, mean', values: [meanOf(lone.map((row) => row.value))], note: reference.label },
    ...loneExtremes(lone, reference.label, -1, 'low'),
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
    row('pooled, sites in turn', reference.label, reference.pooled.mse, (site) =>
      of(reference.pooledBySite, site),
    ),
  ];
  return ['Mean squared error, one step ahead', ...scoreTable(['all', ...sites], rows)];
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
  classes: number,
  good: 'high' | 'low',
): ScoreRow[] {
  const sorted = lone
    .filter((row): row is { site: string; value: number } => row.value !== null)
    .sort((a, b) => (good === 'high' ? a.value - b.value : b.value - a.value));
  const empty = Array.from({ length: classes + 1 }, () => null);
  const row = (which: string, entry: { site: string; value: number } | undefined): ScoreRow[] =>
    entry
      ? [{ name: `lone sites, ${which}`, values: [entry.value, ...empty], note: `${entry.site}; ${note}` }]
      : [];
  return [...row('worst', sorted[0]), ...row('best', sorted.at(-1))];
}

function largestClass(confusion: readonly number[] | undefined, classes: number): number | null {
  if (!confusion) return null;
  const rows = Array.from({ length: classes }, (_, k) =>
    confusion.slice(k * classes, (k + 1) * classes).reduce((a, b) => a + b, 0),
  );
  return rows.indexOf(Math.max(...rows));
}

function roundLines({ rounds, seconds }: DemoOutcome): string[] {
  const sorted = rounds.map((round) => round.seconds).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const training = rounds.findLast((round) => round.purpose === 'train');
  const bytes = training
    ? `; a training round moves ${bytesText(training.bytesUpPerSite)} up and ${bytesText(training.bytesDownPerSite)} down per site`
    : '';
  return [
    `Rounds  ${rounds.length}, median ${median.toFixed(2)} s, at most ${(sorted.at(-1) ?? 0).toFixed(2)} s${bytes}`,
    `Time    ${seconds.toFixed(1)} s from the start of the processes to this report`,
  ];
}

function leavingLines({ rounds, stepWords, plan }: DemoOutcome): string[] {
  const groups = new Map<string, DemoRound[]>();
  for (const round of rounds) groups.set(round.step, [...(groups.get(round.step) ?? []), round]);
  const columns: Column<[string, DemoRound[]]>[] = [
    { title: 'object', value: ([step]) => wordsOf(step, stepWords, plan.task) },
    { title: 'times', value: ([, list]) => list.length, right: true },
    { title: 'size', value: ([, list]) => bytesText(list[0]?.bytesUpPerSite ?? 0), right: true },
    {
      title: 'form',
      value: ([, list]) =>
        `masked, ${list[0]?.purpose === 'train' ? 32 : 64}-bit ring; only the sum is readable`,
    },
  ];
  return tableLines(columns, [...groups]);
}

function wordsOf(step: string, words: Readonly<Record<string, string>>, task: string): string {
  if (step === 'train') return 'update of the weights, with loss and number of units';
  if (step === 'evaluate')
    return task === 'classify' ? 'confusion matrix of held-out units' : 'squared errors of held-out targets';
  return words[step] ?? step;
}

function machineLines({ eventLoopMaxMs, memory }: DemoOutcome): string[] {
  const loop =
    eventLoopMaxMs === null ? 'not measured' : `blocked for at most ${eventLoopMaxMs.toFixed(0)} ms`;
  if (memory.together === 0) return [`Process coordinator's event loop ${loop}`];
  const sites = Object.entries(memory.byName).filter(([name]) => name !== 'coordinator');
  const largest = Math.max(0, ...sites.map(([, bytes]) => bytes));
  const coordinator = bytesText(memory.byName['coordinator'] ?? 0);
  return [
    `Process coordinator's event loop ${loop}`,
    `Memory  coordinator ${coordinator}, largest site ${bytesText(largest)}, all processes together ${bytesText(memory.together)} (peaks)`,
  ];
}
