import { boxPublicKeyOf, fromHex, hex } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError, traceOf } from '@regulon/shared/errors';
import type { ScheduledRound } from '@regulon/shared/program';
import {
  type Manifest,
  type MaskKey,
  seedCommitment,
  type SurvivorEntry,
  unmaskKeysOf,
  vectorLength,
} from '@regulon/shared/secagg';
import type { BodyOf } from '@regulon/shared/transparency';
import type { AttemptRow } from '../state/index.js';
import { namedError } from './named-error.js';
import type { RunSession } from './run-session.js';
import { auditTiles, tilesToAudit } from './spot-audit.js';

/** What the log says of this site's audit of a round. */
export type Audited = BodyOf<'round.ack'>['audited'];

/** A closed attempt, as far as an audit needs it. */
export interface AuditedClose {
  readonly manifest: Manifest;
  readonly ctx: Uint8Array;
  /** this site's own record, when it took part */
  readonly own: AttemptRow | undefined;
  readonly aggregateRoot: Uint8Array;
}

/**
 * Recompute some tiles of the sum of a closed round.
 *
 * An audit that does not come about (the coordinator is away, or opens nothing) is no audit, and the log says so.
 *
 * @returns what to acknowledge; `failure` is E_MODEL when a tile or a secret is wrong: provable, it stops everybody
 */
export async function auditRound(
  session: RunSession,
  round: ScheduledRound,
  close: AuditedClose,
  survivors: readonly SurvivorEntry[],
): Promise<{ audited: Audited; failure?: unknown }> {
  const { site, run, runId, engine } = session;
  const { manifest, aggregateRoot } = close;
  const { ringBits } = manifest;
  let tiles: number[] = [];
  try {
    const masks = await unmaskMasks(session, round, close, survivors);
    if (!masks) return { audited: { tiles: [], count: 0, result: 'none' } };
    const size = (vectorLength(manifest) * ringBits) / 8;
    tiles = tilesToAudit(size, ringBits, manifest.N);
    const subject = { run: runId, round: round.round, survivors, masks, aggregateRoot, size, ringBits };
    await auditTiles(site.link, subject, tiles, engine);
    return { audited: { tiles: tiles.slice(0, 64), count: tiles.length, result: 'agree' } };
  } catch (failure) {
    if (isRegulonError(failure, 'E_MODEL')) {
      const audited = { tiles: tiles.slice(0, 64), count: tiles.length, result: 'differ' } as const;
      return { audited, failure };
    }
    const named = namedError(failure);
    site.logger.warn(
      { run, round: round.round, code: named.code, trace: traceOf(named) },
      `round ${round.round}: its sum was not audited at this site`,
    );
    return { audited: { tiles: [], count: tiles.length, result: 'none' } };
  }
}

async function unmaskMasks(
  session: RunSession,
  round: ScheduledRound,
  { manifest, ctx, own }: AuditedClose,
  survivors: readonly SurvivorEntry[],
): Promise<MaskKey[] | undefined> {
  const { h2, peers } = own?.facts ?? {};
  if (h2 === undefined || !peers) return undefined;
  const { attempt } = manifest;
  const items = await session.site.link.fetch({
    type: 'revealed',
    run: session.runId,
    round: round.round,
    attempt,
  });
  const known = (id: number) => peers.find((peer) => peer.id === id);
  for (const { site, maskSecret, secret } of items) {
    const wanted = maskSecret ? known(site)?.sPk : known(site)?.cb;
    const found = hex(maskSecret ? boxPublicKeyOf(secret) : seedCommitment(ctx, site, secret));
    if (found !== wanted)
      throw new RegulonError('E_MODEL', `round ${round.round}: a revealed secret of site ${site} is wrong`);
  }
  return unmaskKeysOf({
    ctx,
    h2: fromHex(h2, 32),
    survivors: survivors.map(({ id }) => ({ id, sPk: fromHex(known(id)?.sPk ?? '', 32) })),
    seeds: items.filter((i) => !i.maskSecret).map((i) => ({ id: i.site, b: i.secret })),
    maskSecrets: items.filter((i) => i.maskSecret).map((i) => ({ id: i.site, sSk: i.secret })),
  });
}
