import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import type { Plan } from '@regulon/shared/plan';
import type { SimulatedSite } from './generate/simulate-sites.js';
import {
  simulateCoding,
  simulateLandmarks,
  simulateOmics,
  simulateSequences,
  simulateSeries,
  simulateSites,
} from './generate/index.js';

/** Where the files of one site lie. */
export interface SiteFiles {
  readonly name: string;
  readonly counts: string;
  readonly labels?: string;
  readonly columnsPrefix?: string | readonly string[];
}

/** A folder of data as it was recognised. */
export interface DataLayout {
  /** example plan that fits the folder */
  readonly plan: string;
  readonly sites: readonly SiteFiles[];
  readonly simulated: boolean;
}

const MATRIX = ['counts.tsv', 'counts.csv', 'series.tsv', 'sequences.fa'].flatMap((name) => [
  `${name}.gz`,
  name,
]);
const LABELS = ['design.tsv', 'labels.tsv', 'design.csv', 'labels.csv'];
const SERIES_FILE = 'spellman.txt.gz';
const EXPERIMENTS = ['alpha', 'cdc15', 'cdc28', 'elu'];

/**
 * Recognise a folder of real data.
 *
 * Either one folder a site with its matrix, series or sequences and `design.tsv`, or the yeast cell cycle with its four experiments.
 *
 * @throws E_ARGUMENT when the folder is none of these
 */
export function detectLayout(folder: string): DataLayout {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new RegulonError('E_ARGUMENT', `--data: ${folder} is no folder`, { hint: 'check the path' });
  }
  const series = join(folder, SERIES_FILE);
  if (existsSync(series)) {
    const sites = EXPERIMENTS.map((name) => ({ name, counts: series, columnsPrefix: name }));
    return { plan: 'yeast-gru.yaml', sites, simulated: false };
  }
  const sites = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => siteFiles(folder, entry.name) ?? [])
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (sites.length < 3) {
    throw new RegulonError('E_ARGUMENT', `--data: ${folder} holds ${sites.length} sites`, {
      hint: 'one folder a site, each with counts.tsv, series.tsv or sequences.fa (or .gz) and design.tsv, at least three; or the yeast_cellcycle folder',
    });
  }
  return { plan: 'brca3-cnn.yaml', sites, simulated: false };
}

/** Write simulated data that fit a plan, one folder a site below `folder`. */
export function simulatedLayout(plan: Plan, folder: string, seed: number): DataLayout {
  const where = { folder, seed, sites: plan.sites };
  const simulated = simulatedSites(plan, where);
  return { plan: plan.name, sites: simulated.map(({ units: _units, ...files }) => files), simulated: true };
}

function simulatedSites(
  { dataset, task, secureAggregation, model, targets = [] }: Plan,
  where: { folder: string; seed: number; sites: readonly string[] },
): SimulatedSite[] {
  switch (dataset.kind) {
    case 'series':
      return simulateSeries({
        ...{ ...where, mostGenes: secureAggregation.weightCap },
        ...(task === 'classify' ? { labelled: true } : {}),
        ...(dataset.channels && { channels: dataset.channels }),
      });
    case 'omics':
      return simulateOmics({ ...where, inputs: model.inputs ?? [] });
    case 'sequences': {
      const track = targets.flatMap((target) => (target.kind === 'track' ? [target] : []))[0];
      return track ? simulateCoding({ ...where, ...track }) : simulateSequences(where);
    }
    case 'expression': {
      const genes = targets.flatMap((target) => (target.kind === 'numbers' ? target.columns : []));
      if (genes.length > 1) return simulateLandmarks({ ...where, columns: genes });
      return simulateSites({
        ...{ ...where, mostPatients: secureAggregation.weightCap },
        ...(task === 'heads' ? { followUp: true } : {}),
      });
    }
  }
}

/** The files of the plan's sites, in its order. @throws E_ARGUMENT naming the first site without data */
export function filesOf(plan: Plan, layout: DataLayout): SiteFiles[] {
  return plan.sites.map((name) => {
    const files = layout.sites.find((site) => site.name === name);
    if (files) return { ...files, ...(plan.dataset.channels && { columnsPrefix: plan.dataset.channels }) };
    const known = layout.sites.map((site) => site.name).join(', ');
    throw new RegulonError('E_ARGUMENT', `the plan names site ${name}, the data hold ${known}`, {
      hint: 'choose a plan whose sites are those of the data',
    });
  });
}

function siteFiles(folder: string, name: string): SiteFiles | null {
  const find = (names: readonly string[]): string | undefined =>
    names.map((file) => join(folder, name, file)).find((path) => existsSync(path));
  const [counts, labels] = [find(MATRIX), find(LABELS)];
  return counts !== undefined && labels !== undefined ? { name, counts, labels } : null;
}
