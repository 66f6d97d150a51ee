import type { Measured } from './measure.js';

const HEADINGS = [
  'configuration',
  'ε',
  'z',
  'q',
  'steps',
  'ε by PLD',
  'by RDP',
  'accuracy',
  'each seed',
  'balanced',
];

/** What was measured, as a table of Markdown. */
export function tableOf(rows: readonly Measured[]): string {
  const lines = rows.map(({ name, epsilon, cost, accuracy, balanced }) => [
    ...[name, epsilon === null ? '∞' : String(epsilon)],
    ...(cost
      ? [cost.z, cost.q, cost.steps, cost.pld.toFixed(3), cost.rdp.toFixed(3)].map(String)
      : ['–', '–', '–', '–', '–']),
    ...[shareText(mean(accuracy)), accuracy.map(shareText).join(', '), shareText(mean(balanced))],
  ]);
  return [HEADINGS, HEADINGS.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
}

/** Arithmetic mean. */
export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

const shareText = (share: number): string => share.toFixed(3).replace(/^0/, '');
