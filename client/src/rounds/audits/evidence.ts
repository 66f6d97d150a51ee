import { hex } from '@regulon/shared/crypto';
import type { RegulonError } from '@regulon/shared/errors';
import {
  type AnnouncedClose,
  encodeManifest,
  type Manifest,
  type SurvivorEntry,
} from '@regulon/shared/secagg';
import type { ItemOf } from '@regulon/shared/wire';
import { type AttemptRow, evidenceName, writeEvidence } from '../../state/index.js';
import type { AuditedRound, AuditPlace } from './audit-place.js';
import type { LoggedGroups } from './logged-groups.js';

/** What was wrong with a sum, as the coordinator showed it. */
export interface WrongSum {
  readonly survivors: readonly SurvivorEntry[];
  readonly revealed: readonly ItemOf<'revealed'>[];
  /** pieces of the tile that is not the sum, with their paths */
  readonly tiles: readonly ItemOf<'spotTiles'>[];
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/**
 * Keep what shows that an announced sum is wrong: roots that the sites signed, opened pieces with their paths, revealed
 * secrets. The file outlives the run; it holds masked pieces only.
 */
export function keepEvidence(place: AuditPlace, audited: AuditedRound, wrong: WrongSum): void {
  const { run, site } = place;
  const { round, attempt, manifest, own, aggregateRoot } = audited;
  const content = {
    ...{ schema: 'regulon.wrong-sum/1', run, round: round.round, attempt },
    manifest: manifest ? base64(encodeManifest(manifest)) : null,
    ...{ h2: own?.facts.h2 ?? null, peers: own?.facts.peers ?? [], aggregateRoot: hex(aggregateRoot) },
    survivors: wrong.survivors.map(({ id, root, sig }) => ({ id, root: hex(root), signature: base64(sig) })),
    revealed: wrong.revealed.map((r) => ({ site: r.site, maskSecret: r.maskSecret, secret: hex(r.secret) })),
    tiles: wrong.tiles.map((t) => ({
      ...{ aggregate: t.aggregate, site: t.site, index: t.index },
      ...{ tile: base64(t.tile), path: t.path.map(hex) },
    })),
  };
  const path = writeEvidence(place.folder, evidenceName(round.round, attempt), content);
  site.logger.warn(
    { run, round: round.round, code: 'E_MODEL', path },
    `round ${round.round}: the sum is wrong; what shows it is kept`,
  );
}

/** A signed close that this site cannot recompute. */
export interface WrongClose {
  readonly manifest: Manifest;
  /** this site's own record of the attempt */
  readonly own: AttemptRow;
  readonly close: AnnouncedClose;
  /** Sig_C("CLOSE", T), 64 bytes */
  readonly signature: Uint8Array;
  readonly survivors: readonly SurvivorEntry[];
  /** with sub-cohorts: what the log has of all groups; the survivors are those of the own one */
  readonly groups?: LoggedGroups;
  readonly failure: RegulonError;
}

/** Keep what the coordinator signed and showed of a close, and what it should have covered; it holds no secret. */
export function keepClose(place: AuditPlace, wrong: WrongClose): void {
  const { manifest, own, close, signature, survivors, groups, failure } = wrong;
  const { round, attempt } = manifest;
  const content = {
    ...{ schema: 'regulon.wrong-close/1', run: place.run, round, attempt, why: failure.message },
    manifest: base64(encodeManifest(manifest)),
    ...{ h1: hex(close.h1), h2: own.facts.h2 ?? null, h3: hex(close.h3) },
    survivors: survivors.map(({ id, root, sig }) => ({ id, root: hex(root), signature: base64(sig) })),
    answers: close.answers.map(({ id, digest, sig }) => ({
      ...{ site: id, digest: hex(digest), signature: base64(sig) },
    })),
    ...{ aggregateRoot: hex(close.aggRoot), modelHash: hex(close.modelHash) },
    ...{ transcript: hex(close.T), closeSignature: base64(signature) },
    groups: (groups?.groups ?? []).map(({ sites, h2, h3, aggRoot }) => ({
      ...{ sites, h2: hex(h2), h3: hex(h3), aggregateRoot: hex(aggRoot) },
    })),
  };
  const path = writeEvidence(place.folder, evidenceName(round, attempt, 'close'), content);
  const facts = { run: place.run, round, code: failure.code, path };
  place.site.logger.warn(facts, `round ${round}: its close does not recompute; what shows it is kept`);
}
