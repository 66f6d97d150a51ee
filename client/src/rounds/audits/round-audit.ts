import { boxPublicKeyOf, enc, fromHex, hex, hkdf, u32 } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { KeyedGenerator } from '@regulon/shared/models';
import {
  type CohortView,
  type MaskKey,
  seedCommitment,
  type SurvivorEntry,
  unmaskKeysOf,
  vectorLength,
} from '@regulon/shared/secagg';
import { isSaidByCoordinator, type ItemOf } from '@regulon/shared/wire';
import type { AuditedRound, AuditPlace } from './audit-place.js';
import { namedError } from '../../errors/index.js';
import type { WrongSum } from './evidence.js';
import { loggedGroupsOf } from './logged-groups.js';
import { verifyGroupsRecomputed } from './recomputed-close.js';
import { auditTiles, tilesToAudit, WrongTile } from './spot-audit.js';
import { ofOwnGroup, ownViewOf, survivorsOf } from './survivors.js';

/** How an audit ended. */
export type RoundAudit =
  | { readonly result: 'agree'; readonly tiles: readonly number[] }
  /** E_MODEL: a tile or a secret is wrong */
  | {
      readonly result: 'differ';
      readonly tiles: readonly number[];
      readonly failure: RegulonError;
      readonly wrong: WrongSum;
    }
  /**
   * it did not come about: the coordinator is away or opens nothing, or the signed close does not recompute (E_FORK); without
   * `failure` this site cannot audit the round
   */
  | { readonly result: 'none'; readonly failure?: RegulonError };

/** Recompute some tiles of the sum of a closed round. Never throws: what prevents an audit is in its result. */
export async function auditRound(place: AuditPlace, audited: AuditedRound): Promise<RoundAudit> {
  const { site, run, runId } = place;
  const { round, manifest, own, attempt, aggregateRoot } = audited;
  const view = manifest && ownViewOf(place, { round: round.round, manifest, own });
  if (!view) return { result: 'none' };
  const size = (vectorLength(view.manifest) * view.manifest.ringBits) / 8;
  const { ringBits } = view.manifest;
  const tiles = tilesToAudit(size, ringBits, view.n, choiceOf(place, audited));
  let shown: WrongSum = { survivors: [], revealed: [], tiles: [] };
  try {
    const closed = { round: round.round, manifest: view.manifest, own };
    const survivors = ofOwnGroup(view, await survivorsOf(place, closed));
    const at = { run: runId, round: round.round };
    const groups = loggedGroupsOf(place, audited, view, survivors);
    if (groups) await verifyGroupsRecomputed(place, audited, view, groups, survivors);
    const all = await site.link.fetch({ type: 'revealed', ...at, attempt });
    const revealed = ofOwnGroup(
      view,
      all.map((item) => ({ ...item, id: item.site })),
    );
    shown = { survivors, revealed, tiles: [] };
    const masks = masksOf(audited, view, survivors, revealed);
    await auditTiles(
      site.link,
      { ...at, survivors, masks, aggregateRoot, size, ringBits, groups },
      tiles,
      place.engine,
    );
    return { result: 'agree', tiles };
  } catch (error) {
    const failure = namedError(error);
    if (!isRegulonError(error, 'E_MODEL') || isSaidByCoordinator(error)) {
      site.logger.debug({ run, round: round.round, code: failure.code }, 'an audit did not come about');
      return { result: 'none', failure };
    }
    const wrong = error instanceof WrongTile ? { ...shown, tiles: error.pieces } : shown;
    return { result: 'differ', tiles, failure, wrong };
  }
}

/**
 * Which tiles are looked at: nobody else can know, and it is the same however often the audit is tried. A fresh choice
 * would let the coordinator answer only where the sum is right.
 */
export function choiceOf(
  { roundingSecret, run }: AuditPlace,
  { round, attempt }: AuditedRound,
): KeyedGenerator {
  const info = enc('regulon/audit/v1', run, u32(round.round), u32(attempt));
  return new KeyedGenerator(hkdf(roundingSecret, new Uint8Array(32), info, 32));
}

/**
 * The streams that open the sum, from the revealed secrets.
 *
 * @throws E_MODEL when one is not what its site committed to, or they are not exactly those of U2: a mask left out
 *   would stay in the sum, and with it whatever the coordinator likes
 */
function masksOf(
  { round, own }: AuditedRound,
  { ctx, h2, u2 }: CohortView,
  survivors: readonly SurvivorEntry[],
  revealed: readonly ItemOf<'revealed'>[],
): MaskKey[] {
  const known = (id: number) => own?.facts.peers?.find((peer) => peer.id === id);
  for (const { site, maskSecret, secret } of revealed) {
    const wanted = maskSecret ? known(site)?.sPk : known(site)?.cb;
    const found = hex(maskSecret ? boxPublicKeyOf(secret) : seedCommitment(ctx, site, secret));
    if (found !== wanted)
      throw new RegulonError('E_MODEL', `round ${round.round}: a revealed secret of site ${site} is wrong`);
  }
  const survived = new Set(survivors.map(({ id }) => id));
  const expected = u2.map((id) => `${id} ${!survived.has(id)}`).sort();
  const shown = revealed.map(({ site, maskSecret }) => `${site} ${maskSecret}`).sort();
  if (expected.join() !== shown.join()) {
    throw new RegulonError(
      'E_MODEL',
      `round ${round.round}: the revealed secrets are not one of each member of the cohort`,
    );
  }
  return unmaskKeysOf({
    ...{ ctx, h2 },
    survivors: survivors.map(({ id }) => ({ id, sPk: fromHex(known(id)?.sPk ?? '', 32) })),
    seeds: revealed.filter((i) => !i.maskSecret).map((i) => ({ id: i.site, b: i.secret })),
    maskSecrets: revealed.filter((i) => i.maskSecret).map((i) => ({ id: i.site, sSk: i.secret })),
  });
}
