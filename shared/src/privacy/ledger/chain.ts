import { canonicalJson, concatBytes, hex, sha256, utf8 } from '../../crypto/index.js';
import { RegulonError } from '../../errors/index.js';
import { type ChargedEvent, parseChargedEvent } from './charged-event.js';

/** One charge: a release of one dataset in one attempt of a round. */
export interface Charge {
  readonly seq: number;
  readonly dataset: string;
  readonly run: string;
  readonly round: number;
  readonly attempt: number;
  readonly event: ChargedEvent;
}

/** A charge as it is stored: the event as JSON text, with the links of the chain. */
export interface StoredCharge extends Omit<Charge, 'event'> {
  readonly event: string;
  /** link before, 32 bytes; zeros before the first */
  readonly prev: Uint8Array;
  readonly hash: Uint8Array;
}

/** Where a ledger stands: what a site keeps outside of it. */
export interface LedgerHead {
  readonly size: number;
  /** hexadecimal; zeros when empty */
  readonly hash: string;
}

/** Link before the first charge. */
export const FIRST_LINK = new Uint8Array(32);

/** Link of a charge: SHA-256 over the link before and the canonical JSON of the charge. */
export function linkOf(prev: Uint8Array, { seq, dataset, run, round, attempt, event }: Charge): Uint8Array {
  return sha256(concatBytes(prev, utf8(canonicalJson({ seq, dataset, run, round, attempt, event }))));
}

/**
 * Check every link of a ledger, and that it continues what was seen of it.
 *
 * @param rows in their order
 * @param known head kept outside of the ledger; rows after it are new, rows before it cannot be missing
 * @returns the charges, and the head
 * @throws E_LEDGER naming the first charge that was edited, or what is missing
 */
export function verifyLedger(
  rows: readonly StoredCharge[],
  known: LedgerHead,
): { charges: Charge[]; head: LedgerHead } {
  let prev: Uint8Array = FIRST_LINK;
  let at = 0;
  const charges: Charge[] = [];
  if (known.size === 0 && known.hash !== hex(FIRST_LINK)) throw wrong('its head is none');
  for (const [seq, row] of rows.entries()) {
    const charge = { ...plainCharge(row), event: parseChargedEvent(parsed(row.event, seq), seq) };
    const link = linkOf(prev, charge);
    if (row.seq !== seq || hex(row.prev) !== hex(prev) || hex(row.hash) !== hex(link))
      throw wrong(`charge ${seq} was edited, or a charge before it was removed`);
    if ((charge.event.at ?? at) < at) throw wrong(`charge ${seq} is older than the one before it`);
    if (seq + 1 === known.size && hex(link) !== known.hash)
      throw wrong(`charge ${seq} is not the one that this site wrote`);
    [prev, at] = [link, charge.event.at ?? at];
    charges.push(charge);
  }
  if (rows.length < known.size)
    throw wrong(
      `it has ${rows.length} charges, and had ${known.size}: it was truncated or an old copy was restored`,
    );
  return { charges, head: { size: rows.length, hash: hex(prev) } };
}

const plainCharge = ({ seq, dataset, run, round, attempt }: StoredCharge): Omit<Charge, 'event'> => ({
  ...{ seq, dataset, run, round, attempt },
});

function parsed(text: string, seq: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RegulonError('E_LEDGER', `charge ${seq} of the privacy ledger is no JSON`, { cause });
  }
}

const wrong = (what: string): RegulonError => new RegulonError('E_LEDGER', `the privacy ledger: ${what}`);
