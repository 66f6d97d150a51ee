import { boxPublicKeyOf, equalBytes, shamirCombine } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import type { SiteId } from './manifest.js';
import type { Revealed } from './mask-keys.js';
import type { AdvertiseKeys, AnswerEntry, ShareKeys, UnmaskAnswer } from './messages.js';
import { seedCommitment } from './transcript.js';

/** What the reconstruction needs; the answers were checked against their digests before. */
export interface RevealInput {
  readonly ctx: Uint8Array;
  /** U1, sorted: rank + 1 is a holder's coordinate */
  readonly keys: readonly AdvertiseKeys[];
  /** what each dealer committed to */
  readonly shares: ReadonlyMap<SiteId, Pick<ShareKeys, 'cb'>>;
  /** exactly t answers, sorted by id */
  readonly answers: readonly UnmaskAnswer[];
}

/**
 * Reconstruct the seeds of the survivors and the mask keys of the others, and compare each with what its site committed to.
 *
 * @throws E_DEALER naming the site whose checked shares give something else: it dealt wrong shares, provably
 */
export function reveal({ ctx, keys, shares, answers }: RevealInput): Revealed {
  const seeds: { id: SiteId; b: Uint8Array }[] = [];
  const maskSecrets: { id: SiteId; sSk: Uint8Array }[] = [];
  const coordinates = new Map(keys.map(({ id }, rank) => [id, rank + 1]));
  const entries = (k: number): AnswerEntry[] => answers.flatMap(({ entries }) => entries[k] ?? []);
  for (const [k, { about: id, kind }] of (answers[0]?.entries ?? []).entries()) {
    const secret = shamirCombine(
      entries(k).map(({ share }, i) => ({ x: coordinates.get(answers[i]?.id ?? -1) ?? 0, share })),
    );
    if (kind === 0) {
      const cb = shares.get(id)?.cb ?? new Uint8Array();
      if (!equalBytes(seedCommitment(ctx, id, secret), cb)) throw dealt(id);
      seeds.push({ id, b: secret });
    } else {
      const sPk = keys.find((entry) => entry.id === id)?.sPk ?? new Uint8Array();
      if (!equalBytes(boxPublicKeyOf(secret), sPk)) throw dealt(id);
      maskSecrets.push({ id, sSk: secret });
    }
  }
  return { seeds, maskSecrets };
}

function dealt(id: SiteId): RegulonError {
  return new RegulonError('E_DEALER', `the shares that site ${id} dealt do not give what it committed to`, {
    details: { site: id },
  });
}
