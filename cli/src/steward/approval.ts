import { z } from 'zod';
import { canonicalJsonBytes, sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type BodyOf, digestText } from '@regulon/shared/transparency';

const DAY_MS = 86_400_000;
const USUAL_DAYS = 365;

/** What an approval binds together. */
export interface Agreed {
  /** digest text */
  readonly planHash: string;
  /** digest text of the policy in force */
  readonly policy: string;
  readonly dataset: Pick<BodyOf<'dataset.commit'>, 'dataset' | 'version' | 'commitment'>;
  /** texts for people: no machine reads them */
  readonly conditions?: readonly string[];
}

/** A steward approves a plan for one version of the site's dataset under the policy in force. */
export function approvalBody(
  { planHash, policy, dataset, conditions = [] }: Agreed,
  until: Date,
): BodyOf<'plan.approve'> {
  return {
    planHash,
    policy,
    dataset: dataset.dataset,
    datasetVersion: dataset.version,
    commitment: dataset.commitment,
    conditions: conditions.map((text) => text.normalize('NFC')),
    validUntil: until.toISOString(),
  };
}

/** The end of an approval: a whole day, so that what is read and what is signed have one digest. */
export function approvalEnd(now: Date, days = USUAL_DAYS): Date {
  return new Date((Math.floor(now.getTime() / DAY_MS) + days) * DAY_MS);
}

const day = z.iso.date();

/** The end of a day that a person names, in UTC. @throws E_ARGUMENT when it is none, or has ended */
export function endOfDay(text: string, now: Date): Date {
  // a calendar day, and no other: `Date` takes the 30th of February for the 2nd of March
  const end = day.safeParse(text).success ? Date.parse(`${text}T00:00:00.000Z`) + DAY_MS : NaN;
  if (end > now.getTime()) return new Date(end);
  throw new RegulonError('E_ARGUMENT', '--until: no day that is still to end, as 2027-01-31', {
    hint: 'name a day without a time: it counts to its end, in UTC',
  });
}

/** Digest of a statement as a person compares it. */
export const digestOfBody = (body: object): string => digestText(sha256(canonicalJsonBytes(body)));
