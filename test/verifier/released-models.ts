import { digestText, NOT_PROTECTED, parseEntry } from '@regulon/shared/transparency';
import {
  sampleExport,
  type SampleLog,
  type SampleOptions,
  type SampleRelease,
  sampleRelease,
} from '@regulon/shared/transparency-samples';
import { type Case, other, rewritten } from './cases.js';

const privacy = { cap: '3' };
const sampled = { cap: '3', samplingRate: '0.25' };
const released = (wrong: SampleRelease, options: SampleOptions = { privacy }): (() => Case) =>
  rewritten((log) => void sampleRelease(log, wrong), options);
const exported = (wrong: Parameters<typeof sampleExport>[2], release?: number): (() => Case) =>
  rewritten(
    (log) => {
      const index = sampleRelease(log);
      sampleExport(log, release ?? index, wrong);
    },
    { privacy },
  );
const withdraw = (log: SampleLog): void => {
  const body = { dataset: 'expression', scope: 'all', reason: 'consent' } as const;
  log.write(['steward', 'site-2'], 'dataset.withdraw', {}, body);
};
const totals = (epsilon: string, delta = '0.001') => {
  const sites = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'].map((site) => ({ site, epsilon, delta }));
  return { unit: 'patient', adjacency: 'add-remove', sites } as const;
};

/** Releases that hold. */
export const goodReleases: Readonly<Record<string, () => Case>> = {
  'a model of a private run, released and exported': exported({}),
  'a model of a private run that samples': released({}, { privacy: sampled }),
  'a model of a private run without budgets': released({}, { privacy: { cap: null } }),
  'a model without differential privacy': released({}, {}),
  'a model of a run whose list of models is attached': rewritten((log) => void sampleRelease(log), {
    privacy,
    attachModels: true,
  }),
  'a model that was released before its data were withdrawn': rewritten(
    (log) => {
      sampleRelease(log);
      withdraw(log);
    },
    { privacy },
  ),
};

/** Releases that a verifier must find wrong. */
export const wrongReleases: Readonly<Record<string, () => Case>> = {
  'a release without one approval': released({ approvers: ['site-1', 'site-2', 'site-3', 'site-4'] }),
  'a release without approval': released({ approvers: [] }),
  'a release that was changed after its approval': released({ afterwards: { intendedUse: 'sale' } }),
  'a release of another model': released({ terms: { model: other } }),
  'a release with less ε than the ledgers': released({ terms: { privacy: totals('0.1') } }),
  'a release with less ε than a run without budgets spends': released(
    { terms: { privacy: totals('0.5') } },
    { privacy: { cap: null } },
  ),
  'a release at another δ': released({ terms: { privacy: totals('2.9', '0.01') } }),
  'a release that calls a private run unprotected': released({ terms: { privacy: NOT_PROTECTED } }),
  'a release that calls an unprotected run private': released({ terms: { privacy: totals('0.1') } }, {}),
  'a release without a test': released({ terms: { tests: [] } }),
  'a release with the report of another model': released({ report: { model: other } }),
  'a release with the report of another run': released({ report: { run: `run_${'08'.repeat(16)}` } }),
  'a release with a report by another site': released({ report: { site: 'site-2' } }),
  'a release whose test is about other data than those that trained': released({
    report: { commitment: other },
  }),
  'a release whose test a researcher has signed': released({ reporter: ['researcher', 'r1'] }),
  'a release whose test another site has signed': released({ reporter: ['site', 'site-2'] }),
  'a release whose test was rewritten after its site signed it': released({ rewritten: { others: '500+' } }),
  'a release whose test is above its bound': released({ point: { found: '0.75' } }),
  'a release whose test has a raised bound': released({ point: { found: '0.75', bound: '0.99' } }),
  'a release whose plan is not attached': rewritten(
    (log) => {
      sampleRelease(log);
      const entries = log.entries.map(parseEntry);
      for (const entry of entries)
        if (entry.kind === 'plan.propose') log.attachments.delete(entry.body.plan.digest);
    },
    { privacy },
  ),
  'a release whose test has a widened error': released({ point: { error: '0.5' } }),
  'a release whose test has no bound': released({ point: { bound: null } }),
  'a release of sampled steps with a raised bound': released(
    { point: { bound: '0.99' } },
    { privacy: sampled },
  ),
  'a release before the run has ended': released({}, { privacy, omit: (kind) => kind === 'run.finish' }),
  'a release of withdrawn data': rewritten(
    (log) => {
      withdraw(log);
      sampleRelease(log);
    },
    { privacy },
  ),
  'an export of another file': exported({ file: { digest: digestText(new Uint8Array(32)), size: 72 } }),
  'an export of another model': exported({ model: other }),
  'an export without a release': exported({}, 3),
};
