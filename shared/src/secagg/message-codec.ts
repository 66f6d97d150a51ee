import { enc, u32, u8 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { FieldReader } from './fields.js';
import {
  ENVELOPE_BYTES,
  LEAF_LENGTH,
  OPENING_BYTES,
  SHARE_BYTES,
  type MessageKind,
  type MessageOfKind,
} from './messages.js';

/** Sizes that bound what `decodeMessage` accepts. */
export interface MessageLimits {
  /** largest number of sites, at most 255 */
  readonly n: number;
}

interface Codec<T> {
  readonly fields: (message: T) => readonly Uint8Array[];
  readonly read: (reader: FieldReader, limits: MessageLimits) => T;
}

const bytes = (r: FieldReader, length: number): Uint8Array => r.raw(length).slice();
const list = (items: readonly Uint8Array[]): Uint8Array[] => [u32(items.length), ...items];
const kindOf = (value: number): 0 | 1 => {
  if (value === 0 || value === 1) return value;
  throw new RegulonError('E_MESSAGE', `an answer has an entry of kind ${value}`);
};

const codecs: { readonly [K in MessageKind]: Codec<MessageOfKind[K]> } = {
  advertise: {
    fields: (m) => [u32(m.id), m.cPk, m.sPk, m.nonce, m.sig],
    read: (r) => ({
      id: r.u32(),
      cPk: bytes(r, 32),
      sPk: bytes(r, 32),
      nonce: bytes(r, 32),
      sig: bytes(r, 64),
    }),
  },
  shares: {
    fields: (m) => [u32(m.id), m.cb, ...list(m.leaves), ...list(m.envelopes), m.sig],
    read: (r, { n }) => ({
      id: r.u32(),
      cb: bytes(r, 32),
      leaves: r.list(n, () => bytes(r, LEAF_LENGTH)),
      envelopes: r.list(n, envelope),
      sig: bytes(r, 64),
    }),
  },
  delivery: {
    fields: (m) => [u32(m.from), m.cb, m.root, m.sig, m.envelope, m.dB, m.dS, ...list(m.path)],
    read: (r) => ({
      ...{ from: r.u32(), cb: bytes(r, 32), root: bytes(r, 32), sig: bytes(r, 64), envelope: envelope(r) },
      ...{ dB: bytes(r, 32), dS: bytes(r, 32), path: r.list(8, () => bytes(r, 32)) },
    }),
  },
  commit: {
    fields: (m) => [u32(m.id), u32(m.length), m.root, m.sig],
    read: (r) => ({ id: r.u32(), length: r.u32(), root: bytes(r, 32), sig: bytes(r, 64) }),
  },
  survivor: {
    fields: (m) => [u32(m.id), m.root, m.sig],
    read: (r) => ({ id: r.u32(), root: bytes(r, 32), sig: bytes(r, 64) }),
  },
  consistency: {
    fields: (m) => [u32(m.id), m.sig],
    read: (r) => ({ id: r.u32(), sig: bytes(r, 64) }),
  },
  answer: {
    fields: (m) => [
      u32(m.id),
      u32(m.entries.length),
      ...m.entries.flatMap((e) => [u8(e.kind), u32(e.about), e.share, e.r]),
      m.sig,
    ],
    read: (r, { n }) => ({
      id: r.u32(),
      entries: r.list(n, () => ({
        ...{ kind: kindOf(r.u8()), about: r.u32() },
        ...{ share: bytes(r, SHARE_BYTES), r: bytes(r, OPENING_BYTES) },
      })),
      sig: bytes(r, 64),
    }),
  },
  complaint: {
    fields: (m) => [u32(m.id), u32(m.sender), m.digest, m.sig],
    read: (r) => ({ id: r.u32(), sender: r.u32(), digest: bytes(r, 32), sig: bytes(r, 64) }),
  },
};

/** The one byte string of a message, for storage and for the wire. */
export function encodeMessage<K extends MessageKind>(kind: K, message: MessageOfKind[K]): Uint8Array {
  return enc(...codecs[kind].fields(message));
}

/**
 * Read a message from an untrusted source.
 *
 * @returns the message in fresh arrays; encoding it again gives the same bytes
 * @throws E_MESSAGE if a field is missing, too long, of a wrong size, or bytes are left
 */
export function decodeMessage<K extends MessageKind>(
  kind: K,
  encoded: Uint8Array,
  limits: MessageLimits = { n: 255 },
): MessageOfKind[K] {
  const reader = new FieldReader(encoded);
  const message = codecs[kind].read(reader, limits);
  reader.end();
  return message;
}

/** An envelope, or nothing for what a site dealt to itself. */
function envelope(reader: FieldReader): Uint8Array {
  const field = reader.field(0, ENVELOPE_BYTES).slice();
  if (field.length !== 0 && field.length !== ENVELOPE_BYTES) {
    throw new RegulonError('E_MESSAGE', `an envelope has ${field.length} bytes`);
  }
  return field;
}
