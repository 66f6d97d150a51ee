import { hex } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import type { BatchShareFit } from './batch-share/batch-share-fit.js';
import type { ConfoundingFit } from './confounding/confounding-fit.js';
import type { ImputeLowRankFit, ImputeMeanFit, ImputeNeighboursFit } from './impute/impute-fit.js';
import type { LibraryCellsFit } from './library-cells-fit.js';
import type { GeneLengthsFit } from './normalize/gene-lengths-fit.js';
import type { UpperQuartileFit } from './normalize/upper-quartile-fit.js';
import type { QualityFit } from './quality/quality-fit.js';
import type { LimmaVoomFit, VoomFit } from './voom/voom-fit.js';
import type { DispersionsFit, VstFit } from './vst/vst-fit.js';

/** What the first round told: units, classes, and the genes that may enter a released sum. */
export interface CountsFit {
  readonly step: 'counts';
  readonly units: number;
  /** units of each class, over the contributors */
  readonly classUnits: Uint32Array;
  /** sites with at least one unit of each class */
  readonly classSites: Uint32Array;
  readonly minUnits: number;
  readonly minSites: number;
  readonly keptGenes: Uint32Array;
}

/** Genes that every fold of det5 may release; runs that are not public only. */
export interface FoldsFit {
  readonly step: 'folds';
  readonly keptGenes: Uint32Array;
}

/** Search of the median library size: two order statistics, each between `from` (inclusive) and `from + width`. */
export interface LibraryFit {
  readonly step: 'library-median';
  /** searches done, 1 to 3; after the third `width` is 1 and the median is known */
  readonly searches: number;
  readonly width: number;
  /** lower bounds of the two middle order statistics */
  readonly from: readonly [number, number];
  /** units with a library below each of `from` */
  readonly below: readonly [number, number];
}

/** edgeR's rule as fitted. */
export interface FilterFit {
  readonly step: 'filter-by-expression';
  readonly medianLibrary: number;
  /** counts per million from which a unit expresses a gene */
  readonly cut: number;
  /** units that must express a gene */
  readonly minExpressing: number;
  readonly minTotal: number;
  readonly keptGenes: Uint32Array;
}

/** Genes that the plan names. */
export interface GeneListFit {
  readonly step: 'gene-list';
  readonly keptGenes: Uint32Array;
}

/** log2(CPM + 1); the library is the sum over `libraryGenes`, or over the whole panel when absent. */
export interface LogCpmFit {
  readonly step: 'log2-cpm';
  readonly libraryGenes?: Uint32Array;
}

/** Mean of each kept gene over the training units. */
export interface MeanFit {
  readonly step: 'mean';
  readonly units: number;
  readonly mean: Float64Array;
}

/** Population variance of each kept gene; genes that vary nowhere are dropped. */
export interface VarianceFit {
  readonly step: 'variance';
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  /** aligned with `mean` and `variance` */
  readonly keptGenes: Uint32Array;
}

/** The k genes of largest variance, in panel order. */
export interface TopVarianceFit {
  readonly step: 'top-variance';
  readonly k: number;
  readonly keptGenes: Uint32Array;
}

/** (x − mean) / sd, aligned with the genes kept so far. */
export interface ZScoreFit {
  readonly step: 'z-score';
  readonly mean: Float64Array;
  readonly sd: Float64Array;
}

/** DESeq2's size factors: a unit is divided by exp(median(ln count − logMeans)) / scale over its positive reference genes. */
export interface SizeFactorsFit {
  readonly step: 'size-factors';
  readonly method: 'ratio' | 'poscounts';
  /** panel positions, ascending; aligned with `logMeans` */
  readonly referenceGenes: Uint32Array;
  readonly logMeans: Float64Array;
  /** geometric mean of the factors, 1 for `ratio` */
  readonly scale: number;
}

/** log2(x + pseudocount). */
export interface LogFit {
  readonly step: 'log2';
  readonly pseudocount: number;
}

/** Centred log ratio: ln(x + pseudocount) less its mean over the kept genes of the unit. */
export interface ClrFit {
  readonly step: 'clr';
  readonly pseudocount: number;
}

/** Values of a unit are replaced by the reference at their ranks. */
export interface QuantileFit {
  readonly step: 'quantile-normalize';
  /** mean value at each rank, ascending; one a kept gene */
  readonly reference: Float64Array;
}

/**
 * A linear model with batch effects, without them: they stay at the sites (Frisch–Waugh). A site subtracts from its
 * units what it fits for its own batches.
 */
