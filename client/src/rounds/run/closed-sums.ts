import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { equalBytes, MerkleHasher } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { isRobust } from '@regulon/shared/plan';
import { Purpose, type ScheduledRound } from '@regulon/shared/program';
import { type Manifest, TILE_BYTES, vectorLength } from '@regulon/shared/secagg';
import { readFully, writeWhole } from '../../files/index.js';
import type { RunSession } from './run-session.js';

/** Roots of the sums of a closed round, as they were announced; 32 bytes each. */
export interface AnnouncedSums {
  readonly manifest: Manifest;
  readonly aggregateRoot: Uint8Array;
  /** of the groups in their order; none without sub-cohorts */
  readonly groupRoots: readonly Uint8Array[];
}

/** The sums of a closed round on disk. */
export interface ClosedSums {
  /** file of the sum of all sites */
  readonly aggregate: string;
  /** files that the server step reads: that one, or where the plan compares the groups, theirs in their order */
  readonly combined: readonly string[];
  /** of `combined` where these are groups */
  readonly groupRoots?: readonly Uint8Array[];
}

/**
 * Download the sums that the next step of the program follows from, each checked against its root. Where the plan compares
 * the groups, the sum of all is not downloaded: it is made of theirs, and must be the announced one.
 *
 * @throws E_DIGEST when a download is not what its root names; E_MODEL when the groups do not add up to the sum of all
 */
export async function fetchSums(
  session: RunSession,
  round: ScheduledRound,
  { manifest, aggregateRoot, groupRoots }: AnnouncedSums,
): Promise<ClosedSums> {
  const { link } = session.site;
  const size = (vectorLength(manifest) * manifest.ringBits) / 8;
  const aggregate = join(session.folder, 'aggregate.bin');
  if (round.purpose !== Purpose.train || !isRobust(session.agreement.contract.plan)) {
    await link.download({ digest: aggregateRoot, path: aggregate, size });
    return { aggregate, combined: [aggregate] };
  }
  const combined = groupRoots.map((_, k) => join(session.folder, `aggregate-${round.round}-${k}.bin`));
  for (const [k, digest] of groupRoots.entries())
    await link.download({ digest, path: combined[k] ?? aggregate, size });
  const total = await addUp(session, combined, { path: aggregate, size, ringBits: manifest.ringBits });
  if (!equalBytes(total, aggregateRoot))
    throw new RegulonError(
      'E_MODEL',
      `round ${round.round}: the sums of the groups do not add up to the announced sum of all sites`,
    );
  return { aggregate, combined, groupRoots };
}

/** Remove them once what follows is durable. */
export async function removeSums({ aggregate, combined }: ClosedSums): Promise<void> {
  for (const path of new Set([aggregate, ...combined])) await rm(path, { force: true });
}

/** Add vectors in the ring, tile by tile. @returns root of the sum, 32 bytes */
async function addUp(
  { engine }: Pick<RunSession, 'engine'>,
  paths: readonly string[],
  { path, size, ringBits }: { readonly path: string; readonly size: number; readonly ringBits: 32 | 64 },
): Promise<Uint8Array> {
  const files = await Promise.all(paths.map((from) => open(from, 'r')));
  const hasher = new MerkleHasher();
  try {
    await writeWhole(path, 'sum of all groups', async (part) => {
      const into = await open(part, 'w', 0o600);
      try {
        for (let offset = 0; offset < size; offset += TILE_BYTES) {
          const total = new Uint8Array(Math.min(TILE_BYTES, size - offset));
          const tile = new Uint8Array(total.length);
          for (const file of files) {
            await readFully(file, tile, offset);
            engine.addTile(total, tile, ringBits);
          }
          hasher.update(total);
          await into.writeFile(total);
        }
      } finally {
        await into.close();
      }
    });
  } finally {
    for (const file of files) await file.close();
  }
  return hasher.root();
}
