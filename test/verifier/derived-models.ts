import { digestText, writeBundle } from '@regulon/shared/transparency';
import { SampleLog, type SampleOptions, samplePlan, sampleRun } from '@regulon/shared/transparency-samples';
import { type Case, caseOf } from './cases.js';

/** What each site sends in every coordinate: four rounds of small updates, then one of this size. */
const words = (last: number): number[] => [10, 12, 11, 10, last];
const withKept = (log: SampleLog, kept: ReadonlyMap<string, Uint8Array> = log.kept): Case => ({
  ...caseOf(log),
  kept,
});
const trained = (options: SampleOptions) => (): Case =>
  withKept(sampleRun({ trainingRounds: 5, words: words(10), ...options }));
const other = digestText(new Uint8Array(32).fill(9));
/** Q = 2²⁰: a sum of five such sites has 700^½ times the longest of honest ones, or nearly that. */
const [ABOVE, BELOW] = [2 ** 20, 30_000];

/** Logs whose models follow from their sums, with sums and models. */
export const goodModels: Readonly<Record<string, () => Case>> = {
  'a run whose models follow from its sums': trained({}),
  'a run whose last sum is large, where the plan tests no tiles': trained({ words: words(BELOW) }),
  'a run whose tiles stay within the factor of the plan': trained({
    words: words(30),
    combination: { tileFactor: '9.1' },
  }),
  'a run with larger updates from its start': trained({ words: [BELOW], combination: { tileFactor: '2' } }),
  'a run whose last model was not kept': () => {
    const log = sampleRun({ trainingRounds: 5, words: words(10) });
    return withKept(log, new Map([...log.kept].slice(0, -3)));
  },
  'a run of which nothing was kept': () => withKept(sampleRun({ words: words(10) }), new Map()),
  'a run with divisors of their own': trained({ owners: [1, 2, 3, 4] }),
  'a run without a training round that closed': () => withKept(new SampleLog(), new Map()),
  'a run whose sums are computed twice': () => {
    const log = sampleRun({ words: words(10) });
    return { ...withKept(log), masked: log.masked };
  },
  'a run of whose first rounds the sums were not kept': () => {
    const log = sampleRun({ trainingRounds: 5, words: words(BELOW), combination: { tileFactor: '2' } });
    const kept = [...log.kept].slice(4);
    return withKept(log, new Map(kept));
  },
};

/** Logs that say what does not follow from the kept sums. */
export const wrongModels: Readonly<Record<string, () => Case>> = {
  'kept sums of a plan that is not attached': () => {
    const log = sampleRun({ words: words(10) });
    const files = log.files();
    files.delete(SampleLog.pathOf(samplePlan()));
    return { bundle: writeBundle(files), policy: log.policy, kept: log.kept };
  },
  'a model that does not follow from its sum': trained({
    spoil: (kind, body, seen) =>
      kind === 'round.aggregate' && seen === 2 ? { ...body, modelOut: other } : body,
  }),
  'a sum above its ceiling that was applied': trained({ words: words(ABOVE) }),
  'a tile that stands out and was applied': trained({
    words: words(BELOW),
    combination: { tileFactor: '9.1' },
  }),
  'a kept sum that is not the logged one behind its weights': () => {
    const log = sampleRun({ trainingRounds: 5, words: words(10) });
    const flipped = [...log.kept].map(([digest, bytes], k) => {
      const copy = Uint8Array.from(bytes);
      // the last extra: no model follows from it
      if (k === 3) copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
      return [digest, copy] as const;
    });
    return withKept(log, new Map(flipped));
  },
  'a kept sum that is not the logged one': () => {
    const log = sampleRun({ trainingRounds: 5, words: words(10) });
    const flipped = [...log.kept].map(([digest, bytes], k) => {
      const copy = Uint8Array.from(bytes);
      if (k === 3) copy[0] = (copy[0] ?? 0) ^ 1;
      return [digest, copy] as const;
    });
    return withKept(log, new Map(flipped));
  },
};
