import { untilText } from '@regulon/shared/plan';
import { shown } from '../enrolment/index.js';
import { tableLines } from '../output/index.js';
import type { InboxItem } from './inbox.js';

/** Letters of a digest that are shown at least: `sha256:` and 12 digits. */
const SHORT = 19;

/** How it reads that the site's own daemon stays out. */
export const STOPPED = {
  plan: 'its steward said no to it here (state/objections)',
  dataset: 'its steward took the dataset back here (state/objections)',
  unreadable: 'a file in state/objections cannot be read: until then it is a no to everything',
} as const;

/** What a steward is asked, as a list in which no two rows look alike. */
export function inboxLines(rows: readonly InboxItem[]): string[] {
  if (rows.length === 0) return ['nothing waits'];
  const digits = apart(rows.map(({ planHash }) => planHash));
  const columns = [
    { title: 'entry', value: (row: InboxItem) => row.entry, right: true },
    { title: 'plan', value: (row: InboxItem) => shown(row.plan) },
    { title: 'digest', value: (row: InboxItem) => row.planHash.slice(0, digits) },
    { title: 'state', value: (row: InboxItem) => row.state },
    { title: 'here', value: (row: InboxItem) => (row.stopped === null ? null : 'stopped') },
    { title: 'until', value: (row: InboxItem) => (row.until === null ? null : untilText(row.until)) },
    { title: 'from', value: (row: InboxItem) => shown(row.researcher) },
    { title: 'came', value: (row: InboxItem) => `${row.proposedAt.slice(0, 16).replace('T', ' ')} UTC` },
  ];
  return [...tableLines(columns, rows), ...notesOn(rows)];
}

/** Length at which different digests differ. */
function apart(digests: readonly string[]): number {
  const all = [...new Set(digests)];
  const isApart = (length: number): boolean =>
    new Set(all.map((one) => one.slice(0, length))).size === all.length;
  let length = SHORT;
  while (!isApart(length)) length += 1;
  return length;
}

function notesOn(rows: readonly InboxItem[]): string[] {
  const why = [...new Set(rows.flatMap(({ stopped }) => stopped ?? []))];
  const hashes = [...new Set(rows.map(({ planHash }) => planHash))];
  const again = hashes
    .map((hash) => rows.filter(({ planHash }) => planHash === hash).map(({ entry }) => entry))
    .filter((entries) => entries.length > 1);
  const names = [...new Set(rows.map(({ plan }) => plan))].filter(
    (name) => new Set(rows.filter(({ plan }) => plan === name).map(({ planHash }) => planHash)).size > 1,
  );
  return [
    ...why.map((what) => `stopped: the daemon of this site takes no part; ${STOPPED[what]}`),
    ...again.map(
      (entries) => `entries ${entries.join(', ')} propose the same plan: a word on it holds for each`,
    ),
    ...names.map((name) => `several plans are called ${shown(name)}: name one by a beginning of its digest`),
  ];
}
