import { emptySpecification, withStep } from '../specification.js';
import { requireStep } from '../fitted-steps.js';
import { type Association, associationOf } from './association.js';
import { confoundingRound } from './confounding-round.js';

/**
 * Association of the labels and batches of one site, computed as the round does over all sites.
 *
 * @param labels class of each unit, 0 … @param batches batch of each unit, 0 …, of the same length
 * @returns the association, and how many pairs of batch and class have no unit
 */
export function tableAssociation(
  labels: Int32Array,
  batches: Int32Array,
): Association & { readonly absent: number } {
  const [n, classes] = [labels.length, labels.reduce((most, label) => Math.max(most, label), -1) + 1];
  const classUnits = new Uint32Array(classes);
  for (const label of labels) classUnits[label] = (classUnits[label] ?? 0) + 1;
  const none = {
    minUnits: 0,
    minSites: 0,
    keptGenes: new Uint32Array(1),
    classSites: new Uint32Array(classes),
  };
  const spec = withStep(emptySpecification({ panelDigest: new Uint8Array(32), genes: 1 }), {
    ...{ step: 'counts', units: n, classUnits },
    ...none,
  });
  const round = confoundingRound({ genes: 1, classes, weightCap: n, fractionBits: 24, uMin: 1 });
  const sums = round.local({ n, genes: 1, values: new Float64Array(n), labels, classes, batches }, spec);
  const fit = requireStep(round.fit(spec, sums, 1), 'confounding');
  return { ...associationOf(fit), absent: fit.absent };
}
