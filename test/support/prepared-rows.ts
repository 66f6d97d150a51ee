import type { SimFederation } from '@regulon/cli/sim';
import type { RunDocument } from '@regulon/coordinator/runs';
import { decodeSpecification, type FeatureSpecification, type UnitsView } from '@regulon/shared/genomics';
import { unitTransform } from '../../shared/src/genomics/transform.js';

/** What the coordinator hands out beside the model of a run. */
export async function specificationOf(
  federation: SimFederation,
  run: RunDocument,
): Promise<FeatureSpecification> {
  const { featureSpecification } = await federation.api.modelSpecification(run.modelDigest ?? '');
  return decodeSpecification(Uint8Array.from(Buffer.from(featureSpecification ?? '', 'base64')));
}

/** The units of a site as a specification prepares them, a row each. */
export function rowsOf(view: UnitsView, spec: FeatureSpecification): Float64Array[] {
  const prepared = unitTransform(view, spec);
  return Array.from({ length: view.n }, (_, unit) => {
    const row = new Float64Array(prepared.length);
    prepared.apply(unit, row);
    return row;
  });
}
