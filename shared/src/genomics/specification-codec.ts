import { z } from 'zod';
import { canonicalJsonBytes, hashJson, hex, sha256 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import type { FeatureSpecification } from './specification.js';

type NumberArray = Uint32Array | Float64Array;

/** Largest encoded specification that is read: 10⁶ genes with several arrays each. */
const MAX_BYTES = 256 * 1024 * 1024;

const whole = z.int().min(0);
const finite = z.number();
const genes = z.instanceof(Uint32Array);
const reals = z.instanceof(Float64Array);
const pair = z.tuple([whole, whole]);

const fittedStep = z.discriminatedUnion('step', [
  z.strictObject({
    step: z.literal('counts'),
    units: whole,
    classUnits: genes,
    classSites: genes,
    minUnits: whole,
    minSites: whole,
    keptGenes: genes,
  }),
  z.strictObject({ step: z.enum(['folds', 'gene-list']), keptGenes: genes }),
  z.strictObject({
    step: z.literal('confounding'),
    units: whole,
    classUnits: genes,
    groups: whole,
    absent: whole,
    squares: finite,
    hits: whole,
  }),
  z.strictObject({
    step: z.literal('library-median'),
    searches: z.int().min(1).max(3),
    width: whole,
    from: pair,
    below: pair,
  }),
  z.strictObject({
    step: z.literal('quality'),
    ...{ units: whole, library: genes, detected: genes, missing: genes },
  }),
  z.strictObject({
    step: z.literal('upper-quartile'),
    ...{ libraryGenes: genes, logQuartile: finite, logLibrary: finite },
  }),
  z.strictObject({ step: z.literal('library-cells'), mean: finite, sd: finite, median: finite }),
  z.strictObject({
    step: z.literal('batch-share'),
    ...{ units: whole, batches: whole, mean: reals, share: finite },
  }),
  z.strictObject({
    step: z.literal('filter-by-expression'),
    medianLibrary: finite,
    cut: finite,
    minExpressing: finite,
    minTotal: whole,
    keptGenes: genes,
  }),
  z.strictObject({
    step: z.literal('voom'),
    logQuartile: finite,
    linear: z
      .strictObject({ units: whole, freedom: whole, meanLogLibrary: finite, average: reals, beta: reals })
      .exactOptional(),
    trend: z.strictObject({ x: reals, y: reals }).exactOptional(),
    weighted: z
      .strictObject({ beta: reals, products: reals, variance: reals.exactOptional() })
      .exactOptional(),
  }),
  z.strictObject({
    step: z.literal('limma-voom'),
    covariates: genes,
    contrast: reals,
    table: z.strictObject({
      ...{ genes, logFC: reals, average: reals, t: reals, freedom: finite, pValue: reals },
      ...{ adjusted: reals, logOdds: reals, halfWidth: reals },
    }),
  }),
  z.strictObject({
    step: z.enum(['log2-tpm', 'log2-fpkm']),
    ...{ lengths: genes, libraryGenes: genes.exactOptional() },
  }),
  z.strictObject({ step: z.literal('log2-cpm'), libraryGenes: genes.exactOptional() }),
  z.strictObject({
    step: z.literal('size-factors'),
    method: z.enum(['ratio', 'poscounts']),
    referenceGenes: genes,
    logMeans: reals,
    scale: finite,
  }),
  z.strictObject({
    step: z.literal('dispersions'),
    rounds: whole,
    units: whole,
    meanInverseFactor: finite,
    mean: reals,
    start: reals,
    at: reals,
    value: reals,
    slope: reals,
    initial: reals,
    kappa: reals,
    grid: reals,
    constant: reals,
    accepted: genes,
    done: genes,
  }),
  z.strictObject({ step: z.literal('vst'), asymptotic: finite, extra: finite }),
  z.strictObject({ step: z.literal('log2'), pseudocount: finite }),
  z.strictObject({ step: z.literal('clr'), pseudocount: finite }),
  z.strictObject({ step: z.literal('quantile-normalize'), reference: reals }),
  z.strictObject({
    step: z.enum(['batch-center', 'batch-z-score', 'remove-batch-effect', 'combat']),
    covariates: genes,
    beta: reals,
    intercept: reals,
    variance: reals,
    adjusted: genes,
    meanOnly: z.boolean(),
  }),
  z.strictObject({ step: z.literal('impute-mean'), mean: reals }),
  z.strictObject({
    step: z.literal('impute-neighbours'),
    ...{ neighbours: z.int().min(1), pairs: genes, nearest: genes },
  }),
  z.strictObject({
    step: z.literal('impute-low-rank'),
    ...{ rank: z.int().min(1), penalty: finite, mean: reals, loadings: reals, residual: finite },
  }),
  z.strictObject({ step: z.literal('min-max'), low: reals, high: reals }),
  z.strictObject({ step: z.literal('robust-scale'), center: reals, scale: reals }),
  z.strictObject({
    step: z.literal('pca'),
    components: z.int().min(1),
    mean: reals,
    loadings: reals,
    variance: reals,
  }),
  z.strictObject({ step: z.literal('co-expression'), neighbours: whole, a: genes, b: genes, weight: reals }),
  z.strictObject({ step: z.literal('mean'), units: whole, mean: reals }),
  z.strictObject({ step: z.literal('variance'), mean: reals, variance: reals, keptGenes: genes }),
  z.strictObject({ step: z.literal('top-variance'), k: whole, keptGenes: genes }),
  z.strictObject({ step: z.literal('z-score'), mean: reals, sd: reals }),
]);

const specificationSchema = z.strictObject({
  schema: z.literal('regulon.features/1'),
  panelDigest: z.string().regex(/^[0-9a-f]{64}$/),
  genes: z.int().min(1).max(10_000_000),
  keptGenes: genes,
  steps: z.array(fittedStep).max(64),
});

/** The specification as canonical JSON; arrays as base64 of their little-endian bytes. */
export function encodeSpecification(spec: FeatureSpecification): Uint8Array {
  return canonicalJsonBytes(mapArrays(spec, (array) => ({ [typeOf(array)]: base64Of(bytesOf(array)) })));
}

/**
 * Read an encoded specification.
 *
 * @throws E_MESSAGE naming the path that breaks the schema; arrays out of range included
 */
export function decodeSpecification(bytes: Uint8Array): FeatureSpecification {
  if (bytes.length > MAX_BYTES) throw refused('larger than 256 MiB');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), reviveArray);
  } catch (error) {
    throw error instanceof RegulonError ? error : refused('no JSON');
  }
  const result = specificationSchema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw refused(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
  }
  const spec = result.data;
  const last = spec.steps.findLast((step) => 'keptGenes' in step);
  const lists = [
    spec.keptGenes,
    ...spec.steps.flatMap((step) => ('keptGenes' in step ? [step.keptGenes] : [])),
  ];
  if (!lists.every((list) => isAscending(list, spec.genes))) throw refused('kept genes are not ascending');
  if (last && 'keptGenes' in last && last.keptGenes.length !== spec.keptGenes.length) {
    throw refused('kept genes do not follow from the steps');
  }
  return spec;
}

