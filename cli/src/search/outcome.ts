import { shareText, tableLines } from '../output/index.js';
import type { DeclaredSearch } from './read-search.js';
import { type SearchOutcome, type Trial, valueText } from './run-search.js';

/** A search for scripts. */
export function outcomeJson(
  { search, digest, mostEpsilon }: DeclaredSearch,
  { trials, best, chosen }: SearchOutcome,
): object {
  const valuesOf = ({ values }: Trial) =>
    Object.fromEntries(search.space.map(({ key }, d) => [key, values[d]]));
  return {
    search: search.name,
    digest,
    runs: new Set([...trials.map(({ run }) => run), chosen.run]).size,
    mostEpsilon,
    trials: trials.map((trial) => ({ ...trial, values: valuesOf(trial) })),
    best: { trial: best.trial, values: valuesOf(best), loss: best.loss },
    chosen: {
      run: chosen.run,
      planHash: chosen.planHash,
      model: chosen.modelDigest,
      test: chosen.result?.pooled ?? null,
    },
  };
}

/** A search for people: a row a trial, then what was chosen and how it was tested. */
export function outcomeLines(
  { search, plan }: DeclaredSearch,
  { trials, best, chosen }: SearchOutcome,
): string[] {
  const rows = tableLines(
    [
      { title: 'trial', value: ({ trial }: Trial) => `${trial}${trial === best.trial ? ' *' : ''}` },
      {
        title: 'run',
        value: ({ run, sameAs }) => (sameAs === undefined ? run.slice(0, 14) : `as trial ${sameAs}`),
      },
      ...search.space.map(({ key }, d) => ({
        title: key,
        value: ({ values }: Trial) => valueText(values[d]),
        right: true,
      })),
      { title: 'loss', value: ({ loss }) => loss?.toPrecision(4), right: true },
      ...(plan.task === 'classify'
        ? [{ title: 'accuracy', value: ({ accuracy }: Trial) => shareText(accuracy), right: true }]
        : []),
    ],
    trials,
  );
  if (search.validation)
    return [
      ...rows,
      '',
      `* least loss on the samples of ${search.validation.data}; its model is that of ${chosen.run}`,
    ];
  const { pooled } = chosen.result ?? {};
  const test =
    pooled?.accuracy === undefined
      ? `mean squared error ${pooled?.mse === undefined ? '–' : pooled.mse.toPrecision(4)}`
      : `accuracy ${shareText(pooled.accuracy)}, majority ${shareText(pooled.majority)}`;
  return [
    ...rows,
    '',
    `* least loss over the validation units of all sites; trained again as ${chosen.run}`,
    `tested once, on ${pooled?.count ?? 0} units that no trial saw: ${test}`,
  ];
}
