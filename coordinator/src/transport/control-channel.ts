/** From sealed bytes to the gateway and back: the one place where a control message of a site is validated. */
import { RegulonError } from '@regulon/shared/errors';
import {
  itemCodec,
  noticeCodec,
  openRequest,
  queryCodec,
  replyCodec,
  requestCodec,
  type AnswerSealer,
  type Notice,
  type Sealed,
  type SealedCall,
} from '@regulon/shared/wire';
import type { BoxKeys } from './box-keys.js';
import type { SiteGateway, SiteId } from './ports.js';

/** A parsed control request: `{ sealed: { ephemeralKey, nonce, box } }`; anything may be missing. */
export interface ControlMessage {
  readonly sealed?: Partial<Sealed> | null;
}
/** An answer on its way out. */
export interface SealedMessage {
  readonly sealed: Sealed;
}

/** Opens what sites send, and seals what they get. */
export class ControlChannel {
  constructor(
    private readonly gateway: SiteGateway,
    readonly boxKeys: BoxKeys,
  ) {}

  /** @throws E_MESSAGE, E_SEAL, or what the gateway throws */
  async exchange(site: SiteId, message: ControlMessage): Promise<SealedMessage> {
    const { payload, answers } = this.open('exchange', message);
    const request = requestCodec.decode(payload);
    const reply = await this.gateway.exchange(site, request);
    return { sealed: answers.sealWhole(replyCodec.encode(reply)) };
  }

  /** Items in boxes of at most 128 KiB, then the end. @throws as `exchange` */
  async *fetch(site: SiteId, message: ControlMessage): AsyncGenerator<SealedMessage> {
    const { payload, answers } = this.open('fetch', message);
    for await (const item of this.gateway.fetch(site, queryCodec.decode(payload))) {
      for (const sealed of answers.seal(itemCodec.encode(item))) yield { sealed };
    }
    yield { sealed: answers.end() };
  }

  /** Listen for a site. @returns stops listening @throws E_MESSAGE, E_SEAL */
  watch(site: SiteId, message: ControlMessage, send: (sealed: SealedMessage) => void): () => void {
    const { answers } = this.open('watch', message);
    const emit = (notice: Notice): void => {
      for (const sealed of answers.seal(noticeCodec.encode(notice))) send({ sealed });
    };
    return this.gateway.watch(site, emit);
  }

  private open(call: SealedCall, { sealed }: ControlMessage): { payload: Uint8Array; answers: AnswerSealer } {
    const { ephemeralKey, nonce, box } = sealed ?? {};
    if (ephemeralKey?.length !== 32 || nonce?.length !== 24 || box === undefined) {
      throw new RegulonError('E_MESSAGE', 'malformed message: no sealed box of the right sizes');
    }
    return this.boxKeys.openWith(ephemeralKey, (sharedKey) =>
      openRequest(call, { ephemeralKey, nonce, box }, sharedKey),
    );
  }
}
