import { X509Certificate } from 'node:crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type Roster, verifyInForce } from '@regulon/shared/plan';
import { failed, type Finding, ok, warning } from './row.js';

const DAY_MS = 86_400_000;
const WARNING_DAYS = 30;
const FAILURE_DAYS = 7;

/** Something that ends, and who can renew it. */
interface Term {
  readonly what: string;
  /** ms since the epoch */
  readonly end: number;
  readonly remedy: string;
}

/**
 * D3: the roster is in force, and neither it nor this site's certificate ends soon.
 *
 * The first membership that ends stops every site, because M counts all members.
 *
 * @param certificate PEM
 * @param now ms since the epoch
 * @throws E_ROSTER when a membership has not begun or has ended; E_CERTIFICATE when the PEM is none
 */
export function checkIdentity(roster: Roster, certificate: string, now: number): Finding {
  verifyInForce(roster, now);
  const remedy = 'ask the administrators for the next roster, and pin its hash as rosterHash';
  const members = roster.members.map(({ name, validTo }): Term => {
    return { what: `the membership of ${name}`, end: Date.parse(validTo), remedy };
  });
  const own: Term = {
    what: 'the certificate of this site',
    end: endOf(certificate),
    remedy:
      'a running daemon renews it; else ask the founder for new ones (`regulon fed renew`), see docs/enrolment.md',
  };
  const next = members.reduce((first, term) => (term.end < first.end ? term : first), own);
  return judged(next, now);
}

function endOf(certificate: string): number {
  try {
    return Date.parse(new X509Certificate(certificate).validTo);
  } catch (cause) {
    throw new RegulonError('E_CERTIFICATE', 'the certificate of this site cannot be read', { cause });
  }
}

function judged({ what, end, remedy }: Term, now: number): Finding {
  const left = (end - now) / DAY_MS;
  const day = new Date(end).toISOString().slice(0, 10);
  if (left <= 0) return failed(`${what} ended on ${day}`, remedy);
  const note = `${what} ends on ${day}, in ${Math.ceil(left)} days`;
  if (left <= FAILURE_DAYS) return failed(note, remedy);
  return left <= WARNING_DAYS ? warning(note, remedy) : ok(note);
}
