/** The bulk channel: one stream of frames up or down, no retries here. */
import { type ClientReadableStream, type ClientWritableStream, type Metadata } from '@grpc/grpc-js';
import { boxBefore, boxKeyPair, randomBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { BulkCipher, bulkService, MAX_FRAME_BYTES, type OpenBody } from '@regulon/shared/wire';
import type { ConnectionOptions } from './connection-types.js';
import { deadlineOf, type Limits, liveClient } from './control-client.js';
import type { LiveClient } from './live-client.js';
import { addressOf } from './tls.js';

const WINDOW_BYTES = 16 << 20;

/** Where the coordinator's current box key comes from. */
export interface BoxKeySource {
  current(limits: Limits): Promise<Uint8Array>;
  forget(): void;
}

/** What a stream is about. */
export interface StreamSubject {
  /** salt of the key: context of the attempt, or the whole digest of a download; 32 bytes */
  readonly ctx: Uint8Array;
  /** 16 bytes; for a download the first 16 of the digest */
  readonly uploadId: Uint8Array;
  /** 16 bytes; zero for a download */
  readonly leaseId: Uint8Array;
  /** byte to begin at; 0 for an upload, where the coordinator says it */
  readonly offset: number;
}
interface Sealed {
  readonly up: BulkCipher;
  readonly down: BulkCipher;
  readonly openFrame: Buffer;
}
/** An upload stream: frames go in, the receipt frame comes out. */
export interface PutStream {
  readonly call: ClientWritableStream<Buffer>;
  readonly up: BulkCipher;
  /** initial metadata, which names the offset; rejects when the stream ends before */
  readonly opened: Promise<Metadata>;
  /** plaintext of the answer */
  readonly answer: Promise<Uint8Array>;
}
/** A download stream. */
export interface GetStream {
  readonly call: ClientReadableStream<Buffer>;
  readonly down: BulkCipher;
}

export class BulkClient {
  private readonly client: LiveClient;

  constructor(
    private readonly options: ConnectionOptions,
    private readonly boxKey: BoxKeySource,
  ) {
    this.client = liveClient(options, options.bulkPort, {
      'grpc.max_receive_message_length': MAX_FRAME_BYTES,
      'grpc.max_send_message_length': MAX_FRAME_BYTES,
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc-node.flow_control_window': WINDOW_BYTES,
    });
  }

  get where(): string {
    return addressOf(this.options.host, this.options.bulkPort);
  }

  async put(subject: StreamSubject, limits: Limits): Promise<PutStream> {
    const { up, down, openFrame } = await this.seal(subject, limits);
    const { path, requestSerialize, responseDeserialize } = bulkService.Put;
    let settle: (error: Error | null, frame?: Buffer) => void;
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      settle = (error, frame) => (error === null ? resolve(frame!) : reject(error));
    }).then((frame) => down.open(frame as Buffer).plaintext);
    const call = this.client.current.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      deadlineOf(limits),
      (error, frame) => settle(error, frame),
    );
    cancelOn(call, limits.signal);
    const opened = Promise.race([
      new Promise<Metadata>((resolve) => call.once('metadata', resolve)),
      answer.then((): never => {
        throw new RegulonError('E_UPLOAD', 'the stream ended before its offset came');
      }),
    ]);
    opened.catch(() => undefined);
    call.write(openFrame);
    return { call, up, opened, answer };
  }

  async get(subject: StreamSubject, limits: Limits): Promise<GetStream> {
    const { down, openFrame } = await this.seal(subject, limits);
    const { path, requestSerialize, responseDeserialize } = bulkService.Get;
    const call = this.client.current.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      openFrame,
      deadlineOf(limits),
    );
    cancelOn(call, limits.signal);
    return { call, down };
  }

  /** The coordinator could not open a stream: it has a new box key. */
  forgetBoxKey(): void {
    this.boxKey.forget();
  }

  /** Connect anew for the streams to come. */
  renewConnection(): void {
    this.client.renew();
  }

  close(): void {
    this.client.close();
  }

  private async seal({ ctx, uploadId, leaseId, offset }: StreamSubject, limits: Limits): Promise<Sealed> {
    const boxKey = await this.boxKey.current(limits);
    const pair = boxKeyPair();
    const sharedKey = boxBefore(boxKey, pair.secretKey);
    pair.secretKey.fill(0);
    const open: OpenBody = { ephemeralKey: pair.publicKey, streamId: randomBytes(16), uploadId, leaseId };
    const keys = { sharedKey, ctx, site: this.options.site, open };
    const up = new BulkCipher(keys, 'up');
    const down = new BulkCipher(keys, 'down');
    return { up, down, openFrame: up.sealOpen(open, offset) };
  }
}

function cancelOn(
  call: ClientReadableStream<Buffer> | ClientWritableStream<Buffer>,
  signal: AbortSignal | undefined,
): void {
  if (signal === undefined) return;
  const cancel = (): void => call.cancel();
  if (signal.aborted) return cancel();
  signal.addEventListener('abort', cancel, { once: true });
  call.once('status', () => signal.removeEventListener('abort', cancel));
}
