import { type BodyOf, type LogEntry, parseEntry } from '@regulon/shared/transparency';
import type { SampleLog, SampleOptions } from '@regulon/shared/transparency-samples';
import { sampleRun } from '@regulon/shared/transparency-samples';
import { type Case, caseOf, other } from './cases.js';

type Deletion = BodyOf<'retention.delete'>;
interface Written {
  /** of the closes of the run, by its place among them */
  readonly close?: number;
  /** whose place the entry has; that close by default */
  readonly place?: number;
  readonly fields?: Partial<Deletion>;
}

const closesOf = (log: SampleLog): LogEntry<'round.aggregate'>[] =>
  log.entries.map(parseEntry).filter((entry) => entry.kind === 'round.aggregate');

function writeDeletion(log: SampleLog, { close = 0, place = close, fields }: Written): void {
  const closes = closesOf(log);
  const [of, at] = [closes[close], closes[place]];
  if (of === undefined || at === undefined) throw new Error('the sample run has fewer rounds');
  const { context, transcript, u3 } = of.body;
  const body: Deletion = {
    ...{ context, transcript, class: 'masked-vectors', vectors: Array.isArray(u3) ? u3.length : 0 },
    ...{ bytes: 1024, rule: 'later-close', ...fields },
  };
  const { run, round, attempt } = at;
  log.write(['coordinator', 'coordinator'], 'retention.delete', { run, round, attempt }, body);
}

/** A run after which uploads were deleted. */
const deleted =
  (written: readonly Written[], options: SampleOptions = {}) =>
  (): Case => {
    const log = sampleRun(options);
    written.forEach((one) => writeDeletion(log, one));
    return caseOf(log);
  };
const last = closesOf(sampleRun()).length - 1;

/** Uploads that were deleted in their time. */
export const deletedRight: Record<string, () => Case> = {
  'uploads deleted after a later close and after the run': deleted([
    { close: 0 },
    { close: last, fields: { rule: 'next-run' } },
  ]),
  'uploads deleted after the run, that a later close followed': deleted([{ fields: { rule: 'next-run' } }]),
};

/** Uploads that nobody may have deleted so. */
export const deletedWrong: Record<string, () => Case> = {
  'uploads deleted twice': deleted([{}, {}]),
  'uploads deleted of no close': deleted([{ fields: { context: other } }]),
  'uploads deleted of another close': deleted([{ fields: { transcript: other } }]),
  'uploads deleted at the place of another close': deleted([{ close: 0, place: 1 }]),
  'fewer uploads deleted than there were': deleted([{ fields: { vectors: 1 } }]),
  'the last uploads deleted as if a round had followed': deleted([{ close: last }]),
  'uploads deleted after a run that has not ended': deleted([{ fields: { rule: 'next-run' } }], {
    omit: (kind) => kind === 'run.finish',
  }),
};
