import {
  inclusionPaths,
  leafHashOf,
  randomBytes,
  rootOf,
  rootOfBytes,
  sha256,
  u32,
} from '@regulon/shared/crypto';
import * as real from '@regulon/shared/secagg';
import {
  type AdvertiseKeys,
  type ConsistencySignature,
  type Manifest,
  MaskEngine,
  type SecAggClient,
  type ShareDelivery,
  type ShareKeys,
  signManifest,
  type SiteId,
  type SurvivorEntry,
  TILE_BYTES,
  type UnmaskAnswer,
  vectorLength,
} from '@regulon/shared/secagg';
import { makeCohort, type TestCohort } from '../../../shared/src/secagg/secagg.support.js';
import type { SecAgg } from './secagg-without.js';

const engine = new MaskEngine();

/** A site as the coordinator meets it, and what only the spec knows of it. */
export interface Site {
  readonly id: SiteId;
  readonly client: SecAggClient;
  /** R0 */
  readonly advertised: AdvertiseKeys;
  /** what it contributes, ring words */
  readonly vector: Uint8Array;
  /** R1, once it has dealt */
  shares?: ShareKeys;
  /** the masked vector, once it left */
  upload?: Uint8Array;
  commit?: SurvivorEntry;
}

/** The same federation whose coordinator signs another manifest. */
export function withManifest(cohort: TestCohort, change: Partial<Manifest>): TestCohort {
  const manifest = { ...cohort.manifest, ...change };
  return { ...cohort, manifest, coordinatorSignature: signManifest(cohort.coordinatorSeed, manifest) };
}

/** The members and keys of `cohort`, but the coordinator has invented the private keys of all sites but one. */
export function inventedCohort(victim: SiteId, n: number): TestCohort {
  const honest = makeCohort(n);
  const seeds = new Map(
    [...honest.seeds].map(([id, seed]) => [id, id === victim ? seed : sha256(u32(id), u32(666))]),
  );
  return { ...honest, seeds };
}

/**
 * A coordinator that follows no rule: it keeps every message and relays what it likes to whom it likes. Its sites are
 * real clients, or those of a weakened copy of the protocol.
 */
export class LyingCoordinator {
  readonly sites = new Map<SiteId, Site>();

  constructor(
    readonly cohort: TestCohort,
    readonly secagg: SecAgg = real,
  ) {}

  /** R0. @param as the federation as this site is told of it @param vector what it contributes; random when left out */
  join(id: SiteId, vector?: Uint8Array, as: TestCohort = this.cohort): Site {
    const { manifest, coordinatorSignature, roster, seeds } = as;
    const seed = seeds.get(id);
    if (!seed) throw new TypeError(`no site ${id}`);
    const input = { manifest, coordinatorSignature, roster, id, seed, allowSubCohorts: true };
    const client = this.secagg.SecAggClient.join(input);
    const size = (vectorLength(manifest) * manifest.ringBits) / 8;
    const site = { id, client, advertised: client.advertise(), vector: vector ?? randomBytes(size) };
    this.sites.set(id, site);
    return site;
  }

  /** All sites of the manifest join. */
  joinAll(): this {
    for (const { id } of this.cohort.manifest.roles) this.join(id);
    return this;
  }

  site(id: SiteId): Site {
    const site = this.sites.get(id);
    if (!site) throw new TypeError(`site ${id} has not joined`);
    return site;
  }

  /** A list U1. */
  keys(ids: readonly SiteId[]): AdvertiseKeys[] {
    return ids.map((id) => this.site(id).advertised);
  }

  /** R1: these sites are shown that U1. */
  deal(ids: readonly SiteId[], u1: readonly SiteId[] = ids, list = this.keys(u1)): void {
    for (const id of ids) {
      const site = this.site(id);
      site.shares = site.client.shareKeys(list);
    }
  }

  /** What U2 dealt to a site, when all of it dealt to this U1. */
  deliveries(to: SiteId, u1: readonly SiteId[], u2: readonly SiteId[] = u1): ShareDelivery[] {
    const rank = sorted(u1).indexOf(to);
    return u2.map((from) => {
      const { shares } = this.site(from);
      const [leaf, envelope] = [shares?.leaves[rank], shares?.envelopes[rank]];
      if (!shares || !leaf || !envelope) throw new TypeError(`site ${from} dealt nothing to ${to}`);
      const path = inclusionPaths(shares.leaves.map(leafHashOf))[rank] ?? [];
      const signed = { cb: shares.cb, root: rootOf(shares.leaves), sig: shares.sig };
      return { from, ...signed, envelope, dB: leaf.slice(32, 64), dS: leaf.slice(64, 96), path };
    });
  }

  /** R2: these sites are shown that U2, mask, and their uploads arrive. @param receipt whether they get one */
  upload(ids: readonly SiteId[], u1: readonly SiteId[], u2 = u1, receipt = true): void {
    for (const id of ids) {
      const site = this.site(id);
      const { masks } = site.client.maskPlan(this.deliveries(id, u1, u2));
      const { ringBits } = this.cohort.manifest;
      const upload = site.vector.slice();
      eachTile(upload, (tile, at) => engine.maskTile(tile, at, masks, ringBits));
      const { root, sig } = site.client.commit(rootOfBytes(upload), (upload.length * 8) / ringBits);
      if (receipt) site.client.confirmUpload();
      Object.assign(site, { upload, commit: { id, root, sig } });
    }
  }

  /** A list U3. */
  survivors(ids: readonly SiteId[]): SurvivorEntry[] {
    return ids.map((id) => {
      const { commit } = this.site(id);
      if (!commit) throw new TypeError(`site ${id} has not uploaded`);
      return commit;
    });
  }

  /** R3: these sites are shown that U3. */
  confirm(ids: readonly SiteId[], u3: readonly SiteId[]): ConsistencySignature[] {
    return ids.map((id) => this.site(id).client.consistency(this.survivors(u3)));
  }

  /** R4: these sites are shown those signatures. */
  answers(ids: readonly SiteId[], signatures: readonly ConsistencySignature[]): UnmaskAnswer[] {
    return ids.map((id) => this.site(id).client.unmask(signatures));
  }

  /** An attempt in which nobody lies and nobody is lost; the sites with the same U1 everywhere. */
  run(ids: readonly SiteId[], u2 = ids, u3 = u2): UnmaskAnswer[] {
    this.deal(ids);
    this.upload(u2, ids, u2);
    return this.answers(u3, this.confirm(u3, u3));
  }

  /** The process of a site dies and comes back with what it last stored, or with what it stored at another time. */
  restart(id: SiteId, snapshot = this.site(id).client.snapshot()): void {
    const { roster, seeds } = this.cohort;
    const seed = seeds.get(id) ?? new Uint8Array();
    const client = this.secagg.SecAggClient.restore(snapshot, { roster, seed });
    this.sites.set(id, { ...this.site(id), client });
  }
}

/** The tiles of a vector, in order. */
export function eachTile(bytes: Uint8Array, work: (tile: Uint8Array, byteOffset: number) => void): void {
  for (let at = 0; at < bytes.length; at += TILE_BYTES) work(bytes.subarray(at, at + TILE_BYTES), at);
}

/** Ascending copy. */
export const sorted = (ids: readonly SiteId[]): SiteId[] => [...ids].sort((a, b) => a - b);
