import { shamirCombine } from '@regulon/shared/crypto';
import {
  foldAndUnmaskTile,
  MaskEngine,
  type MaskKey,
  type SecAggClient,
  type SiteId,
  type UnmaskAnswer,
  unmaskKeysOf,
} from '@regulon/shared/secagg';
import { decodeState } from '../../../shared/src/secagg/client-state.js';
import { masksOf } from '../../../shared/src/secagg/mask-keys.js';
import { eachTile, type LyingCoordinator, sorted } from './lying-coordinator.js';

const engine = new MaskEngine();

/** 0: share of the seed of a site's own mask; 1: share of the key of its masks with the others. */
export type Kind = 0 | 1;

/**
 * What the coordinator holds of the secrets of an attempt: shares that sites answered with, and all that colluding sites
 * were dealt. It opens what t shares open, and takes masks off with it.
 */
export class Spoils {
  private readonly shares = new Map<string, Map<number, Uint8Array>>();
  private readonly ranks: ReadonlyMap<SiteId, number>;

  /** @param u1 whose ranks are the coordinates of the shares @param t shares that open a secret */
  constructor(
    private readonly coordinator: LyingCoordinator,
    u1: readonly SiteId[],
    readonly t: number,
  ) {
    this.ranks = new Map(sorted(u1).map((id, rank) => [id, rank + 1]));
  }

  /** Shares of answers, whoever they are meant for. */
  take(...answers: readonly UnmaskAnswer[]): this {
    for (const { id, entries } of answers)
      for (const { kind, about, share } of entries) this.add(kind, about, id, share);
    return this;
  }

  /** A colluding site shows everything that it was dealt. */
  collude(id: SiteId, client: SecAggClient = this.coordinator.site(id).client): this {
    for (const { from, sb, ss } of decodeState(client.snapshot()).inbox?.opened ?? []) {
      this.add(0, from, id, sb);
      this.add(1, from, id, ss);
    }
    return this;
  }

  /** Shares held of a secret. */
  count(kind: Kind, about: SiteId): number {
    return this.shares.get(`${kind} ${about}`)?.size ?? 0;
  }

  /** True when t shares open the secret. */
  opens(kind: Kind, about: SiteId): boolean {
    return this.count(kind, about) >= this.t;
  }

  /** A secret, from t shares of it. */
  secret(kind: Kind, about: SiteId): Uint8Array {
    const held = [...(this.shares.get(`${kind} ${about}`) ?? [])].slice(0, this.t);
    if (held.length < this.t) throw new TypeError(`${held.length} shares of site ${about} open nothing`);
    return shamirCombine(held.map(([x, share]) => ({ x, share })));
  }

  /** The vector of one site, from its upload and both its secrets: what secure aggregation must never give. */
  vectorOf(id: SiteId): Uint8Array {
    const { client, upload } = this.coordinator.site(id);
    const { manifest } = this.coordinator.cohort;
    const u2 = client.u2().filter((other) => other !== id);
    const peers = u2.map((other) => ({ id: other, sPk: this.keyOf(other) }));
    const secrets = { b: this.secret(0, id), sSk: this.secret(1, id) };
    const masks = masksOf({ ctx: client.ctx, h2: client.h2(), id, ...secrets, peers });
    const vector = (upload ?? new Uint8Array()).slice();
    const inverse = masks.map(({ key, sign }) => ({ key, sign: -sign as 1 | -1 }));
    eachTile(vector, (tile, at) => engine.maskTile(tile, at, inverse, manifest.ringBits));
    return vector;
  }

  /** The streams that open the sum of some uploads: seeds of their sites, mask keys of the other members of U2. */
  masksOf(ids: readonly SiteId[]): MaskKey[] {
    const { client } = this.coordinator.site(ids[0] ?? 0);
    const lost = client.u2().filter((id) => !ids.includes(id));
    return unmaskKeysOf({
      ...{ ctx: client.ctx, h2: client.h2() },
      survivors: ids.map((id) => ({ id, sPk: this.keyOf(id) })),
      seeds: ids.map((id) => ({ id, b: this.secret(0, id) })),
      maskSecrets: lost.map((id) => ({ id, sSk: this.secret(1, id) })),
    });
  }

  /** The sum of some uploads, unmasked. */
  sumOf(ids: readonly SiteId[]): Uint8Array {
    const { ringBits } = this.coordinator.cohort.manifest;
    const masks = this.masksOf(ids);
    const uploads = ids.map((id) => this.coordinator.site(id).upload ?? new Uint8Array());
    const sum = new Uint8Array(uploads[0]?.length ?? 0);
    eachTile(sum, (tile, byteOffset) => {
      const spools = uploads.map((upload) => upload.subarray(byteOffset, byteOffset + tile.length));
      foldAndUnmaskTile(tile, { spools, masks, byteOffset, ringBits }, engine);
    });
    return sum;
  }

  private keyOf(id: SiteId): Uint8Array {
    return this.coordinator.site(id).advertised.sPk;
  }

  private add(kind: Kind, about: SiteId, holder: SiteId, share: Uint8Array): void {
    const key = `${kind} ${about}`;
    const held = this.shares.get(key) ?? new Map<number, Uint8Array>();
    this.shares.set(key, held.set(this.ranks.get(holder) ?? 0, share.slice()));
  }
}
