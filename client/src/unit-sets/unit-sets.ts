/** Bytes of a unit in `UnitSets.units`: digests of its id, of its values and of its patient. */
export const UNIT_BYTES = 48;
/** Fold of a unit in a run without folds. */
export const NO_FOLD = 255;

/**
 * Which units stand behind the exact sums of a run at this site: all, those that an arm holds out or trains with, and
 * those of each class and covariate. Digests are keyed; nothing here leaves the site.
 */
export interface UnitSets {
  /** 48 bytes a unit, ascending by the digest of its id */
  readonly units: Uint8Array;
  /** fold of each unit */
  readonly folds: Uint8Array;
  /** folds that arms hold out */
  readonly heldOut: readonly number[];
  /** level by level (classes, then covariates) a token of each unit: 0 = not in it, equal = the same value of it */
  readonly levels: Uint32Array;
}
