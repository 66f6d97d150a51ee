import { RegulonError } from '../errors/index.js';
import type { SitePreparation } from './batch/site-parameters.js';
import { positionsIn } from './numbers.js';
import { type FeatureSpecification, genesBefore, type PcaFit } from './specification.js';
import { featureCount } from './fitted-steps.js';
import { type Operation, operationOf, WHOLE_ROW } from './unit-operations.js';
import type { UnitsView } from './view.js';

/** Prepares one unit at a time, so that no second matrix is held. */
export interface UnitTransform {
  /** features of a unit (kept genes or components) = length of `out` */
  readonly length: number;
  /** write the prepared values of unit `unit` into `out` (float64) */
  apply(unit: number, out: Float64Array): void;
}

/** Values of every unit after the first steps of a specification: what its later steps go on from. */
export interface PreparedRows {
  /** steps of the specification that the values went through */
  readonly steps: number;
  /** panel positions of the genes kept there, ascending */
  readonly genes: Uint32Array;
  /** row-major [units, genes] */
  readonly values: Float64Array;
}

/** The values of a view before any step. */
export function rawRows(view: UnitsView): PreparedRows {
  return {
    steps: 0,
    genes: Uint32Array.from({ length: view.genes }, (_, gene) => gene),
    values: view.values,
  };
}

/** An operation and the genes that it works on; `from` picks them out of those before. */
interface Stage {
  readonly from: Uint32Array | null;
  readonly genes: number;
  readonly run: Operation;
}

/**
 * The steps of a specification fitted so far, as a function of one unit of a view.
 *
 * @param site what this site fitted for its own batches
 * @throws E_PANEL when the view has another number of genes than the specification
 */
export function unitTransformWith(
  view: UnitsView,
  spec: FeatureSpecification,
  site: SitePreparation,
): UnitTransform {
  return withScores(spec, geneTransform(view, spec, site, rawRows(view)));
}

/**
 * The same without the projection on components, from values that are prepared in part.
 *
 * @param from rows of the units of the view after the first steps of this specification; read at each call
 * @throws E_PANEL when the view has another number of genes than the specification
 */
export function geneTransform(
  view: UnitsView,
  spec: FeatureSpecification,
  site: SitePreparation,
  from: PreparedRows,
): UnitTransform {
  if (view.genes !== spec.genes) {
    throw new RegulonError('E_PANEL', `the matrix has ${view.genes} genes, the specification ${spec.genes}`);
  }
  const { first, stages } = stagesOf(view, spec, site, from.steps);
  const columns = positionsIn(from.genes, first);
  const rows = [first.length, ...stages.map((stage) => stage.genes)].map((genes) => new Float64Array(genes));
  const read = (unit: number, row: Float64Array): void => {
    const start = unit * from.genes.length;
    for (let j = 0; j < row.length; j++) row[j] = from.values[start + (columns[j] ?? 0)] ?? 0;
  };
  return {
    length: spec.keptGenes.length,
    apply(unit, out) {
      let row = rows[0] ?? out;
      read(unit, row);
      stages.forEach(({ from, run }, at) => {
        if (from) row = gathered(row, from, rows[at + 1] ?? out);
        run(unit, row);
      });
      out.set(row);
    },
  };
}

/** Component scores in place of genes, where the specification has them. */
export function withScores(spec: FeatureSpecification, genes: UnitTransform): UnitTransform {
  const project = spec.steps.findLast((step) => step.step === 'pca');
  if (!project) return genes;
  const row = new Float64Array(genes.length);
  return {
    length: featureCount(spec),
    apply(unit, out) {
      genes.apply(unit, row);
      scoresOf(row, project, out);
    },
  };
}

/** Which genes each operation is asked for: narrower lists cost less, but some steps need the whole row. */
function stagesOf(
  view: UnitsView,
  spec: FeatureSpecification,
  site: SitePreparation,
  done: number,
): { first: Uint32Array; stages: Stage[] } {
  const wanted: Uint32Array[] = [];
  spec.steps.reduceRight<Uint32Array>((after, { step }, index) => {
    const genes = WHOLE_ROW.has(step) ? genesBefore(spec, index) : after;
    wanted[index] = genes;
    return genes;
  }, spec.keptGenes);
  const first = wanted[done] ?? spec.keptGenes;
  const stages: Stage[] = [];
  let genes = first;
  const stage = (next: Uint32Array, run: Operation): void => {
    stages.push({ from: genes === next ? null : positionsIn(genes, next), genes: next.length, run });
    genes = next;
  };
  spec.steps.forEach((step, index) => {
    if (index < done) return;
    const next = wanted[index] ?? spec.keptGenes;
    const before = genesBefore(spec, index);
    const place = { genes: before.length, at: positionsIn(before, next), panel: next };
    const run = operationOf(view, step, place, site, index);
    if (run) stage(next, run);
  });
  if (genes !== spec.keptGenes) stage(spec.keptGenes, () => undefined);
  return { first, stages };
}

function gathered(row: Float64Array, from: Uint32Array, into: Float64Array): Float64Array {
  for (let j = 0; j < from.length; j++) into[j] = row[from[j] ?? 0] ?? 0;
  return into;
}

function scoresOf(row: Float64Array, { components, mean, loadings }: PcaFit, out: Float64Array): void {
  for (let c = 0; c < components; c++) {
    let score = 0;
    for (let j = 0; j < row.length; j++) {
      score += ((row[j] ?? 0) - (mean[j] ?? 0)) * (loadings[c * row.length + j] ?? 0);
    }
    out[c] = score;
  }
}
