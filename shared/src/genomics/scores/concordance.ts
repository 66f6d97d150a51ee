import { add } from '../numbers.js';
import type { Bounded } from './score-histogram.js';

/** Follow-up of some units with the risk that a model gives them. */
export interface RiskedUnits {
  readonly time: ArrayLike<number>;
  /** 1 = event, 0 = censored */
  readonly event: ArrayLike<number>;
  readonly risk: ArrayLike<number>;
}

/** Ascending upper edges of shared cells of time and of risk; the last cells are open. */
export interface ConcordanceGrid {
  readonly times: readonly number[];
  readonly risks: readonly number[];
}

/** Counts of ordered pairs of units. */
export interface Pairs {
  /** pairs whose earlier unit had an event; ties of risk count half in `concordant` */
  comparable: number;
  concordant: number;
  /** pairs that a grid cannot order */
  unknown: number;
}

/** Pairs of units of one site, exactly: a pair counts when the unit with the earlier time had an event. */
export function pairsWithin({ time, event, risk }: RiskedUnits): Pairs {
  const pairs: Pairs = { comparable: 0, concordant: 0, unknown: 0 };
  for (let i = 0; i < time.length; i++) {
    for (let j = 0; j < time.length && event[i] === 1; j++) {
      const [a, b] = [time[i] ?? NaN, time[j] ?? NaN];
      // of two units with one time, the one without an event lived longer
      if (!(a < b || (a === b && event[j] !== 1))) continue;
      pairs.comparable += 1;
      const difference = (risk[i] ?? NaN) - (risk[j] ?? NaN);
      pairs.concordant += difference > 0 ? 1 : difference === 0 ? 0.5 : 0;
    }
  }
  return pairs;
}

const cellOf = (edges: readonly number[], x: number): number => {
  const cell = edges.findIndex((edge) => x <= edge);
  return cell < 0 ? edges.length : cell;
};

/** Events, then censored units, of each cell [times, risks]. */
function gridCounts({ time, event, risk }: RiskedUnits, { times, risks }: ConcordanceGrid): Float64Array {
  const width = risks.length + 1;
  const cells = (times.length + 1) * width;
  const counts = new Float64Array(2 * cells);
  for (let i = 0; i < time.length; i++) {
    const cell = cellOf(times, time[i] ?? NaN) * width + cellOf(risks, risk[i] ?? NaN);
    add(counts, (event[i] === 1 ? 0 : cells) + cell, 1);
  }
  return counts;
}

/** Pairs that the cells order, and those of one cell of time or risk, which they do not. */
function pairsOnGrid(counts: Float64Array, width: number): Pairs {
  const cells = counts.length / 2;
  const pairs: Pairs = { comparable: 0, concordant: 0, unknown: 0 };
  for (let a = 0; a < cells; a++) {
    const events = counts[a] ?? 0;
    for (let b = 0; b < cells && events > 0; b++) {
      const [ta, tb] = [Math.floor(a / width), Math.floor(b / width)];
      const [ra, rb] = [a % width, b % width];
      const others = (counts[b] ?? 0) + (counts[cells + b] ?? 0);
      if (tb > ta && ra === rb) {
        pairs.comparable += events * others;
        pairs.concordant += (events * others) / 2;
        pairs.unknown += events * others;
      } else if (tb > ta) {
        pairs.comparable += events * others;
        pairs.concordant += ra > rb ? events * others : 0;
      }
    }
  }
  return { ...pairs, ...sameTime(counts, width, pairs) };
}

/** Pairs of one cell of time: an event and a censored unit there are taken as comparable, two events as not. */
function sameTime(counts: Float64Array, width: number, { comparable, concordant, unknown }: Pairs): Pairs {
  const cells = counts.length / 2;
  for (let a = 0; a < cells; a++) {
    const row = Math.floor(a / width) * width;
    for (let b = row; b < row + width; b++) {
      const pairs = (counts[a] ?? 0) * (counts[cells + b] ?? 0);
      comparable += pairs;
      concordant += a === b ? pairs / 2 : a > b ? pairs : 0;
      unknown += a === b ? pairs : 0;
    }
  }
  return { comparable, concordant, unknown };
}

/**
 * What a site sends for Harrell's C: its own pairs exactly, [comparable, concordant]; the same pairs as the grid sees them,
 * [comparable, concordant, unknown]; and its units on the grid.
 */
export function concordanceSums(units: RiskedUnits, grid: ConcordanceGrid): Float64Array {
  const own = pairsWithin(units);
  const counts = gridCounts(units, grid);
  const seen = pairsOnGrid(counts, grid.risks.length + 1);
  return Float64Array.of(
    ...[own.comparable, own.concordant, seen.comparable, seen.concordant, seen.unknown],
    ...counts,
  );
}

/** C within sites, exactly, and over all pairs; the bound covers pairs of two sites that share a cell of risk. */
export interface Concordance {
  readonly withinSites: number | null;
  readonly overall: Bounded | null;
}

/**
 * Harrell's C from summed vectors. The grid must hold every distinct time as an edge for the comparison of times to be
 * exact; coarser times move pairs of two sites in one cell.
 */
export function concordanceOf(sums: Float64Array, grid: ConcordanceGrid): Concordance {
  const [comparable = 0, concordant = 0, ...seen] = sums.subarray(0, 5);
  const [seenComparable = 0, seenConcordant = 0, seenUnknown = 0] = seen;
  const all = pairsOnGrid(sums.slice(5).map(Math.round), grid.risks.length + 1);
  const pairs = comparable + all.comparable - seenComparable;
  const wins = concordant + all.concordant - seenConcordant;
  const unknown = all.unknown - seenUnknown;
  return {
    withinSites: comparable > 0 ? concordant / comparable : null,
    overall: pairs > 0 ? { value: wins / pairs, bound: unknown / (2 * pairs) } : null,
  };
}
