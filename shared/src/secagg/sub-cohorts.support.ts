import { randomBytes, rootOfBytes } from '../crypto/index.js';
import { AttemptServer } from './attempt-server.js';
import type { SecAggClient } from './client.js';
import { foldAndUnmaskTile } from './fold.js';
import { vectorLength, type SiteId } from './manifest.js';
import { MaskEngine } from './mask-engine.js';
import { joinSite, type Losses, type Stage, type TestCohort } from './secagg.support.js';
import type { SecAggServer, Unmasking } from './server.js';

const engine = new MaskEngine();
const TILE = 1024;

/** An attempt with its groups, as far as it went. */
export interface GroupedAttempt {
  readonly server: AttemptServer;
  readonly clients: ReadonlyMap<SiteId, SecAggClient>;
  readonly vectors: Map<SiteId, Uint8Array>;
  readonly uploads: Map<SiteId, Uint8Array>;
}

/** Run an attempt of real machines up to a stage; sites vanish before the message of a stage leaves them. */
export function runGroupsUntil(cohort: TestCohort, stage: Stage, losses: Losses = {}): GroupedAttempt {
  const server = new AttemptServer(cohort);
  const clients = new Map([...cohort.seeds.keys()].map((id) => [id, joinSite(cohort, id)]));
  const state: GroupedAttempt = { server, clients, vectors: new Map(), uploads: new Map() };
  const alive = new Set(clients.keys());
  const left = (lost: readonly SiteId[] = []): SecAggClient[] => {
    lost.forEach((id) => alive.delete(id));
    return [...alive].flatMap((id) => clients.get(id) ?? []);
  };
  for (const client of left(losses.r0)) server.addAdvertise(client.advertise());
  if (stage === 'r0') return state;
  const keys = server.closeU1();
  for (const client of left(losses.r1)) server.addShares(client.shareKeys(keys));
  if (stage === 'r1') return state;
  server.closeU2();
  for (const client of left(losses.r2)) upload(state, client);
  if (stage === 'r2') return state;
  server.closeU3();
  for (const client of left(losses.r3)) {
    const group = server.groupOf(client.advertise().id);
    server.addConsistency(client.consistency(group.closeU3()));
  }
  if (stage === 'r3') return state;
  for (const client of left(losses.r4))
    server.addAnswer(client.unmask(server.groupOf(client.advertise().id).signatures()));
  return state;
}

/** Fold and unmask one group, in tiles. */
export function sumOfGroup(
  { uploads }: Pick<GroupedAttempt, 'uploads'>,
  group: SecAggServer,
  { maskKeys: masks }: Unmasking,
): Uint8Array {
  const { ringBits } = group.manifest;
  const sum = new Uint8Array((vectorLength(group.manifest) * ringBits) / 8);
  for (let byteOffset = 0; byteOffset < sum.length; byteOffset += TILE) {
    const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(byteOffset, byteOffset + TILE);
    const spools = group.u3.map((id) => cut(uploads.get(id) ?? new Uint8Array()));
    foldAndUnmaskTile(cut(sum), { spools, masks, byteOffset, ringBits }, engine);
  }
  return sum;
}

function upload({ server, vectors, uploads }: GroupedAttempt, client: SecAggClient): void {
  const { id } = client.advertise();
  const { masks } = client.maskPlan(server.groupOf(id).deliveriesFor(id));
  const length = vectorLength(server.manifest);
  const { ringBits } = server.manifest;
  const vector = randomBytes((length * ringBits) / 8);
  const masked = vector.slice();
  for (let o = 0; o < masked.length; o += TILE)
    engine.maskTile(masked.subarray(o, o + TILE), o, masks, ringBits);
  vectors.set(id, vector);
  uploads.set(id, masked);
  server.addCommit(client.commit(rootOfBytes(masked), length));
  client.confirmUpload();
}
