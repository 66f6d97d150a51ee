import type { SiteId } from './manifest.js';

/** R0, site → coordinator → all: fresh public keys of one attempt. */
export interface AdvertiseKeys {
  readonly id: SiteId;
  /** X25519 channel key, 32 bytes */
  readonly cPk: Uint8Array;
  /** X25519 mask key, 32 bytes */
  readonly sPk: Uint8Array;
  /** 32 bytes */
  readonly nonce: Uint8Array;
  /** σ0, 64 bytes */
  readonly sig: Uint8Array;
}

/** R1, site → coordinator: sealed shares for every site of U1, by rank. */
export interface ShareKeys {
  readonly id: SiteId;
  /** commitment to the self-mask seed, 32 bytes */
  readonly cb: Uint8Array;
  /** n leaves of 96 bytes: SHA-256(envelope) or zeros for the own rank, dB, dS */
  readonly leaves: readonly Uint8Array[];
  /** n envelopes of 112 bytes; empty at the own rank */
  readonly envelopes: readonly Uint8Array[];
  /** σ1, 64 bytes */
  readonly sig: Uint8Array;
}

/** R1, coordinator → one site: what one site of U2 dealt to it. */
export interface ShareDelivery {
  readonly from: SiteId;
  readonly cb: Uint8Array;
  /** root over the dealer's leaves, 32 bytes */
  readonly root: Uint8Array;
  /** the dealer's σ1 */
  readonly sig: Uint8Array;
  /** 112 bytes; empty for what the site dealt to itself */
  readonly envelope: Uint8Array;
  readonly dB: Uint8Array;
  readonly dS: Uint8Array;
  /** Merkle path of the receiver's leaf, nearest sibling first */
  readonly path: readonly Uint8Array[];
}

/** R2, site → coordinator after the upload: what was uploaded. */
export interface MaskedCommit {
  readonly id: SiteId;
  /** L, ring elements */
  readonly length: number;
  /** root over the 64 KiB pieces of the masked vector, 32 bytes */
  readonly root: Uint8Array;
  /** σ2, 64 bytes */
  readonly sig: Uint8Array;
}

/** R3, coordinator → all of U2: one survivor with its root and σ2. */
export interface SurvivorEntry {
  readonly id: SiteId;
  readonly root: Uint8Array;
  readonly sig: Uint8Array;
}

/** R3, site → coordinator → all: σ3 over the survivor set that the site saw. */
export interface ConsistencySignature {
  readonly id: SiteId;
  readonly sig: Uint8Array;
}

/** One share in an answer: kind 0 of a self-mask seed, kind 1 of a mask key. */
export interface AnswerEntry {
  readonly kind: 0 | 1;
  readonly about: SiteId;
  readonly share: Uint8Array;
  /** opening of the share's digest, 16 bytes */
  readonly r: Uint8Array;
}

/** R4, site → coordinator: one share for every site of U2, sorted by id. */
export interface UnmaskAnswer {
  readonly id: SiteId;
  readonly entries: readonly AnswerEntry[];
  /** σ4, 64 bytes */
  readonly sig: Uint8Array;
}

/** R2, site → coordinator: an envelope that does not open, or opens to shares that miss their digests. */
export interface Complaint {
  readonly id: SiteId;
  readonly sender: SiteId;
  /** SHA-256 of the envelope, 32 bytes */
  readonly digest: Uint8Array;
  readonly sig: Uint8Array;
}

/** Every message with the name of its kind. */
export interface MessageOfKind {
  advertise: AdvertiseKeys;
  shares: ShareKeys;
  delivery: ShareDelivery;
  commit: MaskedCommit;
  survivor: SurvivorEntry;
  consistency: ConsistencySignature;
  answer: UnmaskAnswer;
  complaint: Complaint;
}

export type MessageKind = keyof MessageOfKind;

/** Bytes of a share, of its opening, of a sealed pair of both kinds, and of a leaf. */
export const SHARE_BYTES = 32;
export const OPENING_BYTES = 16;
export const ENVELOPE_BYTES = 2 * SHARE_BYTES + 2 * OPENING_BYTES + 16;
export const LEAF_LENGTH = 96;
