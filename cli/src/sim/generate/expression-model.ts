import { Random } from './random.js';

/** Subtypes of the simulated tumours, with the design columns of the TCGA clients. */
export const SUBTYPES = ['Basal', 'LumA', 'LumB'] as const;
/** Index into SUBTYPES. */
export type Subtype = 0 | 1 | 2;

/** Share of each subtype over all sites. */
const SHARES = [0.22, 0.48, 0.3] as const;

/** Correlated genes next to each other in the panel, with one activity a patient. */
interface Module {
  readonly first: number;
  /** effect of each gene on the log mean for activity 1 */
  readonly loadings: Float64Array;
  /** mean activity by subtype */
  readonly activity: readonly [number, number, number];
}

/** Everything that the sites share: the biology. */
export interface ExpressionModel {
  readonly genes: readonly string[];
  /** natural log of the mean count at a library of average size */
  readonly logMean: Float64Array;
  readonly dispersion: Float64Array;
  readonly modules: readonly Module[];
}

const MODULE_GENES = 40;
const MODULES = 14;
/** Mean activities of Basal, LumA, LumB: a strong axis, a weaker one between the luminal types, and noise modules. */
const ACTIVITIES: readonly (readonly [number, number, number])[] = [
  [1.6, -0.4, -0.4],
  [-1.5, 0.4, 0.5],
  [0.9, -0.6, 0.2],
  [0.1, -1, 1],
  [0, 1, -0.9],
  [0.4, -0.7, 0.7],
  [-0.2, 0.6, -0.6],
];

/** Draw panel, means, dispersions and modules from a seed. */
export function expressionModel(seed: number, genes: number): ExpressionModel {
  const random = new Random(seed, 'biology');
  const logMean = Float64Array.from({ length: genes }, () => random.normal(Math.log(120), 1.5));
  // dispersion falls with the mean towards an asymptote, with its own scatter (Love 2014, Fig. 1)
  const dispersion = logMean.map((m) => (0.06 + 1.5 / Math.exp(m)) * Math.exp(random.normal(0, 0.4)));
  const size = Math.min(MODULE_GENES, Math.floor(genes / MODULES));
  const gap = Math.floor(genes / MODULES);
  const modules = Array.from({ length: MODULES }, (_, k) => ({
    first: k * gap,
    loadings: Float64Array.from({ length: size }, () => 0.15 + 0.5 * random.uniform()),
    activity: ACTIVITIES[k] ?? ([0, 0, 0] as const),
  }));
  return { genes: geneNames(genes), logMean, dispersion, modules };
}

/** Names that no spreadsheet damages and nobody takes for real genes. */
const geneNames = (genes: number): string[] =>
  Array.from({ length: genes }, (_, g) => `SIM${String(g + 1).padStart(5, '0')}`);

/** One site: how many patients, which subtypes, and how its laboratory distorts the counts. */
export interface SiteProfile {
  readonly name: string;
  readonly patients: number;
  /** probability of each subtype here */
  readonly shares: readonly [number, number, number];
  /** shift of each gene's log mean: the batch effect */
  readonly batch: Float64Array;
  /** log of the site's usual sequencing depth against the average */
  readonly depth: number;
}

/** Draw a site; label skew and batch effect are its own. */
export function siteProfile(seed: number, name: string, genes: number, patients?: number): SiteProfile {
  const random = new Random(seed, `${name}/profile`);
  const weight = (share: number): number => random.gamma(share * 14);
  const shares = [weight(SHARES[0]), weight(SHARES[1]), weight(SHARES[2])] as const;
  const drawn = random.integer(36, 90);
  return {
    name,
    patients: patients ?? drawn,
    shares,
    depth: random.normal(0, 0.25),
    batch: Float64Array.from({ length: genes }, () => random.normal(0, 0.4)),
  };
}

/** A simulated patient: subtype and counts. */
export interface Patient {
  readonly subtype: Subtype;
  /** count of each gene */
  readonly counts: Uint32Array;
  /** of each module */
  readonly activities: Float64Array;
}

/** Draw one patient of a site. */
export function drawPatient(
  model: ExpressionModel,
  site: SiteProfile,
  subtype: Subtype,
  random: Random,
): Patient {
  const log = model.logMean.map((m, g) => m + (site.batch[g] ?? 0));
  const activities = new Float64Array(model.modules.length);
  for (const [m, module] of model.modules.entries()) {
    const activity = random.normal(module.activity[subtype], 0.8);
    activities[m] = activity;
    module.loadings.forEach((loading, i) => {
      log[module.first + i] = (log[module.first + i] ?? 0) + loading * activity;
    });
  }
  const library = random.normal(site.depth, 0.35);
  const counts = new Uint32Array(log.length);
  log.forEach(
    (m, g) => (counts[g] = random.negativeBinomial(Math.exp(m + library), model.dispersion[g] ?? 0.1)),
  );
  return { subtype, counts, activities };
}

/** Subtypes of a site's patients: every subtype at least five times where there is room, the rest by its shares. */
export function drawSubtypes(site: SiteProfile, random: Random): Subtype[] {
  const atLeast = Math.min(5, Math.floor(site.patients / 3));
  return Array.from({ length: site.patients }, (_, i) =>
    i < 3 * atLeast ? ((i % 3) as Subtype) : (random.choose(site.shares) as Subtype),
  );
}
