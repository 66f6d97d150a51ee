import { rootOfBytes } from '@regulon/shared/crypto';
import type { Roster } from '@regulon/shared/plan';
import { rosterViewOf } from '@regulon/shared/program';
import {
  foldAndUnmaskTile,
  type Manifest,
  MaskEngine,
  SecAggClient,
  SecAggServer,
  signManifest,
  TILE_BYTES,
} from '@regulon/shared/secagg';
import { seedOf } from './federation-keys.js';

/** The sum of a round and what its close needs. */
export interface SecureSum {
  readonly words: Uint8Array;
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
  const server = new SecAggServer({ manifest, roster: view });
  const clients = new Map(
    manifest.roles.map(({ id }) => {
      const seed = seedOf(roster.members.find((m) => m.id === id)?.name ?? '');
      return [id, SecAggClient.join({ manifest, coordinatorSignature, roster: view, id, seed })];
    }),
  );
  clients.forEach((client) => server.addAdvertise(client.advertise()));
  const list = server.closeU1();
  clients.forEach((client) => server.addShares(client.shareKeys(list)));
  server.closeU2();
  for (const [id, client] of clients) {
    const vector = vectors.get(id);
    if (!vector) throw new Error(`site ${id} has no vector`);
    const { masks } = client.maskPlan(server.deliveriesFor(id));
    for (const [tile, at] of tiles(vector)) engine.maskTile(tile, at, masks, manifest.ringBits);
    const commit = client.commit(rootOfBytes(vector), (vector.length * 8) / manifest.ringBits);
    if (!lostUploads.includes(id)) server.addCommit(commit);
  }
  const survivors = server.closeU3();
  const alive = [...clients].filter(([id]) => !lostUploads.includes(id)).map(([, client]) => client);
  alive.forEach((client) => server.addConsistency(client.consistency(survivors)));
  alive.forEach((client) => server.addAnswer(client.unmask(server.signatures())));
  const masks = server.unmaskKeys().maskKeys;
  const words = new Uint8Array(vectors.get(server.u3[0] ?? 0)?.length ?? 0);
  for (const [tile, byteOffset] of tiles(words)) {
    const spools = server.u3.map(
      (id) => vectors.get(id)?.subarray(byteOffset, byteOffset + tile.length) ?? new Uint8Array(0),
    );
    foldAndUnmaskTile(tile, { spools, masks, byteOffset, ringBits: manifest.ringBits }, engine);
  }
  return { words, survivors: server.u3, aggRoot: rootOfBytes(words) };
}
