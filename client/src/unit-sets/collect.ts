import { concatBytes, enc, sha256, u32, utf8 } from '@regulon/shared/crypto';
import type { UnitsView } from '@regulon/shared/genomics';
import { NO_FOLD, type UnitSets } from './unit-sets.js';

/** The units of a plan at this site. */
export interface PlannedUnits {
  readonly unitIds: readonly string[];
  /** patient of each unit, by number or name; absent: each unit is one */
  readonly patients?: readonly (number | string)[] | undefined;
  /** with the classes and covariates of the plan */
  readonly view: UnitsView;
  /** of each unit; absent when no arm holds a fold out */
  readonly folds?: Int32Array | undefined;
  readonly heldOut: readonly number[];
}

/**
 * The unit sets of a plan.
 *
 * @param key secret of this site that never changes, 32 bytes: versions of a dataset are compared by it
 */
export function unitSetsOf(planned: PlannedUnits, key: Uint8Array): UnitSets {
  const { unitIds, patients, view, folds, heldOut } = planned;
  const digest = (what: string, bytes: Uint8Array): Uint8Array =>
    sha256(enc(`regulon/unit/${what}/v1`, key, bytes)).slice(0, 16);
  const rows = unitIds.map((unitId, unit) => {
    const id = digest('id', utf8(unitId));
    const patient = patients?.[unit];
    return {
      unit,
      bytes: concatBytes(
        id,
        digest('values', bytesOf(view.values.subarray(unit * view.genes, (unit + 1) * view.genes))),
        patient === undefined
          ? id
          : digest('patient', typeof patient === 'number' ? u32(patient) : utf8(patient)),
      ),
    };
  });
  rows.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  const order = rows.map(({ unit }) => unit);
  return {
    units: concatBytes(...rows.map(({ bytes }) => bytes)),
    folds: Uint8Array.from(order, (unit) => folds?.[unit] ?? NO_FOLD),
    heldOut,
    levels: levelsOf(view, order, (value) => digest('covariate', bytesOf(Float64Array.of(value)))),
  };
}

/** Classes, covariates, targets of heads, omics: an indicator is in or out, other numbers are told apart by their digests. */
function levelsOf(
  view: UnitsView,
  order: readonly number[],
  digest: (value: number) => Uint8Array,
): Uint32Array {
  const { n, labels, classes, covariates, targets, omics = [] } = view;
  const columns = covariates ? covariates.length / n : 0;
  const heads = targets ? targets.length / n : 0;
  // of a target its value and whether it is there: the scale of another plan changes the value only
  const levels = new Uint32Array((classes + columns + 2 * heads + omics.length) * n);
  const valueOf = (value: number): number => new DataView(digest(value).buffer).getUint32(0) | 2;
  const tokenOf = (value: number): number => (value === 0 || value === 1 ? value : valueOf(value));
  order.forEach((unit, at) => {
    for (let c = 0; c < classes; c++) levels[c * n + at] = labels?.[unit] === c ? 1 : 0;
    for (let c = 0; c < columns; c++)
      levels[(classes + c) * n + at] = tokenOf(covariates?.[unit * columns + c] ?? 0);
    for (let c = 0; c < heads; c++) {
      const value = targets?.[unit * heads + c] ?? NaN;
      const isThere = !Number.isNaN(value);
      levels[(classes + columns + c) * n + at] = isThere ? valueOf(value) : 0;
      levels[(classes + columns + heads + c) * n + at] = isThere ? 1 : 0;
    }
    omics.forEach((own, o) => {
      const isThere = !Number.isNaN(view.values[unit * view.genes + (own[0] ?? 0)]);
      levels[(classes + columns + 2 * heads + o) * n + at] = isThere ? 1 : 0;
    });
  });
  return levels;
}

const bytesOf = (values: Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
