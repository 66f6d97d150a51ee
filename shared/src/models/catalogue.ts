import { RegulonError } from '../errors/index.js';

/** Version of the model catalogue that this program carries: layers, losses and how their weights start. */
export const CATALOGUE_VERSION = 1;

/**
 * Refuse a declaration for a newer catalogue before anything else in it is read: its layers are not known here.
 *
 * @param model the `model` section of a plan as it was parsed, not yet checked
 * @throws E_CATALOGUE naming both versions
 */
export function verifyCatalogue(model: unknown): void {
  if (typeof model !== 'object' || model === null || !('catalogue' in model)) return;
  const { catalogue } = model;
  if (typeof catalogue === 'number' && Number.isInteger(catalogue) && catalogue > CATALOGUE_VERSION) {
    throw new RegulonError(
      'E_CATALOGUE',
      `model.catalogue: ${catalogue}, this program knows catalogue ${CATALOGUE_VERSION}`,
    );
  }
}
