/** A round that closed by the real protocol, and the coordinator that shows it, for specs. */
import { inclusionPath, leafHashOf, rootOfBytes, sha256, utf8 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { RunProgram } from '@regulon/shared/program';
import {
  closeTranscript,
  ctxOf,
  encodeManifest,
  encodeMessage,
  foldAndUnmaskTile,
  hashOfAnswer,
  type Manifest,
  MaskEngine,
  type Revealed,
  SecAggClient,
  SecAggServer,
  signManifest,
  signTranscript,
  type ShareDelivery,
  type SurvivorEntry,
  type UnmaskAnswer,
  vectorLength,
} from '@regulon/shared/secagg';
import type { Item, Query } from '@regulon/shared/wire';
import { hex } from '@regulon/shared/crypto';
import { type Agreement, verifyAgreement } from '../../policy/index.js';
import { contractBytes, run, seedOf, testFederation, testPlan, testSite } from '../../policy/site.support.js';
import { type AttemptRow, Step } from '../../state/index.js';
import type { AuditedRound } from './audit-place.js';
import type { DerivedClose } from './recomputed-close.js';

export { run };
export const federation = testFederation();
export const site = testSite(federation);
export const agreement: Agreement = verifyAgreement(
  contractBytes(testPlan()),
  run,
  federation,
  site,
  Date.parse('2026-11-21T00:00:00Z'),
);
const engine = new MaskEngine();
/** digest of what followed from the sum */
export const MODEL = sha256(utf8('model'));
/** every site contributes this to every byte of its vector */
const ownByte = (id: number): number => id;

/** Round 0 of the test plan as it went, seen by site 1. */
export class ClosedRound {
  readonly program = new RunProgram(agreement.contract);
  readonly manifest: Manifest;
  readonly survivors: SurvivorEntry[];
  readonly revealed: Revealed;
  readonly uploads = new Map<number, Uint8Array>();
  readonly h1: Uint8Array;
  readonly h3: Uint8Array;
  /** of the sites whose answers were used */
  readonly answers: readonly UnmaskAnswer[];
  aggregate: Uint8Array;
  /** site 1 after R1, as its journal holds it */
  readonly afterR1: Uint8Array;
  readonly deliveries: readonly ShareDelivery[];
  private readonly clients: Map<number, SecAggClient>;

  /** @param lost sites whose upload never arrived */
  constructor(lost: readonly number[] = []) {
    const round = this.program.schedule[0];
    if (!round) throw new TypeError('no rounds');
    const open = { attempt: 0, prevTranscriptHash: new Uint8Array(32), deadlines: [1, 2, 3, 4, 5] };
    this.manifest = this.program.manifest(round, open);
    const { manifest } = this;
    const roster = federation.rosterView;
    const coordinatorSignature = signManifest(seedOf('coordinator'), manifest);
    const server = new SecAggServer({ manifest, roster });
    this.clients = new Map(
      manifest.roles.map(({ id }) => {
        const seed = seedOf('site', id);
        return [id, SecAggClient.join({ manifest, coordinatorSignature, roster, id, seed })];
      }),
    );
    this.clients.forEach((client) => server.addAdvertise(client.advertise()));
    const keys = server.closeU1();
    this.clients.forEach((client) => server.addShares(client.shareKeys(keys)));
    server.closeU2();
    this.afterR1 = this.client(1).snapshot();
    this.deliveries = server.deliveriesFor(1);
    for (const [id, client] of this.clients) {
      const { masks } = client.maskPlan(server.deliveriesFor(id));
      const y = new Uint8Array(this.size).fill(ownByte(id));
      engine.maskTile(y, 0, masks, manifest.ringBits);
      const commit = client.commit(rootOfBytes(y), vectorLength(manifest));
      if (lost.includes(id)) continue;
      server.addCommit(commit);
      this.uploads.set(id, y);
    }
    this.survivors = server.closeU3();
    const alive = [...this.clients].filter(([id]) => !lost.includes(id)).map(([, client]) => client);
    alive.forEach((client) => server.addConsistency(client.consistency(this.survivors)));
    alive.forEach((client) => server.addAnswer(client.unmask(server.signatures())));
    const { revealed, maskKeys, responders } = server.unmaskKeys();
    this.revealed = revealed;
    this.answers = responders.map((id) => this.client(id).unmask());
    [this.h1, this.h3] = [server.h1, server.h3];
    this.aggregate = new Uint8Array(this.size);
    const spools = this.survivors.map(({ id }) => this.uploads.get(id) as Uint8Array);
    const fold = { spools, masks: maskKeys, byteOffset: 0, ringBits: manifest.ringBits };
    foldAndUnmaskTile(this.aggregate, fold, engine);
  }

  get size(): number {
    return (vectorLength(this.manifest) * this.manifest.ringBits) / 8;
  }

  get ctx(): Uint8Array {
    return ctxOf(this.manifest);
  }

  /** What site 1 has in its journal. @param facts what differs */
  own(facts: Partial<AttemptRow['facts']> = {}): AttemptRow {
    const client = this.client(1);
    const keys = [...this.clients.values()].map((c) => c.advertise());
    const cb = (id: number): string => hex(this.client(id).shareKeys().cb);
    const peers = keys.map(({ id, sPk }) => ({ id, sPk: hex(sPk), cb: cb(id) }));
    return {
      ...{ run, round: 0, attempt: 0, step: Step.committed, snapshot: null, signature: new Uint8Array(64) },
      manifest: encodeManifest(this.manifest),
      facts: { h1: hex(this.h1), h2: hex(client.h2()), peers, u1: 5, ...facts },
    };
  }

  /** The round as site 1 audits it. @param own null when it was not in it */
  audited(own: AttemptRow | null = this.own()): AuditedRound {
    const [round] = this.program.schedule;
    if (!round) throw new TypeError('no rounds');
    const { manifest, aggregate } = this;
    const aggregateRoot = rootOfBytes(aggregate);
    return {
      round,
      attempt: 0,
      aggregateRoot,
      modelOut: MODEL,
      manifest,
      own: own ?? undefined,
    };
  }

  /** What the coordinator answers. @throws E_NOT_FOUND for what it does not show */
  readonly fetch = async (query: Query): Promise<Item[]> => {
    const { type } = query;
    if (type === 'deliveries')
      return this.deliveries.map((entry) => ({ type, message: encodeMessage('delivery', entry) }));
    if (type === 'survivors')
      return this.survivors.map((entry) => ({ type, message: encodeMessage('survivor', entry) }));
    if (type === 'revealed') {
      const seeds = this.revealed.seeds.map(({ id, b }) => ({
        type,
        site: id,
        maskSecret: false,
        secret: b,
      }));
      const keys = this.revealed.maskSecrets.map(({ id, sSk }) => ({
        ...{ type, site: id, maskSecret: true, secret: sSk },
      }));
      return [...seeds, ...keys];
    }
    if (type === 'answers') return this.answers.map((answer) => this.shown(answer));
    if (type !== 'spotTiles') throw new RegulonError('E_NOT_FOUND', `no ${type}`);
    const open = (bytes: Uint8Array) => ({ tile: bytes, path: inclusionPath([leafHashOf(bytes)], 0) });
    const uploads = this.survivors.map(({ id }) => ({
      ...{ type, aggregate: false, site: id, index: 0 },
      ...open(this.uploads.get(id) as Uint8Array),
    }));
    return [...uploads, { type, aggregate: true, site: 0, index: 0, ...open(this.aggregate) }];
  };

  /** How the coordinator shows an answer. */
  shown({ id, entries, sig }: UnmaskAnswer): Item {
    return { type: 'answers', site: id, digest: hashOfAnswer(this.ctx, this.h3, entries), signature: sig };
  }

  /** What site 1 answered, as its journal holds it. */
  get answered(): { attempt: number; h3: Uint8Array; answer: Uint8Array } {
    return { attempt: 0, h3: this.h3, answer: encodeMessage('answer', this.client(1).unmask()) };
  }

  /** The close that the coordinator signed. @param aggRoot, modelHash as it says @param answers that T covers */
  close(aggRoot = rootOfBytes(this.aggregate), modelHash = MODEL, answers = this.answers): DerivedClose {
    const { ctx, h1, h3, manifest, survivors } = this;
    const h2 = this.client(1).h2();
    const digests = answers.map(({ entries }) => hashOfAnswer(ctx, h3, entries));
    const transcript = closeTranscript(ctx, { h1, h2, h3, answers: digests, aggRoot, modelHash });
    return {
      ...{ round: 0, manifest, own: this.own(), survivors, transcript },
      signature: signTranscript(seedOf('coordinator'), ctx, 'CLOSE', transcript),
      ...{ aggregateRoot: rootOfBytes(this.aggregate), modelOut: MODEL },
    };
  }

  /** A survivor that another site signed in another attempt, or that nobody signed. */
  forge(id: number): void {
    const y = new Uint8Array(this.size).fill(7);
    const at = this.survivors.findIndex((s) => s.id === id);
    this.survivors[at] = { id, root: rootOfBytes(y), sig: new Uint8Array(64).fill(1) };
    this.uploads.set(id, y);
  }

  private client(id: number): SecAggClient {
    const client = this.clients.get(id);
    if (!client) throw new TypeError(`no site ${id}`);
    return client;
  }
}
