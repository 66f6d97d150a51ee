import { sha256 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { compareCodePoints } from './code-point.js';

/** Always five folds (`det5`). */
export const FOLDS = 5;

/**
 * Fold of each unit of one site.
 *
 * Genes are units that all sites share: a gene has one fold everywhere, else it would train at one site and be tested
 * at another. Every other unit belongs to one site.
 *
 * @param unit of the plan's dataset
 * @param patients of each unit, where one may have several: all units of a patient share a fold; absent = one each
 * @returns fold 0–4 of each unit, in the order of `unitIds`; the caller owns it
 * @throws E_DATA_DUPLICATE when two units have one id
 */
export function foldsOf(
  unit: string,
  unitIds: readonly string[],
  labels: ArrayLike<number> | undefined,
  siteIndex: number,
  patients?: readonly string[],
): Int32Array {
  if (new Set(unitIds).size !== unitIds.length)
    throw new RegulonError('E_DATA_DUPLICATE', 'two units of this site have one id');
  if (unit === 'gene') return sharedFoldOf(unitIds);
  return patients ? patientFoldOf(patients, labels, siteIndex) : foldOf(unitIds, labels, siteIndex);
}

/** Fold of each unit by its patient: patients are counted, in the smallest class that they have a unit of. */
function patientFoldOf(
  patients: readonly string[],
  labels: ArrayLike<number> | undefined,
  siteIndex: number,
): Int32Array {
  const classOf = new Map<string, number>();
  patients.forEach((patient, unit) => {
    const label = labels?.[unit] ?? 0;
    classOf.set(patient, Math.min(label, classOf.get(patient) ?? label));
  });
  const names = [...classOf.keys()];
  const folds = foldOf(names, [...classOf.values()], siteIndex);
  const foldOfPatient = new Map(names.map((name, i) => [name, folds[i] ?? 0]));
  return Int32Array.from(patients, (patient) => foldOfPatient.get(patient) ?? 0);
}

/**
 * Fold of each unit inside one site: per class, units sorted by code point of their id,
 * fold = (position + site index) mod 5.
 *
 * @param unitIds ids of the site's units, each once; they never leave
 * @param labels class of each unit; absent = all units form one class
 * @param siteIndex position of the site in the plan's list, from 0
 * @returns fold 0–4 of each unit, in the order of `unitIds`; the caller owns it
 * @see rounds.md §6
 */
export function foldOf(
  unitIds: readonly string[],
  labels: ArrayLike<number> | undefined,
  siteIndex: number,
): Int32Array {
  const classes = new Map<number, number[]>();
  unitIds.forEach((_, i) => {
    const label = labels?.[i] ?? 0;
    const members = classes.get(label);
    if (members) members.push(i);
    else classes.set(label, [i]);
  });
  const folds = new Int32Array(unitIds.length);
  for (const members of classes.values()) {
    members.sort((a, b) => compareCodePoints(unitIds[a] ?? '', unitIds[b] ?? ''));
    members.forEach((unit, position) => (folds[unit] = (position + siteIndex) % FOLDS));
  }
  return folds;
}

/**
 * Fold of units that all sites share (genes): first u32, big-endian, of SHA-256(id) mod 5.
 *
 * @returns fold 0–4 of each id
 * @see rounds.md §6
 */
export function sharedFoldOf(ids: readonly string[]): Int32Array {
  const encoder = new TextEncoder();
  return Int32Array.from(ids, (id) => {
    const digest = sha256(encoder.encode(id));
    return new DataView(digest.buffer, digest.byteOffset).getUint32(0) % FOLDS;
  });
}
