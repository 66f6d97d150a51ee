import { enc, fromHex, hkdf, u32 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { KeyedGenerator } from '@regulon/shared/models';
import type { WordSource } from '@regulon/shared/privacy';

/** The records of a patient: rows of the data. */
export type Records = readonly number[];

/**
 * Records by patient, at most so many of each, chosen by the run's own secret: the same ones in every round.
 *
 * @param numbers patient of each record, any whole numbers; absent: each record is a patient of its own
 * @param key hexadecimal secret of the run
 * @throws E_PRIVACY when the bound is none
 */
export function recordsByPatient(
  n: number,
  numbers: ArrayLike<number> | undefined,
  { most, key }: { most: number; key: string },
): Records[] {
  if (!Number.isInteger(most) || most < 1)
    throw new RegulonError('E_PRIVACY', 'records of a patient: at least 1 counts');
  const records = new Map<number, number[]>();
  for (let row = 0; row < n; row++) {
    const patient = numbers ? (numbers[row] ?? row) : row;
    const known = records.get(patient);
    if (known) known.push(row);
    else records.set(patient, [row]);
  }
  return [...records.values()].map((rows, p) => (rows.length > most ? chosen(rows, most, p, key) : rows));
}

/** The first `most` of a keyed shuffle, in their order. @see Knuth, TAOCP 2, Algorithm P */
function chosen(rows: readonly number[], most: number, patient: number, key: string): number[] {
  const info = enc('regulon/records/v1', u32(patient));
  const random = new KeyedGenerator(hkdf(fromHex(key), new Uint8Array(32), info, 32));
  const order = [...rows];
  for (let i = 0; i < most; i++) {
    const j = i + random.below(order.length - i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order.slice(0, most).sort((a, b) => a - b);
}

/**
 * A Poisson sample: each patient by itself, with probability threshold / 2³².
 *
 * @param threshold 1 … 2³²
 */
export function poissonSample(
  patients: readonly Records[],
  threshold: number,
  source: WordSource,
): Records[] {
  return patients.filter(() => source.next() >>> 0 < threshold);
}