export interface BatchFit {
  readonly step: 'batch-center' | 'batch-z-score' | 'remove-batch-effect' | 'combat';
  /** columns of the plan's design in the model */
  readonly covariates: Uint32Array;
  /** effects of the covariates, row-major [covariates, genes]; genes as kept at this step, here and below */
  readonly beta: Float64Array;
  /** remove-batch-effect: mean of the batch effects; combat: grand mean; else empty */
  readonly intercept: Float64Array;
  /** combat: pooled residual variance (divided by n); else empty */
  readonly variance: Float64Array;
  /** combat: positions of the genes that vary inside every batch; the others stay as they are */
  readonly adjusted: Uint32Array;
  /** combat: only the means are adjusted */
  readonly meanOnly: boolean;
}

/** (x − low) / (high − low), held inside 0 to 1; aligned with the genes kept at this step. */
export interface BoundsFit {
  readonly step: 'min-max';
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** (x − center) / scale with quantiles; aligned with the genes kept at this step. */
export interface RobustFit {
  readonly step: 'robust-scale';
  readonly center: Float64Array;
  readonly scale: Float64Array;
}

/** Principal components of the kept genes: scores replace the genes. */
export interface PcaFit {
  readonly step: 'pca';
  readonly components: number;
  /** aligned with the kept genes */
  readonly mean: Float64Array;
  /** row-major [components, genes], orthonormal; the entry of largest absolute value of each is positive */
  readonly loadings: Float64Array;
  /** population variance along each component */
  readonly variance: Float64Array;
}

/** A graph of the kept genes, by position among them: each edge once, a < b, in the order of (a, b). */
export interface CoExpressionFit {
  readonly step: 'co-expression';
  readonly neighbours: number;
  readonly a: Uint32Array;
  readonly b: Uint32Array;
  /** absolute correlation over the training units, above 0 */
  readonly weight: Float64Array;
}

/** A step of a preparation with what was fitted for it. */
export type FittedStep =
  | CountsFit
  | FoldsFit
  | ConfoundingFit
  | QualityFit
  | LibraryFit
  | LibraryCellsFit
  | FilterFit
  | GeneListFit
  | BatchShareFit
  | VoomFit
  | LimmaVoomFit
  | LogCpmFit
  | GeneLengthsFit
  | SizeFactorsFit
  | UpperQuartileFit
  | DispersionsFit
  | VstFit
  | LogFit
  | ClrFit
  | QuantileFit
  | BatchFit
  | ImputeMeanFit
  | ImputeNeighboursFit
  | ImputeLowRankFit
  | MeanFit
  | VarianceFit
  | TopVarianceFit
  | BoundsFit
  | RobustFit
  | ZScoreFit
  | PcaFit
  | CoExpressionFit;

/**
 * How raw values of a unit become model inputs: the steps with their fitted parameters.
 *
 * It travels with the model; one new patient is prepared from it alone.
 */
export interface FeatureSpecification {
  readonly schema: 'regulon.features/1';
  /** SHA-256 of the gene panel, hexadecimal */
  readonly panelDigest: string;
  /** genes of the panel */
  readonly genes: number;
  /** panel positions of the genes kept so far, ascending */
  readonly keptGenes: Uint32Array;
  readonly steps: readonly FittedStep[];
}

/**
 * A specification before its first statistics round: every gene, nothing fitted.
 *
 * @param panel digest of the gene panel, 32 bytes, and its size
 * @throws E_PANEL for a panel of no genes, or of more than 10⁷
 */
export function emptySpecification(panel: { panelDigest: Uint8Array; genes: number }): FeatureSpecification {
  if (!Number.isInteger(panel.genes) || panel.genes < 1 || panel.genes > 10_000_000) {
    throw new RegulonError('E_PANEL', `a panel of ${panel.genes} genes is not possible`);
  }
  return {
    schema: 'regulon.features/1',
    panelDigest: hex(panel.panelDigest),
    genes: panel.genes,
    keptGenes: Uint32Array.from({ length: panel.genes }, (_, i) => i),
    steps: [],
  };
}

/** Genes kept before step `index`: what its arrays are aligned with. */
export function genesBefore(spec: FeatureSpecification, index: number): Uint32Array {
  const narrowing = spec.steps.slice(0, index).findLast((step) => 'keptGenes' in step);
  if (narrowing && 'keptGenes' in narrowing) return narrowing.keptGenes;
  return Uint32Array.from({ length: spec.genes }, (_, i) => i);
}

/** A specification as it was before its step `index`. */
export function specificationBefore(spec: FeatureSpecification, index: number): FeatureSpecification {
  return { ...spec, keptGenes: genesBefore(spec, index), steps: spec.steps.slice(0, index) };
}

/** The specification after one more step; a step with `keptGenes` narrows the genes. */
export function withStep(spec: FeatureSpecification, step: FittedStep): FeatureSpecification {
  const keptGenes = 'keptGenes' in step ? step.keptGenes : spec.keptGenes;
  return { ...spec, keptGenes, steps: [...spec.steps, step] };
}
