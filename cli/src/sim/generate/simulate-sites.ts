import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  drawPatient,
  drawSubtypes,
  expressionModel,
  type Patient,
  siteProfile,
  SUBTYPES,
} from './expression-model.js';
import { drawFollowUp } from './follow-up.js';
import { Random } from './random.js';

/** What counts are simulated, and where they are written. */
export interface ExpressionSimulation {
  /** folder that receives one folder a site */
  readonly folder: string;
  /** u32 */
  readonly seed: number;
  /** names of the sites, in the order of the plan */
  readonly sites: readonly string[];
  /** genes of the panel; default 2,000 */
  readonly genes?: number;
  /** patients of each site; default: 36 to 90, drawn */
  readonly patients?: readonly number[];
  /** no site gets more patients than these */
  readonly mostPatients?: number;
  /** further columns index, months and relapse, some missing; the last site measures no index; default false */
  readonly followUp?: boolean;
}

/** Where the files of a simulated site lie. */
export interface SimulatedSite {
  readonly name: string;
  /** matrix: counts.tsv, or series.tsv */
  readonly counts: string;
  /** design.tsv; series have none */
  readonly labels?: string;
  readonly units: number;
  /** series: what `columnsPrefix` of the importer needs */
  readonly columnsPrefix?: string | readonly string[];
}

/**
 * Write simulated RNA-seq counts of three tumour subtypes, laid out as the TCGA clients are: `counts.tsv`
 * (genes × patients, header one name short of the rows' cells) and `design.tsv` (Lum, Basal, is_LumA, age, stage, and
 * the subtype by name).
 *
 * Negative binomial counts with a mean–dispersion trend, library sizes spread two- to threefold, modules of correlated
 * genes that follow the subtype, batch effects, unequal sites and label skew. The same seed gives the same bytes.
 */
export function simulateSites(simulation: ExpressionSimulation): SimulatedSite[] {
  const { seed, genes = 2000 } = simulation;
  const model = expressionModel(seed, genes);
  return simulation.sites.map((name, i) => {
    const drawn = siteProfile(seed, name, genes, simulation.patients?.[i]);
    const profile = { ...drawn, patients: Math.min(drawn.patients, simulation.mostPatients ?? Infinity) };
    const random = new Random(seed, `${name}/patients`);
    const patients = drawSubtypes(profile, random).map((subtype) =>
      drawPatient(model, profile, subtype, random),
    );
    const folder = join(simulation.folder, name);
    mkdirSync(folder, { recursive: true });
    const ids = patients.map((_, p) => `${name}-P${String(p + 1).padStart(4, '0')}`);
    const counts = join(folder, 'counts.tsv');
    const labels = join(folder, 'design.tsv');
    writeFileSync(counts, countsText(model.genes, ids, patients));
    const design = designText(ids, patients, new Random(seed, `${name}/design`));
    const hasIndex = i < simulation.sites.length - 1;
    const clinic = new Random(seed, `${name}/follow-up`);
    writeFileSync(labels, simulation.followUp ? followedText(design, patients, clinic, hasIndex) : design);
    return { name, counts, labels, units: patients.length };
  });
}

function countsText(genes: readonly string[], ids: readonly string[], patients: readonly Patient[]): string {
  const rows = genes.map((gene, g) => `${gene}\t${patients.map(({ counts }) => counts[g]).join('\t')}`);
  return `${['', ...ids].join('\t')}\n${rows.join('\n')}\n`;
}

function designText(ids: readonly string[], patients: readonly Patient[], random: Random): string {
  const rows = patients.map(({ subtype }, p) => {
    const luminal = subtype === 0 ? 0 : 1;
    const age = Math.min(90, Math.max(25, Math.round(random.normal(subtype === 0 ? 54 : 60, 12))));
    const cells = [
      ids[p],
      luminal,
      1 - luminal,
      subtype === 1 ? 1 : 0,
      age,
      random.integer(1, 4),
      SUBTYPES[subtype],
    ];
    return cells.join('\t');
  });
  return `\tLum\tBasal\tis_LumA\tage\tstage\tsubtype\n${rows.join('\n')}\n`;
}

/** The design with the follow-up of each patient; subtypes that are not known are taken out. */
function followedText(
  design: string,
  patients: readonly Patient[],
  random: Random,
  hasIndex: boolean,
): string {
  const [header = '', ...rows] = design.trimEnd().split('\n');
  const followed = patients.map((patient, p) => {
    const { index, months, relapse, knowsSubtype } = drawFollowUp(patient, random, hasIndex);
    const cells = (rows[p] ?? '').split('\t');
    if (!knowsSubtype) cells[cells.length - 1] = 'NA';
    return [...cells, ...[index, months, relapse].map((x) => x ?? 'NA')].join('\t');
  });
  return `${[`${header}\tindex\tmonths\trelapse`, ...followed].join('\n')}\n`;
}
