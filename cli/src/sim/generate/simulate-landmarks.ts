import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from './random.js';
import type { SimulatedSite } from './simulate-sites.js';

/** What landmark genes are simulated, and where they are written. */
export interface LandmarkSimulation {
  /** folder that receives one folder a site */
  readonly folder: string;
  /** u32 */
  readonly seed: number;
  /** names of the sites */
  readonly sites: readonly string[];
  /** names of the genes to be told from the landmarks */
  readonly columns: readonly string[];
  /** landmark genes; default 40 */
  readonly landmarks?: number;
  /** patients of each site; default 200 */
  readonly patients?: number;
}

const FACTORS = 6;
/** Share of the values in the label table that are missing. */
const MISSING = 0.1;
/** Standard deviation of what no factor explains. */
const NOISE = 0.4;

/**
 * Write genes that follow hidden factors: the landmarks in a straight line, the others with products of two factors as
 * well: `counts.tsv` (landmarks × patients, log-ratios) and `design.tsv` (the other genes). The same seed gives the same
 * bytes.
 */
export function simulateLandmarks(simulation: LandmarkSimulation): SimulatedSite[] {
  const { seed, columns, landmarks = 40, patients = 200 } = simulation;
  const biology = new Random(seed, 'landmarks');
  const loadings = (n: number): number[][] =>
    Array.from({ length: n }, () => Array.from({ length: FACTORS }, () => biology.normal(0, 0.5)));
  const [straight, bent, curved] = [loadings(landmarks), loadings(columns.length), loadings(columns.length)];
  return simulation.sites.map((name) => {
    const random = new Random(seed, `${name}/landmarks`);
    const ids = Array.from({ length: patients }, (_, p) => `${name}-P${String(p + 1).padStart(4, '0')}`);
    const factors = ids.map(() => Array.from({ length: FACTORS }, () => random.normal()));
    const rows = straight.map((of, g) => {
      const cells = factors.map((f) => (dot(of, f) + random.normal(0, NOISE)).toFixed(4));
      return [`L${String(g + 1).padStart(2, '0')}`, ...cells].join('\t');
    });
    const design = factors.map((f, p) => {
      const products = f.map((x, k) => x * (f[(k + 1) % FACTORS] ?? 0));
      const cells = columns.map((_, g) => {
        const value = dot(bent[g] ?? [], f) + dot(curved[g] ?? [], products) + random.normal(0, NOISE);
        return random.uniform() < MISSING ? 'NA' : value.toFixed(4);
      });
      return [ids[p], ...cells].join('\t');
    });
    const site = join(simulation.folder, name);
    mkdirSync(site, { recursive: true });
    const [counts, labels] = [join(site, 'counts.tsv'), join(site, 'design.tsv')];
    writeFileSync(counts, `${['', ...ids].join('\t')}\n${rows.join('\n')}\n`);
    writeFileSync(labels, `${['', ...columns].join('\t')}\n${design.join('\n')}\n`);
    return { name, counts, labels, units: patients };
  });
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, k) => sum + x * (b[k] ?? 0), 0);
