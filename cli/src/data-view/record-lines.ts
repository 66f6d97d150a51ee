import type { RecordSummary } from '@regulon/client/data';
import { tableLines } from '../output/index.js';

/** A file of sequences or intervals on one screen. */
export function recordLines(summary: RecordSummary): string[] {
  const { file, format, records, shortest, longest, total, duplicateNames, ambiguous } = summary;
  const what = format === 'BED' ? 'intervals' : 'sequences';
  const rows = [
    ['format', format],
    [what, count(records)],
    ['length', `${count(shortest)} … ${count(longest)}, ${count(total)} in all`],
    ['duplicates', duplicateNames === 0 ? 'none' : `${count(duplicateNames)} names stand again`],
    [format === 'BED' ? 'without strand' : 'other than A, C, G, T', count(ambiguous)],
  ] as const;
  return tableLines(
    [
      { title: 'file', value: (row: (typeof rows)[number]) => row[0] },
      { title: file, value: (row) => row[1] },
    ],
    rows,
  );
}

const count = (n: number): string => n.toLocaleString('en');
