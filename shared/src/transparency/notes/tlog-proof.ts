import { equalBytes, leafHashOf } from '../../crypto/index.js';
import { RegulonError } from '../../errors/index.js';
import { verifyInclusion } from '../merkle/proofs.js';
import { verifyCheckpoint } from './checkpoint.js';
import { cosignersOf } from './quorum.js';
import type { QuorumPolicy } from './quorum-policy.js';

const HEADER = 'c2sp.org/tlog-proof@v1';
/** A proof in a log of 2^53 entries has at most so many hashes. */
const MAX_HASHES = 53;

/** One entry of the log, and what proves that it stands there. */
export interface TlogProof {
  /** bytes of the entry, carried in the line `extra` */
  readonly entry: Uint8Array;
  readonly index: number;
  /** 32 bytes each, nearest sibling first */
  readonly hashes: readonly Uint8Array[];
  /** signed checkpoint, with its cosignatures */
  readonly checkpoint: string;
}

/** Text of a proof. @see C2SP tlog-proof */
export function formatTlogProof({ entry, index, hashes, checkpoint }: TlogProof): string {
  const lines = [HEADER, `extra ${base64(entry)}`, `index ${index}`, ...hashes.map(base64)];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/**
 * Read a proof with its entry.
 *
 * @throws E_VERIFY when the text is no proof, or carries no entry
 */
export function parseTlogProof(text: string): TlogProof {
  const end = text.indexOf('\n\n');
  const [header, extra = '', index = '', ...hashes] = text.slice(0, Math.max(0, end)).split('\n');
  const number = /^index (0|[1-9]\d{0,15})$/.exec(index)?.[1];
  if (header !== HEADER || !extra.startsWith('extra ') || number === undefined || hashes.length > MAX_HASHES)
    throw new RegulonError('E_VERIFY', 'not a proof of an entry: header, entry, index or number of hashes');
  return {
    entry: fromBase64(extra.slice('extra '.length)),
    index: Number(number),
    hashes: hashes.map(fromBase64),
    checkpoint: text.slice(end + 2),
  };
}

/**
 * Check a proof against the policy of the sites.
 *
 * @returns size of the log, and names of the witnesses that cosigned its checkpoint; whether they are a quorum is
 *   the caller's question
 * @throws E_VERIFY when the log did not sign the checkpoint, a known line is wrong, or the entry is not in the tree
 */
export function verifyTlogProof(
  { entry, index, hashes, checkpoint }: TlogProof,
  policy: QuorumPolicy,
): { readonly size: number; readonly cosigners: readonly string[] } {
  const { size, root } = verifyCheckpoint(checkpoint, policy.log);
  verifyInclusion({ entryHash: leafHashOf(entry), index, size, root, proof: hashes });
  return { size, cosigners: [...cosignersOf(checkpoint, policy.witnesses).keys()] };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

function fromBase64(text: string): Uint8Array {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  if (!equalBytes(Buffer.from(base64(bytes)), Buffer.from(text)))
    throw new RegulonError('E_VERIFY', 'a line of the proof is not base64');
  return bytes;
}
