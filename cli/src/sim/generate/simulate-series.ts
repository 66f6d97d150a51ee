import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from './random.js';
import type { SimulatedSite } from './simulate-sites.js';

/** What series are simulated, and where they are written. */
export interface SeriesSimulation {
  /** folder that receives one folder a site */
  readonly folder: string;
  /** u32 */
  readonly seed: number;
  /** names of the sites: each is one experiment */
  readonly sites: readonly string[];
  /** genes; default 800 */
  readonly genes?: number;
  /** what a site may count at most */
  readonly mostGenes?: number;
  /** time steps of each experiment; default: 14 to 20, drawn */
  readonly steps?: readonly number[];
  /** also write `design.tsv` with the phase in which each gene is expressed most; genes without a cycle left out */
  readonly labelled?: boolean;
  /** experiments that every site made of each gene; default: one, of the site's name */
  readonly channels?: readonly string[];
}

/** Share of cells that are missing. */
const MISSING = 0.05;
/** Share of genes that follow the cycle. */
const PERIODIC = 0.6;

/** Amplitude of a gene that does not follow the cycle. */
const WEAKEST = 0.05;
const PHASES = ['G1', 'S', 'G2', 'M'];
const phaseOf = ({ phase }: Gene): string =>
  PHASES[Math.floor((PHASES.length * phase) / (2 * Math.PI))] ?? 'G1';
const geneName = (g: number): string => `SIM${String(g + 1).padStart(4, '0')}`;

/** A gene over the experiments: how strongly, and when in the cycle, it is expressed. */
interface Gene {
  readonly amplitude: number;
  readonly phase: number;
}

/**
 * Write simulated expression series of a dividing cell culture, one experiment a site, laid out as the yeast file is:
 * `series.tsv`, first column `row.names`, columns `<site>_<minutes>`, log-ratios, missing cells `NA`.
 *
 * Genes keep amplitude and phase in all experiments; period, damping and sampling are the experiment's own. Slow
 * drifts and autocorrelated noise lie on top. The same seed gives the same bytes.
 */
export function simulateSeries(simulation: SeriesSimulation): SimulatedSite[] {
  const { seed, mostGenes = Infinity } = simulation;
  const genes = Math.min(simulation.genes ?? 800, mostGenes);
  const biology = new Random(seed, 'series/biology');
  const panel = Array.from({ length: genes }, (): Gene => ({
    amplitude: biology.uniform() < PERIODIC ? 0.3 + 0.3 * biology.gamma(2) : WEAKEST,
    phase: 2 * Math.PI * biology.uniform(),
  }));
  return simulation.sites.map((name, i) => {
    const random = new Random(seed, `series/${name}`);
    const steps = simulation.steps?.[i] ?? random.integer(14, 20);
    const folder = join(simulation.folder, name);
    mkdirSync(folder, { recursive: true });
    const counts = join(folder, 'series.tsv');
    const kept = simulation.labelled ? panel.filter(({ amplitude }) => amplitude > WEAKEST) : panel;
    const channels = simulation.channels ?? [name];
    const experiments = channels.map((channel) => experimentRows(channel, kept, steps, random));
    const names = ['row.names', ...kept.map((_, g) => geneName(g))];
    const rows = names.map((gene, row) => [gene, ...experiments.map((rowsOf) => rowsOf[row])].join('\t'));
    writeFileSync(counts, `${rows.join('\n')}\n`);
    const site = { name, counts, units: kept.length, columnsPrefix: simulation.channels ?? name };
    if (!simulation.labelled) return site;
    const labels = join(folder, 'design.tsv');
    writeFileSync(
      labels,
      `gene\tphase\n${kept.map((gene, g) => `${geneName(g)}\t${phaseOf(gene)}\n`).join('')}`,
    );
    return { ...site, labels };
  });
}

/** The header and a row a gene, without the genes' names. */
function experimentRows(name: string, panel: readonly Gene[], steps: number, random: Random): string[] {
  const interval = random.integer(7, 12);
  /** steps a cycle, so that every experiment sees about two */
  const period = 8 + 2 * random.uniform();
  const damping = 0.01 + 0.02 * random.uniform();
  const header = Array.from({ length: steps }, (_, t) => `${name}_${t * interval}`);
  const rows = panel.map((gene) => seriesOf(gene, { steps, period, damping }, random));
  return [header, ...rows].map((cells) => cells.join('\t'));
}

function seriesOf(
  { amplitude, phase }: Gene,
  { steps, period, damping }: { steps: number; period: number; damping: number },
  random: Random,
): string[] {
  const shift = random.normal(0, 0.15);
  let drift = random.normal(0, 0.1);
  return Array.from({ length: steps }, (_, t) => {
    drift = 0.85 * drift + random.normal(0, 0.08);
    const cycle = amplitude * Math.exp(-damping * t) * Math.cos((2 * Math.PI * t) / period + phase + shift);
    const value = cycle + drift + random.normal(0, 0.1);
    return random.uniform() < MISSING ? 'NA' : value.toFixed(2);
  });
}
