/** The three control calls over one gRPC channel, sealed; no retries here. */
import { Client, type ClientReadableStream, type ServiceDefinition } from '@grpc/grpc-js';
import { RegulonError } from '@regulon/shared/errors';
import { verifyEd25519 } from '@regulon/shared/crypto';
import {
  boxKeyStatement,
  SealedSender,
  type AnswerOpener,
  type Sealed,
  type SealedCall,
} from '@regulon/shared/wire';
import type { Allowance } from './allowance.js';
import type { ConnectionOptions } from './connection-types.js';
import type { FetchLimit } from './fetch-limits.js';
import { eachMessage } from './each-message.js';
import { LiveClient } from './live-client.js';
import { loadControlService } from './protocol.js';
import { addressOf, channelCredentials, diagnose, handshakeName } from './tls.js';

interface SealedMessage {
  readonly sealed: Sealed;
}
interface BoxKey {
  readonly boxKey: Uint8Array;
  readonly signature: Uint8Array;
}
/** A call under way that can be given up. */
export interface Limits {
  /** ms since the epoch */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Limits as gRPC takes them. */
export const deadlineOf = ({ deadlineMs }: Limits): { deadline?: number } =>
  deadlineMs === undefined ? {} : { deadline: deadlineMs };

/** Receive window: with the default of 64 KiB an answer of 1 MiB takes five seconds from 300 ms away. */
const WINDOW_BYTES = 4 << 20;

/** Options that both channels share. */
export const sharedChannelOptions = (options: ConnectionOptions): object => ({
  'grpc.ssl_target_name_override': handshakeName(options),
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 1_000,
});

/** A client of one of the coordinator's ports that does not wait for ever. @throws E_CERTIFICATE */
export function liveClient(options: ConnectionOptions, port: number, channel: object): LiveClient {
  const make = (): Client =>
    new Client(addressOf(options.host, port), channelCredentials(options), {
      ...sharedChannelOptions(options),
      ...channel,
    });
  return new LiveClient(make, async () => (await diagnose(options, port)) === undefined, options.connectMs);
}

export class ControlClient {
  private readonly client: LiveClient;
  private readonly service: ServiceDefinition = loadControlService();
  private sender: Promise<SealedSender> | undefined;
  private boxKey: Uint8Array | undefined;

  /** @throws E_CERTIFICATE when the own certificate cannot be used */
  constructor(private readonly options: ConnectionOptions) {
    const { controlPort: port } = options;
    this.client = liveClient(options, port, {
      'grpc.max_receive_message_length': 4 << 20,
      'grpc.enable_retries': 1,
      'grpc-node.flow_control_window': WINDOW_BYTES,
    });
  }

  /** Connect anew for the calls to come. */
  renewConnection(): void {
    this.client.renew();
  }

  /** Forget the box key: the coordinator has another one. */
  forgetBoxKey(): void {
    this.sender = undefined;
    this.boxKey = undefined;
  }

  /** Take a fresh ephemeral key, once per attempt. */
  renewSender(): void {
    this.sender = undefined;
  }

  /** The coordinator's current box key, verified, 32 bytes. */
  async currentBoxKey(limits: Limits): Promise<Uint8Array> {
    return (await this.currentSender(limits)).boxKey;
  }

  /** One sealed request, one sealed answer. */
  async exchange(payload: Uint8Array, limits: Limits): Promise<Uint8Array> {
    const { sealed, answers } = (await this.currentSender(limits)).seal('exchange', payload);
    const reply = await this.unary<SealedMessage>('Exchange', { sealed }, limits);
    const answer = answers.open(sealedOf(reply));
    if (answer === undefined) throw new RegulonError('E_MESSAGE', 'the answer to a request is not whole');
    return answer;
  }

