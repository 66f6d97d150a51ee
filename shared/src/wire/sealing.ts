/**
 * Second layer of the control channel: NaCl boxes inside TLS; large payloads natively under a derived key.
 *
 * It protects against proxies that end TLS. It is not privacy from the coordinator, which holds the key.
 * An answer names the request it belongs to and its place in the stream, so a proxy can neither swap, drop nor
 * repeat answers; a request may be repeated without a second effect.
 */
import {
  boxBefore,
  boxKeyPair,
  concatBytes,
  enc,
  equalBytes,
  randomBytes,
  sha256,
  u32,
  utf8,
} from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { MIN_BOX_BYTES, openPayload, sealPayload } from './large-box.js';
import { MAX_ITEM_BYTES } from './messages.js';
import { malformed } from './reader-writer.js';

/** A box as it travels; answers leave `ephemeralKey` empty. */
export interface Sealed {
  /** sender's X25519 key, 32 bytes; empty in answers */
  readonly ephemeralKey: Uint8Array;
  /** 24 random bytes */
  readonly nonce: Uint8Array;
  readonly box: Uint8Array;
}
/** The calls of the control channel; a box opens on its own call only. */
export type SealedCall = 'exchange' | 'fetch' | 'watch';

const CALL_BYTE: Record<SealedCall, number> = { exchange: 1, fetch: 2, watch: 3 };
const ANSWER = 16;
const PART = 17;
const END = 18;
/** plaintext of one box of an answer, at most */
const PART_BYTES = 128 * 1024;
const PREFIX = 1 + 24 + 4;

/** The bytes that CK signs when the coordinator publishes a box key. */
export function boxKeyStatement(rosterHash: Uint8Array, boxKey: Uint8Array): Uint8Array {
  return sha256(enc(utf8('regulon/transport/v1/box-key'), rosterHash, boxKey));
}

/** A site's end of the sealed channel: one ephemeral key towards one box key of the coordinator. */
export class SealedSender {
  readonly ephemeralKey: Uint8Array;
  private readonly sharedKey: Uint8Array;

  /** @throws E_LOW_ORDER for a weak box key */
  constructor(readonly boxKey: Uint8Array) {
    const pair = boxKeyPair();
    this.ephemeralKey = pair.publicKey;
    this.sharedKey = boxBefore(boxKey, pair.secretKey);
    pair.secretKey.fill(0);
  }

  /** Seal a request. @returns the box to send, and what opens its answers, in order */
  seal(call: SealedCall, payload: Uint8Array): { sealed: Sealed; answers: AnswerOpener } {
    const nonce = randomBytes(24);
    const box = sealPayload(Uint8Array.of(CALL_BYTE[call]), payload, nonce, this.sharedKey);
    return {
      sealed: { ephemeralKey: this.ephemeralKey, nonce, box },
      answers: new AnswerOpener(this.sharedKey, nonce),
    };
  }
}

/**
 * Open a request at the coordinator.
 *
 * @param sharedKey `boxBefore` of the sender's ephemeral key and the own secret
 * @returns the payload, and the sealer of its answers
 * @throws E_SEAL when it does not open or was meant for another call
 */
export function openRequest(
  call: SealedCall,
  sealed: Sealed,
  sharedKey: Uint8Array,
): { payload: Uint8Array; answers: AnswerSealer } {
  const plain = openBox(sealed, sharedKey);
  if (plain[0] !== CALL_BYTE[call]) throw new RegulonError('E_SEAL', 'a sealed request came on another call');
  return { payload: plain.subarray(1), answers: new AnswerSealer(sharedKey, sealed.nonce) };
}

/** Seals the answers to one request: each message in boxes of at most 128 KiB, then the end. */
export class AnswerSealer {
  private sequence = 0;

  constructor(
    private readonly sharedKey: Uint8Array,
    private readonly requestNonce: Uint8Array,
  ) {}

  /** Boxes of one answer, in order. */
  *seal(payload: Uint8Array): Generator<Sealed> {
    let offset = 0;
    for (; payload.length - offset > PART_BYTES; offset += PART_BYTES) {
      yield this.box(PART, payload.subarray(offset, offset + PART_BYTES));
    }
    yield this.box(ANSWER, payload.subarray(offset));
  }

  /** The only box of an answer to a unary call, whatever its size. */
  sealWhole(payload: Uint8Array): Sealed {
    return this.box(ANSWER, payload);
  }

  /** The box that closes a stream; without it the stream was cut. */
  end(): Sealed {
    return this.box(END, new Uint8Array(0));
  }

  private box(kind: number, payload: Uint8Array): Sealed {
    const nonce = randomBytes(24);
    const head = concatBytes(Uint8Array.of(kind), this.requestNonce, u32(this.sequence++));
    return { ephemeralKey: new Uint8Array(0), nonce, box: sealPayload(head, payload, nonce, this.sharedKey) };
  }
}

/** Opens the answers to one request, in order. */
export class AnswerOpener {
  private sequence = 0;
  private parts: Uint8Array[] = [];
  private partBytes = 0;
  /** true once the closing box came */
  ended = false;

  constructor(
    private readonly sharedKey: Uint8Array,
    private readonly requestNonce: Uint8Array,
  ) {}

  /**
   * @returns a whole answer, or undefined while parts are outstanding and at the end
   * @throws E_SEAL when the box does not open, belongs to another request or is out of order; E_MESSAGE when too large
   */
  open(sealed: Sealed): Uint8Array | undefined {
    const plain = openBox(sealed, this.sharedKey);
    const expected = concatBytes(this.requestNonce, u32(this.sequence));
    if (plain.length < PREFIX || this.ended || !equalBytes(plain.subarray(1, PREFIX), expected)) {
      throw new RegulonError('E_SEAL', 'a sealed answer belongs to another request or place');
    }
    this.sequence++;
    const kind = plain[0];
    if (kind === END) {
      this.ended = true;
      return undefined;
    }
    if (kind !== ANSWER && kind !== PART) throw malformed('sealed answer', 'unknown kind');
    // parts without a byte would never be too many
    if (kind === PART && plain.length === PREFIX) throw malformed('sealed answer', 'an empty part');
    this.partBytes += plain.length - PREFIX;
    if (this.partBytes > MAX_ITEM_BYTES) throw malformed('sealed answer', 'too large');
    this.parts.push(plain.subarray(PREFIX));
    if (kind === PART) return undefined;
    const whole = this.parts.length === 1 ? this.parts[0]! : concatBytes(...this.parts);
    this.parts = [];
    this.partBytes = 0;
    return whole;
  }
}

function openBox(sealed: Sealed, sharedKey: Uint8Array): Uint8Array {
  if (sealed.nonce.length !== 24 || sealed.box.length < MIN_BOX_BYTES)
    throw malformed('sealed message', 'wrong sizes');
  return openPayload(sealed.box, sealed.nonce, sharedKey);
}
