import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hex } from '@regulon/shared/crypto';
import { encodeManifest } from '@regulon/shared/secagg';
import { evidenceName, guarded } from '../../state/index.js';
import type { AuditedRound, AuditPlace } from './audit-place.js';
import type { WrongSum } from './round-audit.js';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/**
 * Keep what shows that an announced sum is wrong: roots that the sites signed, opened pieces with their paths, revealed
 * secrets. The file outlives the run; it holds masked pieces only.
 */
export function keepEvidence(place: AuditPlace, audited: AuditedRound, wrong: WrongSum): void {
  const { run, site } = place;
  const { round, attempt, manifest, own, aggregateRoot } = audited;
  const path = join(place.folder, evidenceName(round.round, attempt));
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
  const text = `${JSON.stringify(content)}\n`;
  guarded('evidence of a wrong sum', () => writeFileSync(path, text, { mode: 0o600, flush: true }));
  site.logger.warn(
    { run, round: round.round, code: 'E_MODEL', path },
    `round ${round.round}: the sum is wrong; what shows it is kept`,
  );
}
