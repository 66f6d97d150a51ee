import { boxBefore, u32, wipe } from '../crypto/index.js';
import { deriveKey } from './hashing.js';
import type { SiteId } from './manifest.js';

/** A mask stream: its AES-256-CTR key and whether it is added (1) or subtracted (−1). */
export interface MaskKey {
  readonly key: Uint8Array;
  readonly sign: 1 | -1;
}

/** Public part of a site's mask key in U1. */
export interface MaskPublicKey {
  readonly id: SiteId;
  readonly sPk: Uint8Array;
}

/** Key of a site's self-mask, 32 bytes. @param b self-mask seed */
export function selfMaskKey(ctx: Uint8Array, h2: Uint8Array, id: SiteId, b: Uint8Array): Uint8Array {
  return deriveKey(ctx, b, 'self', h2, u32(id));
}

/** Key of a pair's mask, 32 bytes, from X25519 shared secret material; the same on both sides. */
export function pairMaskKey(
  ctx: Uint8Array,
  h2: Uint8Array,
  a: SiteId,
  b: SiteId,
  shared: Uint8Array,
): Uint8Array {
  return deriveKey(ctx, shared, 'pair', h2, u32(Math.min(a, b)), u32(Math.max(a, b)));
}

/** What a site's masks follow from. */
export interface MaskInput {
  readonly ctx: Uint8Array;
  readonly h2: Uint8Array;
  readonly id: SiteId;
  readonly b: Uint8Array;
  readonly sSk: Uint8Array;
  /** the other members of U2 */
  readonly peers: readonly MaskPublicKey[];
}

/**
 * The masks of one site: its own, plus the pair masks with every peer (added for higher ids, subtracted for lower).
 *
 * @returns |U2| keys; the caller wipes them
 * @throws E_LOW_ORDER if a peer's key is of low order
 */
export function masksOf({ ctx, h2, id, b, sSk, peers }: MaskInput): MaskKey[] {
  const masks: MaskKey[] = [{ key: selfMaskKey(ctx, h2, id, b), sign: 1 }];
  for (const peer of peers) {
    const shared = boxBefore(peer.sPk, sSk);
    masks.push({ key: pairMaskKey(ctx, h2, id, peer.id, shared), sign: peer.id > id ? 1 : -1 });
    wipe(shared);
  }
  return masks;
}

/** Secrets that R4 reveals. */
export interface Revealed {
  /** self-mask seeds of all survivors */
  readonly seeds: readonly { readonly id: SiteId; readonly b: Uint8Array }[];
  /** mask secret keys of all members of U2 that are no survivors */
  readonly maskSecrets: readonly { readonly id: SiteId; readonly sSk: Uint8Array }[];
}

/** What the unmasking follows from. */
export interface UnmaskInput extends Revealed {
  readonly ctx: Uint8Array;
  readonly h2: Uint8Array;
  /** mask keys of the survivors */
  readonly survivors: readonly MaskPublicKey[];
}

/**
 * The streams that turn the sum of the survivors' uploads into the sum of their vectors.
 *
 * Self-masks are subtracted; the masks with a dropped site d are subtracted for survivors j < d, else added.
 *
 * @returns |U3| · (1 + dropped) keys with the sign to apply
 */
export function unmaskKeysOf({ ctx, h2, survivors, seeds, maskSecrets }: UnmaskInput): MaskKey[] {
  const keys: MaskKey[] = seeds.map(({ id, b }) => ({ key: selfMaskKey(ctx, h2, id, b), sign: -1 }));
  for (const dropped of maskSecrets) {
    for (const { id, sPk } of survivors) {
      const shared = boxBefore(sPk, dropped.sSk);
      keys.push({ key: pairMaskKey(ctx, h2, id, dropped.id, shared), sign: id < dropped.id ? -1 : 1 });
      wipe(shared);
    }
  }
  return keys;
}
