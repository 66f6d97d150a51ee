import { publicKeyOf, randomBytes, rootOfBytes, sha256, u32 } from '../crypto/index.js';
import { SecAggClient } from './client.js';
import { foldAndUnmaskTile } from './fold.js';
import { signManifest, vectorLength, type Manifest, type SiteId } from './manifest.js';
import { MaskEngine } from './mask-engine.js';
import type { RosterView } from './roster.js';
import { SecAggServer, type Unmasking } from './server.js';

/** A federation of test sites with one signed manifest. */
export interface TestCohort {
  readonly seeds: ReadonlyMap<SiteId, Uint8Array>;
  readonly coordinatorSeed: Uint8Array;
  readonly roster: RosterView;
  readonly manifest: Manifest;
  readonly coordinatorSignature: Uint8Array;
  /** plain vector of every site; random without */
  readonly vector?: Uint8Array;
}

/** n sites with ids 10, 20, …; three or four sites run with γ = 0 and nMin = 3. */
export function makeCohort(n: number, overrides: Partial<Manifest> = {}): TestCohort {
  const ids = Array.from({ length: n }, (_, k) => 10 * (k + 1));
  const seeds = new Map(ids.map((id) => [id, sha256(u32(id))]));
  const coordinatorSeed = sha256(u32(0));
  const members = [...seeds].map(([id, seed]) => ({ id, key: publicKeyOf(seed) }));
  const rosterHash = sha256(u32(n));
  const coordinatorKey = publicKeyOf(coordinatorSeed);
  const { quorumRule = 0 } = overrides;
  const roster = { federationId: 'fed_test', rosterHash, coordinatorKey, members, M: n, quorumRule };
  const manifest: Manifest = {
    ...{
      version: 1,
      federationId: 'fed_test',
      rosterHash,
      runId: new Uint8Array(16).fill(7),
      round: 4,
      attempt: 1,
    },
    ...{ purpose: 0, stepId: 'train', arm: 0, roles: ids.map((id) => ({ id, role: 0 as const })) },
    ...{
      planHash: sha256(u32(1)),
      modelHash: sha256(u32(2)),
      prevTranscriptHash: sha256(u32(3)),
      N: n,
      d: 700,
    },
    extras: [{ name: 'fault', scale: 1, min: 0, max: 1 }],
    ...{ Q: 2 ** 20, C: 1.5, weightCap: 1024, denominator: 0, mechanism: 0, z: 0, nMin: n < 5 ? 3 : 5 },
    ...{
      gammaNum: n < 5 ? 0 : 1,
      gammaDen: 3,
      quorumRule: 0,
      prg: 0,
      ringBits: 32,
      fractionBits: 0,
      graph: 0,
    },
    ...{ subCohort: 0, deadlines: [1, 2, 3, 4, 5] },
    ...overrides,
  };
  const coordinatorSignature = signManifest(coordinatorSeed, manifest);
  return { seeds, coordinatorSeed, roster, manifest, coordinatorSignature };
}

/** One site joins. */
export function joinSite(cohort: TestCohort, id: SiteId, minSurvivors = 0): SecAggClient {
  const { manifest, coordinatorSignature, roster, seeds } = cohort;
  return SecAggClient.join({
    manifest,
    coordinatorSignature,
    roster,
    id,
    seed: seeds.get(id) ?? new Uint8Array(),
    minSurvivors,
    allowSubCohorts: true,
  });
}

/** The same site after a restart of its process. */
export function restarted({ roster, seeds }: TestCohort, client: SecAggClient, id: SiteId): SecAggClient {
  return SecAggClient.restore(client.snapshot(), { roster, seed: seeds.get(id) ?? new Uint8Array() });
}

/** Sites that vanish before the message of a stage leaves them. */
export interface Losses {
  readonly r0?: readonly SiteId[];
  readonly r1?: readonly SiteId[];
  readonly r2?: readonly SiteId[];
  /** sites whose upload dies while they stay connected */
  readonly upload?: readonly SiteId[];
  readonly r3?: readonly SiteId[];
  readonly r4?: readonly SiteId[];
}

/** What an attempt gave. */
export interface AttemptResult {
  readonly server: SecAggServer;
  readonly clients: ReadonlyMap<SiteId, SecAggClient>;
  /** plain vectors, little-endian ring bytes */
  readonly vectors: ReadonlyMap<SiteId, Uint8Array>;
  readonly unmasking: Unmasking;
  /** unmasked sum over the survivors */
  readonly sum: Uint8Array;
}

/** How far `runUntil` goes. */
export type Stage = 'r0' | 'r1' | 'r2' | 'r3' | 'r4';

