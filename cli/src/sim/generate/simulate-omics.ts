import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SimulatedSite } from './simulate-sites.js';
import { Random } from './random.js';

/** What omics are simulated, and where they are written. */
export interface OmicSimulation {
  /** folder that receives one folder a site */
  readonly folder: string;
  /** u32 */
  readonly seed: number;
  /** names of the sites, in the order of the plan */
  readonly sites: readonly string[];
  /** each omic with its number of features; all tell the same subtype, each with noise of its own */
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

const SUBTYPES = ['A', 'B', 'C'] as const;
/** Share of a site's patients who lack one omic. */
const LACKING = 0.25;

/**
 * Write simulated patients with several omics: `counts.tsv` (features × patients, log-ratios, `NA` where a patient lacks an
 * omic) and `design.tsv` (subtype). The last site has no first omic at all. The same seed gives the same bytes.
 */
export function simulateOmics({ folder, seed, sites, inputs }: OmicSimulation): SimulatedSite[] {
  const biology = new Random(seed, 'omics');
  const omics = inputs.map(({ name, shape }) => {
    const features = shape.reduce((a, b) => a * b, 1);
    const profiles = SUBTYPES.map(() =>
      Float64Array.from({ length: features }, () => biology.normal(0, 0.35)),
    );
    return { name, features, profiles };
  });
  return sites.map((name, s) => {
    const random = new Random(seed, `${name}/omics`);
    const patients = Array.from({ length: random.integer(40, 80) }, (_, p) => {
      const lacks = random.uniform() < LACKING ? random.integer(0, omics.length - 1) : -1;
      const lacking = s === sites.length - 1 ? 0 : lacks;
      return { id: `${name}-P${String(p + 1).padStart(4, '0')}`, subtype: p % SUBTYPES.length, lacking };
    });
    const rows = omics.flatMap(({ name: omic, features, profiles }, o) =>
      Array.from({ length: features }, (_, f) => {
        const cells = patients.map(({ subtype, lacking }) => {
          const value = random.normal(profiles[subtype]?.[f] ?? 0, 1);
          return lacking === o ? 'NA' : value.toFixed(4);
        });
        return `${omic}:F${String(f + 1).padStart(4, '0')}\t${cells.join('\t')}`;
      }),
    );
    const site = join(folder, name);
    mkdirSync(site, { recursive: true });
    const [counts, labels] = [join(site, 'counts.tsv'), join(site, 'design.tsv')];
    writeFileSync(counts, `${['', ...patients.map(({ id }) => id)].join('\t')}\n${rows.join('\n')}\n`);
    const design = patients.map(({ id, subtype }) => `${id}\t${SUBTYPES[subtype]}`);
    writeFileSync(labels, `\tsubtype\n${design.join('\n')}\n`);
    return { name, counts, labels, units: patients.length };
  });
}
