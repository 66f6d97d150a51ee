import { isDeepStrictEqual } from 'node:util';
import { RegulonError } from '../errors/index.js';
import { fitBatches } from './batch/fit-batches.js';
import { type BatchParameters, isBatchStep, type SitePreparation } from './batch/site-parameters.js';
import { type FeatureSpecification, specificationBefore } from './specification.js';
import {
  geneTransform,
  type PreparedRows,
  rawRows,
  type UnitTransform,
  withScores,
} from './unit-transform.js';
import type { UnitsView } from './view.js';

/**
 * The units of a view as prepared by the steps fitted so far, kept from round to round: one matrix beside the view's
 * own. A specification that goes on from the last one costs its new steps only, in place; any other starts again from
 * the raw values. The values are the same to the bit as without.
 */
class PreparedUnits {
  private spec: FeatureSpecification | null = null;
  private rows: PreparedRows;
  /** fitted on these units, by position of the step among those done */
  private fitted = new Map<number, readonly BatchParameters[]>();

  constructor(private readonly view: UnitsView) {
    this.rows = rawRows(view);
  }

  /** Batch parameters of a specification, fitted on these units. */
  batches(spec: FeatureSpecification): SitePreparation {
    if (!spec.steps.some(isBatchStep)) return new Map();
    this.advance(spec);
    return new Map(this.fitted);
  }

  /** The prepared units; a call throws E_STATE once the units were prepared with another specification. */
  transform(spec: FeatureSpecification): UnitTransform {
    this.advance(spec);
    const { rows } = this;
    const genes = rows.genes.length;
    return withScores(spec, {
      length: genes,
      apply: (unit, out) => {
        if (rows !== this.rows)
          throw new RegulonError('E_STATE', 'the units were prepared with another specification since');
        out.set(rows.values.subarray(unit * genes, (unit + 1) * genes));
      },
    });
  }

  private advance(spec: FeatureSpecification): void {
    if (!this.spec || !continues(spec, this.spec)) this.restart();
    if (this.spec && this.spec.steps.length === spec.steps.length) return;
    spec.steps.forEach((step, index) => {
      if (index < this.rows.steps || !isBatchStep(step)) return;
      const before = specificationBefore(spec, index);
      if (index > this.rows.steps) this.prepare(before);
      const prepared = geneTransform(this.view, before, this.fitted, this.rows);
      this.fitted.set(index, fitBatches(this.view, step, prepared));
    });
    this.prepare(spec);
  }

  private restart(): void {
    this.spec = null;
    this.rows = rawRows(this.view);
    this.fitted = new Map();
  }

  /** Take the rows on to a specification: a row never grows, so none is written over one that is still to be read. */
  private prepare(spec: FeatureSpecification): void {
    const { view, rows } = this;
    this.spec = null; // rows in part of one specification, in part of the next, are of no use if this throws
    const done = geneTransform(view, spec, this.fitted, rows);
    const genes = done.length;
    const values = rows.values === view.values ? new Float64Array(view.n * genes) : rows.values;
    const row = new Float64Array(genes);
    for (let unit = 0; unit < view.n; unit++) {
      done.apply(unit, row);
      values.set(row, unit * genes);
    }
    this.spec = spec;
    this.rows = { steps: spec.steps.length, genes: spec.keptGenes, values: fitting(values, view.n * genes) };
  }
}

/** Memory of genes that were dropped is given back when it is the larger part. */
const fitting = (values: Float64Array, length: number): Float64Array =>
  length < values.length / 2 ? values.slice(0, length) : values;

/** Whether a specification goes on from an earlier one. */
function continues(spec: FeatureSpecification, earlier: FeatureSpecification): boolean {
  return (
    spec.genes === earlier.genes &&
    spec.steps.length >= earlier.steps.length &&
    isDeepStrictEqual(spec.steps.slice(0, earlier.steps.length), earlier.steps)
  );
}

const kept = new WeakMap<UnitsView, PreparedUnits>();

/**
 * Keep what is prepared of a view from round to round, as long as this very object lives.
 *
 * @returns the view itself; a copy of it keeps nothing
 */
export function keepPrepared(view: UnitsView): UnitsView {
  if (!kept.has(view)) kept.set(view, new PreparedUnits(view));
  return view;
}

/** What is kept of a view; none by default. */
export const preparedUnitsOf = (view: UnitsView): PreparedUnits | undefined => kept.get(view);
