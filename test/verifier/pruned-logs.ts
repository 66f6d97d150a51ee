import { parseEntry, writeBundle } from '@regulon/shared/transparency';
import {
  exceptedRun,
  noRoot,
  prunedFiles,
  pruneLog,
  type SampleLog,
  type SampleOptions,
  sampleRelease,
  sampleRun,
  type SpoiledPruning,
  writeBaseline,
  writePrune,
} from '@regulon/shared/transparency-samples';
import { type Case, rewritten } from './cases.js';

const retention = [{ class: 'brief', days: 0 }];
const sites = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];

/** A run whose beginning is gone, as a change of its log says. */
const pruned =
  (change: (log: SampleLog) => unknown, options: SampleOptions = {}) =>
  (): Case => {
    const log = sampleRun({ retention, ...options });
    change(log);
    return { bundle: writeBundle(prunedFiles(log)), policy: log.policy };
  };
/** A run that was pruned once it had ended. */
const ended = (spoil: SpoiledPruning, options: SampleOptions = {}): (() => Case) =>
  pruned((log) => pruneLog(log, spoil), options);
/** A run that began after a pruning. */
const begun = (spoil: SpoiledPruning, options: SampleOptions = {}): (() => Case) =>
  pruned(() => undefined, { ...options, pruned: spoil });
const spent = (after: string, ledgerSeq: number): SpoiledPruning => ({
  state: (state) => ({
    ...state,
    ledgers: [{ site: 'site-1', dataset: 'expression', ledgerSeq, after, policy: policyOf(state) }],
  }),
});
const configure = (log: SampleLog, digit: string): number =>
  log.write(
    ['site', 'site-1'],
    'config.start',
    {},
    {
      ...{ nonce: '0'.repeat(64), version: '0.1.0', software: null },
      configuration: `sha256:${digit.repeat(64)}`,
    },
  );
const counted = { privacy: { cap: '3' } } as const;

const isOverride = (entry: string): boolean =>
  Buffer.from(entry, 'base64').includes('"kind":"policy.override"');

function policyOf({ repeated }: Parameters<NonNullable<SpoiledPruning['state']>>[0]): string {
  const entries = repeated.map(({ entry }) => Buffer.from(entry, 'base64').toString());
  const policy = entries.find((text) => text.includes('"kind":"policy.set"')) ?? '';
  return /"policy":\{"digest":"([^"]+)"/.exec(policy)?.[1] ?? '';
}

/** Pruned logs that begin with a baseline as they should. */
export const prunedRight: Record<string, () => Case> = {
  'a log that was pruned after its run': ended({}),
  'a log that was pruned before its run, under cosigned checkpoints': begun({}, { gateMode: 'cosigned' }),
  'a log that was pruned before a private run': begun({}, counted),
  'a log that was pruned after a private run': ended({}, counted),
  'a run under an exception that stood before the pruning': begun({}, exceptedRun({})),
  'a copy that keeps what the coordinator pruned': rewritten((log) => pruneLog(log), { retention }),
  'a log that was pruned, with a later baseline': pruned((log) => {
    configure(log, 'a');
    pruneLog(log);
    configure(log, 'a');
    writeBaseline(log, sites, {}, 512);
  }),
  'a log with a release before it was pruned': pruned((log) => {
    const baseline = writeBaseline(log, sites);
    sampleRelease(log);
    writePrune(log, baseline);
  }),
};

/** Pruned logs that a verifier must find wrong. */
export const prunedWrong: Record<string, () => Case> = {
  'a pruned log that does not say so': pruned((log) => writeBaseline(log, sites)),
  'a log that was pruned without a baseline': ended({ prune: { baseline: 3 } }),
  'a log that was pruned under a baseline of another size': ended({ body: { size: 512 } }),
  'a log that was pruned under a baseline of too few sites': ended({ sites: sites.slice(0, 2) }),
  'a log that was pruned before the sites had signed': pruned((log) => {
    const baseline = writeBaseline(log, []);
    writePrune(log, baseline);
  }),
  'a log that was pruned without a retention class': ended({}, { retention: [] }),
  'a log that was pruned too early': ended(
    { prune: { class: 'hipaa6y' } },
    { retention: [...retention, { class: 'hipaa6y', days: 2192 }] },
  ),
  'a log that was pruned under the shorter class': ended(
    { prune: { class: 'brief' } },
    { retention: [...retention, { class: 'hipaa6y', days: 2192 }] },
  ),
  'a pruned log whose baseline has another root': ended({ body: { root: noRoot } }),
  'a pruned log whose baseline has another chain': ended({ state: (s) => ({ ...s, chain: noRoot }) }),
  'a pruned log whose baseline forgets entry 0': ended({
    state: (s) => ({ ...s, repeated: s.repeated.slice(1) }),
  }),
  'a pruned log whose baseline repeats an entry elsewhere': ended({
    state: (s) => ({
      ...s,
      repeated: s.repeated.map((said, i) => ({ ...said, index: said.index + Math.min(i, 1) })),
    }),
  }),
  'a pruned log whose baseline has another head': ended({
    state: (s) => ({ ...s, heads: s.heads.map((head) => ({ ...head, seq: head.seq + 1 })) }),
  }),
  'a private run that begins below the totals of a baseline': begun(spent('2.5', 0), counted),
  'a private run whose numbers go back behind a baseline': begun(spent('0', 9), counted),
  'a run under an exception by one person that stood before the pruning': begun({}, exceptedRun({}, [])),
  'a run under an exception that the baseline leaves out': begun(
    { state: (s) => ({ ...s, repeated: s.repeated.filter(({ entry }) => !isOverride(entry)) }) },
    exceptedRun({}),
  ),
  'a release of a run whose entries were pruned': pruned((log) => {
    pruneLog(log);
    sampleRelease(log);
  }),
  'a pruned log without a hash tile': () => {
    const log = sampleRun({ retention });
    pruneLog(log);
    const files = prunedFiles(log);
    files.delete('tile/0/000');
    return { bundle: writeBundle(files), policy: log.policy };
  },
  'a party that changes its configuration in silence over a pruning': pruned((log) => {
    configure(log, 'a');
    pruneLog(log);
    configure(log, 'b');
  }),
  'another root of entries that went': pruned((log) => {
    pruneLog(log);
    writeBaseline(log, sites, { body: { root: noRoot } });
  }),
  'a later baseline with another chain': pruned((log) => {
    pruneLog(log);
    writeBaseline(log, sites, { state: (s) => ({ ...s, chain: noRoot }) }, 512);
  }),
  'a pruned run that goes on': pruned((log) => {
    const finish = log.entries.map(parseEntry).find(({ kind }) => kind === 'run.finish');
    pruneLog(log);
    if (finish?.kind !== 'run.finish') throw new TypeError('the run did not finish');
    log.write(['coordinator', 'coordinator'], 'run.finish', { run: finish.run }, finish.body);
  }),
};
