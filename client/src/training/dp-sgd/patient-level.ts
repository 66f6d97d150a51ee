import { RegulonError } from '@regulon/shared/errors';
import { patientLevelRule } from '@regulon/shared/models';
import type { TrainJob } from '../job.js';

/**
 * A private training uses only layers, merges and losses whose gradients are exact by patient. The plan was refused
 * otherwise; here it is asked again, beside the code that would add up gradients of several patients unclipped.
 *
 * @throws E_PRIVACY naming the layer, the merge or the loss
 */
export function verifyPatientLevel({ declaration, privacy }: TrainJob): void {
  const broken = privacy && patientLevelRule(declaration);
  if (broken) throw new RegulonError('E_PRIVACY', `model.${broken.path}: ${broken.rule}`);
}