/**
 * Digest of a specification: H_x("featureSpec") over its JSON, arrays as digest and length, numbers as decimal text.
 *
 * @returns 32 bytes; the `modelHash` of statistics rounds, and the digest logged beside the model
 * @see rounds.md §2
 */
export function specificationDigest(spec: FeatureSpecification): Uint8Array {
  const byDigest = mapArrays(spec, (array) => ({
    length: String(array.length),
    sha256: hex(sha256(bytesOf(array))),
    type: typeOf(array),
  }));
  return hashJson('featureSpec', canonicalJsonBytes(decimals(byDigest)));
}

const typeOf = (array: NumberArray): 'u32' | 'f64' => (array instanceof Uint32Array ? 'u32' : 'f64');
const base64Of = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

function isNumberArray(value: unknown): value is NumberArray {
  return value instanceof Uint32Array || value instanceof Float64Array;
}

/** Little-endian bytes of an array, whatever the machine's order. */
function bytesOf(array: NumberArray): Uint8Array {
  const bytes = new Uint8Array(array.byteLength);
  const view = new DataView(bytes.buffer);
  array.forEach((x: number, i: number) => {
    if (array instanceof Uint32Array) view.setUint32(4 * i, x, true);
    else view.setFloat64(8 * i, x, true);
  });
  return bytes;
}

function mapArrays(value: unknown, toJson: (array: NumberArray) => unknown): unknown {
  if (isNumberArray(value)) return toJson(value);
  if (Array.isArray(value)) return value.map((item) => mapArrays(item, toJson));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapArrays(item, toJson)]));
}

/** The log and the digests carry no floating point: shortest decimal text instead. */
function decimals(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(decimals);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decimals(item)]));
}

function reviveArray(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  const [entry, ...more] = Object.entries(value as Record<string, unknown>);
  if (!entry || more.length > 0 || typeof entry[1] !== 'string') return value;
  const [type, text] = entry;
  if (type !== 'u32' && type !== 'f64') return value;
  const bytes = Buffer.from(text, 'base64');
  const size = type === 'u32' ? 4 : 8;
  if (bytes.length % size !== 0) throw refused('an array with a broken length');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = bytes.length / size;
  if (type === 'u32') return Uint32Array.from({ length }, (_, i) => view.getUint32(4 * i, true));
  const array = Float64Array.from({ length }, (_, i) => view.getFloat64(8 * i, true));
  if (!array.every(Number.isFinite)) throw refused('an array with a value that is not finite');
  return array;
}

const isAscending = (list: Uint32Array, below: number): boolean =>
  list.every((gene, j) => gene < below && (j === 0 || gene > (list[j - 1] ?? 0)));

function refused(rule: string): RegulonError {
  return new RegulonError('E_MESSAGE', `feature specification: ${rule}`);
}
