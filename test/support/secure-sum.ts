import { rootOfBytes } from '@regulon/shared/crypto';
import type { Roster } from '@regulon/shared/plan';
import { rosterViewOf } from '@regulon/shared/program';
import {
  AttemptServer,
  foldAndUnmaskTile,
  type Manifest,
  MaskEngine,
  SecAggClient,
  signManifest,
  TILE_BYTES,
} from '@regulon/shared/secagg';
import { seedOf } from './federation-keys.js';

/** The sum of a round and what its close needs. */
export interface SecureSum {
  readonly words: Uint8Array;
  /** with sub-cohorts: of each group, in their order; else none */
  readonly groups: readonly Uint8Array[];
  readonly survivors: readonly number[];
  readonly aggRoot: Uint8Array;
}

const tiles = function* (bytes: Uint8Array): Generator<[Uint8Array, number]> {
  for (let at = 0; at < bytes.length; at += TILE_BYTES) yield [bytes.subarray(at, at + TILE_BYTES), at];
};

/**
 * One whole round R0–R4 of real clients and a real server in one process.
 *
 * @param vectors ring words of every site (extras included); overwritten by the masked vectors
 * @param lostUploads sites whose upload never arrives
 */
export function secureSum(
  roster: Roster,
  manifest: Manifest,
  vectors: ReadonlyMap<number, Uint8Array>,
  lostUploads: readonly number[] = [],
): SecureSum {
  const view = rosterViewOf(roster);
  const engine = new MaskEngine();
  const coordinatorSignature = signManifest(seedOf('coordinator'), manifest);
  const server = new AttemptServer({ manifest, roster: view });
  const clients = new Map(
    manifest.roles.map(({ id }) => {
      const seed = seedOf(roster.members.find((m) => m.id === id)?.name ?? '');
      return [
        id,
        SecAggClient.join({ manifest, coordinatorSignature, roster: view, id, seed, allowSubCohorts: true }),
      ];
    }),
  );
  clients.forEach((client) => server.addAdvertise(client.advertise()));
  const list = server.closeU1();
  clients.forEach((client) => server.addShares(client.shareKeys(list)));
  server.closeU2();
  for (const [id, client] of clients) {
    const vector = vectors.get(id);
    if (!vector) throw new Error(`site ${id} has no vector`);
    const { masks } = client.maskPlan(server.groupOf(id).deliveriesFor(id));
    for (const [tile, at] of tiles(vector)) engine.maskTile(tile, at, masks, manifest.ringBits);
    const commit = client.commit(rootOfBytes(vector), (vector.length * 8) / manifest.ringBits);
    if (!lostUploads.includes(id)) server.addCommit(commit);
  }
  server.closeU3();
  const alive = [...clients].filter(([id]) => !lostUploads.includes(id));
  for (const [id, client] of alive) server.addConsistency(client.consistency(server.groupOf(id).closeU3()));
  for (const [id, client] of alive) server.addAnswer(client.unmask(server.groupOf(id).signatures()));
  const groups = server.unmaskGroups().map(({ maskKeys: masks }, k) => {
    const u3 = server.groups[k]?.u3 ?? [];
    const words = new Uint8Array(vectors.get(u3[0] ?? 0)?.length ?? 0);
    for (const [tile, byteOffset] of tiles(words)) {
      const spools = u3.map(
        (id) => vectors.get(id)?.subarray(byteOffset, byteOffset + tile.length) ?? new Uint8Array(0),
      );
      foldAndUnmaskTile(tile, { spools, masks, byteOffset, ringBits: manifest.ringBits }, engine);
    }
    return words;
  });
  const words = new Uint8Array(groups[0]?.length ?? 0);
  for (const [tile, at] of tiles(words))
    for (const group of groups) engine.addTile(tile, group.subarray(at, at + tile.length), manifest.ringBits);
  const aggRoot = rootOfBytes(words);
  return { words, groups: manifest.subCohort === 0 ? [] : groups, survivors: server.u3, aggRoot };
}
