import { RegulonError } from '../errors/index.js';
import { type FeatureSpecification, type LibraryFit, withStep } from './specification.js';
import { lastStep, requireStep } from './fitted-steps.js';
import type { StatisticsOptions, StatisticsStep } from './statistics-step.js';
import { libraryOf } from './library.js';
import type { UnitsView } from './view.js';

/** Cells of one search; three searches find an integer below 2³⁰ exactly. */
const CELLS = 1024;
const SEARCHES = 3;

/** Median library size, exact in public runs, else from cells. @throws E_STATE before its last round */
export function medianLibrary(spec: FeatureSpecification): number {
  const cells = lastStep(spec, 'library-cells');
  if (cells) return cells.median;
  const found = requireStep(spec, 'library-median');
  if (found.searches !== SEARCHES)
    throw new RegulonError('E_STATE', 'the median library size is not known yet');
  return (found.from[0] + found.from[1]) / 2;
}

/**
 * The rounds that find the exact median library size (P07): histograms of 1,024 cells around both middle order
 * statistics, each search a thousand times finer. For public runs only (rounds.md §4).
 */
export function libraryMedianSteps(options: StatisticsOptions): StatisticsStep[] {
  return Array.from({ length: SEARCHES }, (_, search) => ({
    id: `library-median-${search + 1}`,
    what: 'histogram of library sizes, 1,024 cells around each middle value (public runs only)',
    fractionBits: options.fractionBits,
    length: () => 2 * CELLS,
    bound: (weightCap: number) => weightCap,
    local: (view: UnitsView, spec: FeatureSpecification) =>
      histogramsOf(view, searched(spec, search), options),
    fit: (spec: FeatureSpecification, sums: Float64Array) => {
      const units = requireStep(spec, 'counts').units;
      return withStep(spec, narrowed(searched(spec, search), sums, units));
    },
  }));
}

/** State before a search: the widest interval first. */
function searched(spec: FeatureSpecification, search: number): LibraryFit {
  const start: LibraryFit = {
    step: 'library-median',
    searches: 0,
    width: CELLS ** SEARCHES,
    from: [0, 0],
    below: [0, 0],
  };
  const found = lastStep(spec, 'library-median') ?? start;
  if (found.searches !== search)
    throw new RegulonError('E_STATE', `library-median-${search + 1} came out of order`);
  return found;
}

function histogramsOf(view: UnitsView, state: LibraryFit, { weightCap }: StatisticsOptions): Float64Array {
  const sums = new Float64Array(2 * CELLS);
  const cell = state.width / CELLS;
  for (let i = 0; i < view.n; i++) {
    const library = libraryOf(view.values, i * view.genes, view.genes);
    // beyond the searched range: above the declared bound, so the encoder raises the fault
    if (library >= CELLS ** SEARCHES) sums[0] = 2 * weightCap + 1;
    state.from.forEach((from, which) => {
      const at = Math.floor((library - from) / cell);
      if (at >= 0 && at < CELLS) sums[which * CELLS + at] = (sums[which * CELLS + at] ?? 0) + 1;
    });
  }
  return sums;
}

/** Next interval of both middle order statistics (ranks ⌈n/2⌉ and ⌊n/2⌋ + 1). */
function narrowed(state: LibraryFit, sums: Float64Array, units: number): LibraryFit {
  const width = state.width / CELLS;
  const ranks = [Math.ceil(units / 2), Math.floor(units / 2) + 1] as const;
  const [low, high] = ranks.map((rank, which) => {
    let below = state.below[which] ?? 0;
    for (let at = 0; at < CELLS; at++) {
      const here = Math.round(sums[which * CELLS + at] ?? 0);
      if (below + here >= rank) return { from: (state.from[which] ?? 0) + at * width, below };
      below += here;
    }
    throw new RegulonError(
      'E_COHORT',
      'the histogram of library sizes covers other units than the count round',
    );
  });
  if (!low || !high) throw new RegulonError('E_INTERNAL', 'two order statistics expected');
  return {
    step: 'library-median',
    searches: state.searches + 1,
    width,
    from: [low.from, high.from],
    below: [low.below, high.below],
  };
}
