import { hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { Plan, Roster } from '@regulon/shared/plan';
import {
  type ContractFile,
  contractOf,
  decodeContractFile,
  encodeContractFile,
  parseRunName,
  type RunContract,
  runName,
} from '@regulon/shared/program';
import type { DatasetTable } from '../storage/index.js';

/** What the sites of a plan have committed to, in the order of the plan. */
export interface SiteDataset {
  readonly site: number;
  readonly name: string;
  readonly dataset: DatasetTable;
}

/**
 * The panel of a run, which every site must share.
 *
 * @throws E_PANEL naming the sites that differ from the most frequent panel
 */
export function panelOf(plan: Plan, datasets: readonly SiteDataset[]): { digest: Uint8Array; size: number } {
  const groups = new Map<string, SiteDataset[]>();
  for (const site of datasets) {
    const name = `${hex(site.dataset.panel_digest)}/${site.dataset.panel_size}`;
    groups.set(name, [...(groups.get(name) ?? []), site]);
  }
  const [first, ...others] = [...groups.values()].sort((a, b) => b.length - a.length);
  if (!first?.[0]) throw new RegulonError('E_PANEL', 'no site has committed a dataset');
  const isSeries = plan.dataset.kind === 'series'; // each site has its own steps; the genes of a site are its units
  if (others.length > 0 && !isSeries) {
    const names = others
      .flat()
      .map((s) => s.name)
      .sort();
    throw new RegulonError(
      'E_PANEL',
      `the gene panel of ${names.join(', ')} is not the one of the other sites`,
    );
  }
  const { dataset } = isSeries ? (datasets[0] ?? first[0]) : first[0];
  return { digest: new Uint8Array(dataset.panel_digest), size: dataset.panel_size };
}

/** The bytes that daemons fetch. @param entries log entries by which each of them checks the rest */
export function documentOf(contract: RunContract, entries: readonly Uint8Array[]): Uint8Array {
  return encodeContractFile({
    run: runName(contract.runId),
    plan: contract.plan,
    panel: { digest: hex(contract.panel.digest), size: contract.panel.size },
    isPublic: contract.isPublic,
    entries,
  });
}

/** The contract of a run from its stored document. */
export function contractOfDocument(document: Uint8Array, roster: Roster): RunContract {
  const file: ContractFile = decodeContractFile(document);
  const panel = { digest: Uint8Array.from(Buffer.from(file.panel.digest, 'hex')), size: file.panel.size };
  return contractOf({
    runId: parseRunName(file.run),
    plan: file.plan,
    roster,
    panel,
    isPublic: file.isPublic,
  });
}
