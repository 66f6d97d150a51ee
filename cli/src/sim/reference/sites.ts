import { loadDataset, viewOf } from '@regulon/client/data';
import { RegulonError } from '@regulon/shared/errors';
import { designOf, omicsOf, patientsOf, targetsOf, type UnitsView } from '@regulon/shared/genomics';
import type { Plan } from '@regulon/shared/plan';
import type { ReferenceJob } from './job.js';

/** The data of one site as the reference sees them. */
export interface ReferenceSite {
  readonly name: string;
  readonly unitIds: readonly string[];
  readonly view: UnitsView;
  /** patient of each unit, where one may have several */
  readonly patients?: readonly string[];
}

/**
 * Load every site's data through the daemon's own importer.
 *
 * @throws E_DATA_FORMAT and its kin as the daemon; E_PANEL when sites hold different genes, or sequences of other lengths
 */
export async function loadSites(job: ReferenceJob, plan: Plan): Promise<ReferenceSite[]> {
  const sites: ReferenceSite[] = [];
  let panel: Uint8Array | undefined;
  for (const { name, open: _open, ...source } of job.sites) {
    const { labels, columnsPrefix, ...matrix } = source;
    const data = await loadDataset({
      ...matrix,
      ...(labels === undefined ? {} : { labels }),
      ...(columnsPrefix === undefined ? {} : { columnsPrefix }),
    });
    if (plan.dataset.kind !== 'series' && panel && Buffer.compare(panel, data.panelDigest) !== 0) {
      throw new RegulonError(
        'E_PANEL',
        `site ${name} holds other genes, or another order, than the sites before it`,
      );
    }
    panel = data.panelDigest;
    const view = {
      ...{ ...viewOf(data, plan.label?.classes), ...designOf(data, plan.design) },
      ...{ ...targetsOf(data, plan), ...omicsOf(data, plan) },
    };
    const patients = patientsOf(data, plan.dataset);
    sites.push({
      ...{ name, unitIds: data.unitIds, view: withBatchesOf(sites.length, view) },
      ...(patients && { patients }),
    });
  }
  return sites;
}

/** Batches numbered so that none of two sites is one when their units are joined. */
function withBatchesOf(site: number, view: UnitsView): UnitsView {
  const batches = Int32Array.from({ length: view.n }, (_, i) => site * 65_536 + (view.batches?.[i] ?? 0));
  return { ...view, batches };
}
