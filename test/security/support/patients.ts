import type { UnitsView } from '@regulon/shared/genomics';
import {
  approvalBy,
  contractBytes,
  datasetBy,
  siteNames,
  testPlan,
} from '../../../client/src/policy/site.support.js';

/** When the agreements of these specs are checked, ms since the epoch. */
export const now = Date.parse('2026-11-21T00:00:00Z');

/** What the stewards say when some data are of patients. */
export const overPatients = (plan = testPlan()): Uint8Array =>
  contractBytes(plan, {
    isPublic: false,
    entries: siteNames.flatMap((_, i) => [approvalBy(i + 1, plan), datasetBy(i + 1, { simulated: false })]),
  });
/** Units of one site: rows of counts. */
export const viewOf = (rows: readonly (readonly number[])[], labels: readonly number[]): UnitsView => ({
  n: rows.length,
  genes: rows[0]?.length ?? 0,
  values: Float64Array.from(rows.flat()),
  labels: Int32Array.from(labels),
  classes: 2,
});
/** Sum of vectors of one length, coordinate by coordinate. */
export const sumOf = (vectors: readonly Float64Array[]): number[] =>
  Array.from(vectors[0] ?? [], (_, k) => vectors.reduce((sum, v) => sum + (v[k] ?? 0), 0));