  /**
   * All answers of a stream, in order.
   *
   * @throws E_SEAL when it was cut; E_MESSAGE when they are more than `most`; E_DEADLINE when the allowance is over
   */
  async fetch(
    payload: Uint8Array,
    most: FetchLimit,
    allowance: Allowance,
    signal: AbortSignal,
  ): Promise<Uint8Array[]> {
    const limits = { deadlineMs: allowance.latestMs, signal };
    const { stream, answers } = await this.stream('fetch', payload, limits);
    const unwatch = allowance.watch(() => stream.cancel());
    const items: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const message of eachMessage(stream)) {
        const sealed = sealedOf(message);
        allowance.received(sealed.box.length);
        const item = answers.open(sealed);
        if (item === undefined) continue;
        bytes += item.length;
        if (items.length === most.items || bytes > most.bytes) {
          const words = `the coordinator answers with more than ${most.items} items or ${most.bytes} bytes`;
          throw new RegulonError('E_MESSAGE', words);
        }
        items.push(item);
      }
    } catch (cause) {
      if (!allowance.isOver) throw cause;
      throw new RegulonError('E_DEADLINE', 'the coordinator did not answer in time', { cause });
    } finally {
      unwatch();
    }
    if (!answers.ended) throw new RegulonError('E_SEAL', 'a stream of the coordinator was cut');
    return items;
  }

  /** Answers as they come; ends with the stream's error. @param opened called when the stream stands */
  async watch(opened: () => void, hear: (payload: Uint8Array) => void, limits: Limits): Promise<void> {
    const { stream, answers } = await this.stream('watch', new Uint8Array(0), limits);
    stream.once('metadata', opened);
    for await (const message of eachMessage(stream)) {
      const payload = answers.open(sealedOf(message));
      if (payload !== undefined) hear(payload);
    }
  }

  close(): void {
    this.client.close();
  }

  private async stream(
    call: Exclude<SealedCall, 'exchange'>,
    payload: Uint8Array,
    limits: Limits,
  ): Promise<{ stream: ClientReadableStream<SealedMessage>; answers: AnswerOpener }> {
    const { sealed, answers } = (await this.currentSender(limits)).seal(call, payload);
    const method = this.service[call === 'fetch' ? 'Fetch' : 'Watch']!;
    const stream = this.client.current.makeServerStreamRequest<SealedMessage, SealedMessage>(
      method.path,
      method.requestSerialize,
      method.responseDeserialize as (bytes: Buffer) => SealedMessage,
      { sealed },
      deadlineOf(limits),
    );
    const cancel = (): void => stream.cancel();
    limits.signal?.addEventListener('abort', cancel, { once: true });
    stream.once('close', () => limits.signal?.removeEventListener('abort', cancel));
    return { stream, answers };
  }

  private unary<R>(name: string, request: object, limits: Limits): Promise<R> {
    const method = this.service[name]!;
    return new Promise<R>((resolve, reject) => {
      const cancel = (): void => call.cancel();
      const call = this.client.current.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize as (bytes: Buffer) => R,
        request,
        deadlineOf(limits),
        (error, reply) => {
          limits.signal?.removeEventListener('abort', cancel);
          if (error !== null) reject(error);
          else resolve(reply!);
        },
      );
      limits.signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  private async currentSender(limits: Limits): Promise<SealedSender> {
    if (this.sender === undefined) {
      const sender = this.makeSender(limits);
      this.sender = sender;
      sender.catch(() => {
        if (this.sender === sender) this.sender = undefined;
      });
    }
    return this.sender;
  }

  private async makeSender(limits: Limits): Promise<SealedSender> {
    if (this.boxKey === undefined) {
      const { boxKey, signature } = await this.unary<BoxKey>('GetBoxKey', {}, limits);
      const { rosterHash, coordinatorKey } = this.options;
      if (!verifyEd25519(coordinatorKey, boxKeyStatement(rosterHash, boxKey), signature)) {
        throw new RegulonError(
          'E_ROSTER',
          'the coordinator cannot prove the statement key of the pinned roster',
        );
      }
      this.boxKey = Uint8Array.from(boxKey);
    }
    return new SealedSender(this.boxKey);
  }
}

function sealedOf(message: { sealed?: Sealed | null }): Sealed {
  if (message.sealed === null || message.sealed === undefined)
    throw new RegulonError('E_MESSAGE', 'an answer has no box');
  return message.sealed;
}