/** An attempt in the middle: everything that was exchanged so far. */
export interface AttemptState {
  readonly cohort: TestCohort;
  readonly server: SecAggServer;
  readonly clients: Map<SiteId, SecAggClient>;
  readonly vectors: Map<SiteId, Uint8Array>;
  readonly uploads: Map<SiteId, Uint8Array>;
}

/** Run all stages up to and including one; a lost site sends nothing from its stage on. */
export function runUntil(
  cohort: TestCohort,
  stage: Stage,
  losses: Losses = {},
  engine = new MaskEngine(),
  minSurvivors = 0,
): AttemptState {
  const { manifest, roster } = cohort;
  const server = new SecAggServer({ manifest, roster });
  const alive = new Set(cohort.seeds.keys());
  const state: AttemptState = { cohort, server, clients: new Map(), vectors: new Map(), uploads: new Map() };
  const lose = (ids: readonly SiteId[] = []): SecAggClient[] => {
    ids.forEach((id) => alive.delete(id));
    return [...alive].flatMap((id) => state.clients.get(id) ?? []);
  };
  for (const id of alive) state.clients.set(id, joinSite(cohort, id, minSurvivors));
  for (const client of lose(losses.r0)) server.addAdvertise(client.advertise());
  if (stage === 'r0') return state;
  const keys = server.closeU1();
  for (const client of lose(losses.r1)) server.addShares(client.shareKeys(keys));
  if (stage === 'r1') return state;
  const silent = [...(losses.r2 ?? []), ...(losses.upload ?? [])];
  for (const id of server.closeU2()) upload(state, id, alive.has(id) && !silent.includes(id), engine);
  lose(losses.r2);
  if (stage === 'r2') return state;
  const survivors = server.closeU3();
  for (const client of lose(losses.r3))
    if (isMember(server, client)) server.addConsistency(client.consistency(survivors));
  if (stage === 'r3') return state;
  for (const client of lose(losses.r4)) {
    if (isMember(server, client)) server.addAnswer(client.unmask(server.signatures()));
  }
  return state;
}

/** Run an attempt to its end. */
export function runAttempt(
  cohort: TestCohort,
  losses: Losses = {},
  engine = new MaskEngine(),
): AttemptResult {
  const state = runUntil(cohort, 'r4', losses, engine);
  return { ...state, ...finish(state, engine) };
}

/** Fold the uploads of the survivors and unmask them, in tiles of 1 KiB. */
export function finish(
  { server, uploads }: AttemptState,
  engine: MaskEngine,
): { unmasking: Unmasking; sum: Uint8Array } {
  const unmasking = server.unmaskKeys();
  const { ringBits } = server.manifest;
  const sum = new Uint8Array((vectorLength(server.manifest) * ringBits) / 8);
  for (let byteOffset = 0; byteOffset < sum.length; byteOffset += 1024) {
    const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(byteOffset, byteOffset + 1024);
    const spools = server.u3.map((id) => cut(uploads.get(id) ?? new Uint8Array()));
    foldAndUnmaskTile(cut(sum), { spools, masks: unmasking.maskKeys, byteOffset, ringBits }, engine);
  }
  return { unmasking, sum };
}

/** Sum of some vectors by plain big integers. */
export function plainSum(vectors: readonly Uint8Array[], bits: 32 | 64): Uint8Array {
  const out = new Uint8Array(vectors[0]?.length ?? 0);
  const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < out.length; at += bits / 8) {
    if (bits === 64) {
      view(out).setBigUint64(
        at,
        vectors.reduce((sum, v) => sum + view(v).getBigUint64(at, true), 0n),
        true,
      );
    } else {
      view(out).setUint32(
        at,
        vectors.reduce((sum, v) => sum + view(v).getUint32(at, true), 0),
        true,
      );
    }
  }
  return out;
}

function upload(state: AttemptState, id: SiteId, commits: boolean, engine: MaskEngine): void {
  const { server, clients } = state;
  const client = clients.get(id);
  if (!client) return;
  const { masks } = client.maskPlan(server.deliveriesFor(id));
  const length = vectorLength(server.manifest);
  const vector = state.cohort.vector ?? randomBytes((length * server.manifest.ringBits) / 8);
  const masked = vector.slice();
  for (let o = 0; o < masked.length; o += 2048) {
    engine.maskTile(masked.subarray(o, o + 2048), o, masks, server.manifest.ringBits);
  }
  state.vectors.set(id, vector);
  state.uploads.set(id, masked);
  if (!commits) return;
  server.addCommit(client.commit(rootOfBytes(masked), length));
  client.confirmUpload();
}

function isMember(server: SecAggServer, client: SecAggClient): boolean {
  return server.u2.includes(client.advertise().id);
}
