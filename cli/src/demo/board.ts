import { shareText } from '../output/index.js';
import type { BoardState, RoundLine } from './state.js';

const BARS = '▁▂▃▄▅▆▇█';
const CURVE_WIDTH = 30;
const LANE_WIDTH = 24;

/**
 * The live board as lines: a heading, a lane a site, the learning curve of the current arm.
 *
 * @param width columns of the terminal; longer lines are cut
 */
export function boardLines(state: BoardState, width: number): string[] {
  const { closed, rounds, sites } = state;
  const nameWidth = Math.max(4, ...sites.map((site) => site.name.length));
  const last = closed.at(-1);
  const curve = trainingOfArm(closed);
  const lines = [
    `${state.title}  ${state.run}`,
    `round ${closed.length} of ${rounds}  ${progressBar(closed.length, rounds)}  ${clock(state.elapsedSeconds)}  ${state.now}`,
    '',
    ...sites.map(
      (site) => `${site.name.padEnd(nameWidth)}  ${progressBar(site.inSum, rounds)}  ${site.stage}`,
    ),
    '',
    `loss      ${valueText(lastOf(curve, 'loss'))}  ${sparkline(curve.map((line) => line.loss))}`,
  ];
  if (curve.some((line) => line.accuracy !== null)) {
    lines.push(
      `accuracy  ${shareText(lastOf(curve, 'accuracy')).padEnd(7)}  ${sparkline(curve.map((line) => line.accuracy))}`,
    );
  }
  lines.push(last ? roundText(last, rounds, sites.length) : '');
  return lines.map((line) => [...line].slice(0, Math.max(20, width - 1)).join(''));
}

/** One closed round as a plain line, for logs and pipes. */
export function roundText(line: RoundLine, rounds: number, sites: number): string {
  const parts = [
    `round ${String(line.round + 1).padStart(String(rounds).length)} of ${rounds}`,
    `${line.step} (${line.arm})`,
    `${line.survivors} of ${sites} sites`,
    `${line.seconds.toFixed(2)} s`,
  ];
  if (line.loss !== null) parts.push(`loss ${line.loss.toFixed(4)}`);
  if (line.accuracy !== null) parts.push(`accuracy ${shareText(line.accuracy)}`);
  return parts.join('  ');
}

/**
 * Values as a row of small bars, the lowest value the lowest bar; more values than columns are thinned out.
 *
 * @param values null where there is none
 */
export function sparkline(values: readonly (number | null)[], columns = CURVE_WIDTH): string {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (known.length === 0) return '';
  const kept =
    known.length <= columns
      ? known
      : Array.from(
          { length: columns },
          (_, i) => known[Math.round((i * (known.length - 1)) / (columns - 1))] ?? 0,
        );
  const low = Math.min(...kept);
  const span = Math.max(...kept) - low;
  return kept
    .map((value) => BARS[span === 0 ? 0 : Math.round(((value - low) / span) * (BARS.length - 1))])
    .join('');
}

function progressBar(done: number, all: number): string {
  const filled = all === 0 ? 0 : Math.round((Math.min(done, all) / all) * LANE_WIDTH);
  return '█'.repeat(filled) + '░'.repeat(LANE_WIDTH - filled);
}

function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}

/** The training rounds of the arm that is trained now: curves of different models do not join. */
function trainingOfArm(closed: readonly RoundLine[]): RoundLine[] {
  const training = closed.filter((line) => line.step === 'train');
  const arm = training.at(-1)?.arm;
  return training.filter((line) => line.arm === arm);
}

const lastOf = (lines: readonly RoundLine[], field: 'loss' | 'accuracy'): number | null =>
  lines.at(-1)?.[field] ?? null;

const valueText = (value: number | null): string => (value === null ? '–' : value.toFixed(4)).padEnd(7);
