import type { RunDocument } from '@regulon/coordinator/runs';
import { decodeSpecification, type FeatureSpecification, type TestTable } from '@regulon/shared/genomics';
import { parsePlan } from '@regulon/shared/plan';
import type { CoordinatorApi } from '../api-client/index.js';
import { type SiteMean, siteMeans, whyNoSites } from './site-means.js';

/** What of the preparations of a run its report shows. */
export interface ShownPreparations {
  /** contrast that was tested gene by gene */
  readonly test?: TestTable;
  /** where sites may be compared */
  readonly sites?: readonly SiteMean[];
}

/** Fetch what the report shows of the preparations; those without a site only where sites may be compared. */
export async function shownPreparations(
  api: Pick<CoordinatorApi, 'modelSpecification'>,
  document: RunDocument,
): Promise<ShownPreparations> {
  const { modelDigest, models, isPublic } = document;
  const main = modelDigest === null ? null : await preparationOf(api, modelDigest);
  const test = main?.steps.find((step) => step.step === 'limma-voom')?.table;
  const shown = test ? { test } : {};
  if (isPublic !== true || whyNoSites(document, parsePlan(document.plan)) !== null) return shown;
  const without = new Map<string, FeatureSpecification>();
  for (const { label, digest } of models) {
    const site = /^without-(.+)$/.exec(label)?.[1];
    const specification = site === undefined ? null : await preparationOf(api, digest);
    if (site !== undefined && specification) without.set(site, specification);
  }
  const sites = siteMeans(without);
  return sites ? { ...shown, sites } : shown;
}

async function preparationOf(
  api: Pick<CoordinatorApi, 'modelSpecification'>,
  digest: string,
): Promise<FeatureSpecification | null> {
  const { featureSpecification } = await api.modelSpecification(digest);
  if (featureSpecification === null) return null;
  return decodeSpecification(Uint8Array.from(Buffer.from(featureSpecification, 'base64')));
}
