import { enc, sha256, type SignatureCheck, u32, verifyEd25519 } from '../../crypto/index.js';
import type { AdvertiseKeys, ConsistencySignature, MaskedCommit, UnmaskAnswer } from '../../secagg/index.js';
import type { ShareHeader } from './round-evidence.js';

/** Verifies the SecAgg signatures of one attempt, apart from the code that makes them. */
export class AttemptVerifier {
  /**
   * @param ctx digest of the manifest
   * @param keyOf Ed25519 identity key of a roster id, undefined for strangers
   * @param holds verifies each signature
   */
  constructor(
    private readonly ctx: Uint8Array,
    private readonly keyOf: (site: number) => Uint8Array | undefined,
    private readonly holds: SignatureCheck = verifyEd25519,
  ) {}

  /** σ0 */
  advertised(m: AdvertiseKeys): boolean {
    return this.verify('R0', m, [m.cPk, m.sPk, m.nonce]);
  }

  /** σ1 */
  dealt(h1: Uint8Array, m: ShareHeader): boolean {
    return this.verifyAfter('R1', h1, m, [m.cb, m.root]);
  }

  /** σ2 */
  committed(h2: Uint8Array, m: MaskedCommit): boolean {
    return this.verifyAfter('R2', h2, m, [u32(m.length), m.root]);
  }

  /** σ3 */
  confirmed(h3: Uint8Array, m: ConsistencySignature): boolean {
    return this.verifyAfter('R3', h3, m, []);
  }

  /** σ4. @param answer a_i of its entries */
  answered(h3: Uint8Array, m: UnmaskAnswer, answer: Uint8Array): boolean {
    return this.verifyAfter('R4', h3, m, [answer]);
  }

  private verifyAfter(
    tag: string,
    hash: Uint8Array,
    m: { id: number; sig: Uint8Array },
    fields: Uint8Array[],
  ): boolean {
    return this.check(tag, m, [hash, u32(m.id), ...fields]);
  }

  private verify(tag: string, m: { id: number; sig: Uint8Array }, fields: Uint8Array[]): boolean {
    return this.check(tag, m, [u32(m.id), ...fields]);
  }

  private check(tag: string, { id, sig }: { id: number; sig: Uint8Array }, fields: Uint8Array[]): boolean {
    const key = this.keyOf(id);
    const message = sha256(enc(`regulon/secagg/v1/${tag}`, this.ctx, ...fields));
    return key !== undefined && this.holds(key, message, sig);
  }
}
