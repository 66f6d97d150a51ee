import { decodeManifest } from '@regulon/shared/secagg';
import { isRegulonError } from '@regulon/shared/errors';
import { elementsOf } from '@regulon/shared/transparency';
import { z } from 'zod';
import { attachmentOfBundle, type BundleEntry, type BundleFiles, ofKind } from './bundle-entries.js';

/** One attempt of a round: who took part, and what left the sites. */
export interface RoundFacts {
  /** index of its `round.open` */
  readonly entry: number;
  readonly round: number;
  readonly attempt: number;
  readonly purpose: string;
  readonly step: string;
  /** numbers of sites; null before the coordinator closed the attempt */
  readonly cohort: {
    readonly invited: number | null;
    readonly u1: number | null;
    readonly u2: number | null;
    readonly u3: number | null;
  };
  /** `sum`, the code of the abort, or `open` */
  readonly end: string;
  /** masked vectors that sites announced before they sent them */
  readonly vectors: number;
  /** numbers in each vector, and its bytes; null when no site announced one, or the manifest cannot be read */
  readonly elements: number | null;
  readonly bytes: number | null;
  /** answers that unmask the sum, and confirmations of what followed from it */
  readonly answers: number;
  readonly confirmations: number;
  /** sites that charged their privacy budget, and the noise that the manifest demands in the ring */
  readonly charged: number;
  readonly noise: 'none' | 'discrete-gaussian' | 'skellam' | 'unknown';
}

const NOISES = ['none', 'discrete-gaussian', 'skellam'] as const;

/** Every attempt of a run, in the order of the log. @param entries of this run */
export function roundFactsOf(entries: readonly BundleEntry[], files: BundleFiles): RoundFacts[] {
  const attempts = new Map<string, BundleEntry[]>();
  for (const one of entries) {
    const key = `${one.entry.round}-${one.entry.attempt}`;
    const own = attempts.get(key);
    if (own) own.push(one);
    else attempts.set(key, [one]);
  }
  return ofKind(entries, 'round.open').map((open) =>
    attemptFacts(open, attempts.get(`${open.entry.round}-${open.entry.attempt}`) ?? [], files),
  );
}

function attemptFacts(
  { index, entry }: BundleEntry<'round.open'>,
  own: readonly BundleEntry[],
  files: BundleFiles,
): RoundFacts {
  const { round, attempt, body } = entry;
  const sum = ofKind(own, 'round.aggregate')[0]?.entry.body;
  const abort = ofKind(own, 'round.abort').find((one) => one.entry.actor.type === 'coordinator');
  const vectors = ofKind(own, 'round.contribution').map((one) => one.entry.body);
  const elements = vectors[0]?.maskedInput.length ?? null;
  const manifest = manifestOf(attachmentOfBundle(files, body.manifest.digest));
  const sizeOf = (field: typeof body.invited | undefined): number | null =>
    field === undefined
      ? null
      : elementsOf(field, z.int(), (digest) => attachmentOfBundle(files, digest)).length;
  return {
    ...{ entry: index, round, attempt, purpose: body.purpose, step: body.stepId },
    cohort: { invited: sizeOf(body.invited), u1: sizeOf(sum?.u1), u2: sizeOf(sum?.u2), u3: sizeOf(sum?.u3) },
    end: sum ? 'sum' : (abort?.entry.body.code ?? 'open'),
    vectors: vectors.length,
    elements,
    bytes: elements === null || !manifest ? null : (elements * manifest.ringBits) / 8,
    answers: ofKind(own, 'round.unmask').length,
    confirmations: ofKind(own, 'round.ack').length,
    charged: vectors.filter(({ charge }) => charge !== null).length,
    noise: manifest ? NOISES[manifest.mechanism] : 'unknown',
  };
}

function manifestOf(bytes: Uint8Array | undefined): ReturnType<typeof decodeManifest> | undefined {
  try {
    return bytes && decodeManifest(bytes);
  } catch (error) {
    if (isRegulonError(error)) return undefined;
    throw error;
  }
}
