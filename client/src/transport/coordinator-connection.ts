import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import {
  itemCodec,
  noticeCodec,
  PROTOCOL_VERSIONS,
  queryCodec,
  replyCodec,
  requestCodec,
  type ItemOf,
  type Notice,
  type Query,
  type ReplyOf,
  type Request,
} from '@regulon/shared/wire';
import { Allowance } from './allowance.js';
import { Backoff } from './backoff.js';
import { BulkClient } from './bulk-client.js';
import type {
  CallOptions,
  ConnectionOptions,
  CoordinatorLink,
  DownloadJob,
  LinkState,
  UploadJob,
} from './connection-types.js';
import { ControlClient } from './control-client.js';
import { downloadFile } from './download.js';
import { fetchLimitOf } from './fetch-limits.js';
import { failureOf } from './grpc-errors.js';
import { addressOf, diagnose } from './tls.js';
import { uploadFile } from './upload.js';

const DEFAULT_TIMEOUT_MS = 30_000;
/** errors of the handshake that waiting does not mend */
const FATAL = ['E_CERTIFICATE', 'E_TLS_VERSION'] as const;

/** The daemon's outbound connection: it reconnects by itself, and repeats what was under way. */
export class CoordinatorConnection implements CoordinatorLink {
  private readonly control: ControlClient;
  private readonly bulk: BulkClient;
  private readonly closing = new AbortController();
  private readonly noticeListeners = new Set<(notice: Notice) => void>();
  private readonly stateListeners = new Set<(state: LinkState) => void>();
  private watching: Promise<void> | undefined;
  private state: LinkState = 'connecting';
  private readonly now: () => number;
  /** both channels read it when they connect */
  private readonly options: Omit<ConnectionOptions, 'tls'> & { tls: ConnectionOptions['tls'] };

  /** Connects with the first call. @throws E_CERTIFICATE when certificate and key cannot be used */
  constructor(options: ConnectionOptions) {
    this.options = { ...options };
    this.control = new ControlClient(this.options);
    this.bulk = new BulkClient(this.options, {
      current: (limits) => this.control.currentBoxKey(limits),
      forget: () => this.control.forgetBoxKey(),
    });
    this.now = options.now ?? Date.now;
  }

  async connect(options: CallOptions = {}): Promise<ReplyOf<'hello'>> {
    const { rosterHash, daemonVersion } = this.options;
    const protocolVersions = [...PROTOCOL_VERSIONS];
    const hello = { type: 'hello', protocolVersions, rosterHash, daemonVersion, nowMs: this.now() } as const;
    const reply = await this.exchange(hello, options);
    if (!protocolVersions.includes(reply.protocolVersion)) {
      throw new RegulonError('E_VERSION', `the coordinator wants to speak protocol ${reply.protocolVersion}`);
    }
    return reply;
  }

  async exchange<R extends Request>(request: R, options: CallOptions = {}): Promise<ReplyOf<R['type']>> {
    if (request.type === 'advertise') this.control.renewSender();
    const payload = requestCodec.encode(request);
    const allowance = this.allowanceOf(options);
    const answer = await this.repeat(options, allowance, (signal) =>
      this.control.exchange(payload, { deadlineMs: allowance.deadlineMs, signal }),
    );
    const reply = replyCodec.decode(answer);
    if (reply.type !== request.type)
      throw new RegulonError('E_MESSAGE', `${reply.type} came as answer to ${request.type}`);
    return reply as ReplyOf<R['type']>;
  }

  async fetch<Q extends Query>(query: Q, options: CallOptions = {}): Promise<ItemOf<Q['type']>[]> {
    const payload = queryCodec.encode(query);
    const most = fetchLimitOf(query);
    const allowance = this.allowanceOf(options, most.bytes);
    const answers = await this.repeat(options, allowance, (signal) =>
      this.control.fetch(payload, most, allowance, signal),
    );
    return answers.map((answer) => {
      const item = itemCodec.decode(answer);
      if (item.type !== query.type)
        throw new RegulonError('E_MESSAGE', `${item.type} came as answer to ${query.type}`);
      return item as ItemOf<Q['type']>;
    });
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    this.noticeListeners.add(listener);
    this.watching ??= this.watch();
    return () => this.noticeListeners.delete(listener);
  }

  onState(listener: (state: LinkState) => void): () => void {
    this.stateListeners.add(listener);
    return () => this.stateListeners.delete(listener);
  }

  upload(job: UploadJob): Promise<Uint8Array> {
    const signal = this.signalOf(job.signal);
    return uploadFile(this, this.bulk, { ...job, signal }, this.options);
  }

  download(job: DownloadJob): Promise<void> {
    return downloadFile(this.bulk, { ...job, signal: this.signalOf(job.signal) }, this.options);
  }

  useCertificate(cert: string): void {
    this.options.tls = { ...this.options.tls, cert };
    this.control.renewConnection();
    this.bulk.renewConnection();
  }

  async close(): Promise<void> {
    this.closing.abort(new RegulonError('E_CONNECTION', 'the connection was closed by the daemon'));
    this.setState('closed');
    this.control.close();
    this.bulk.close();
    await this.watching;
  }

  /** Repeat a call after a lost connection or a new box key, until it is answered or its time is over. */
  private async repeat<T>(
    options: CallOptions,
    allowance: Allowance,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const signal = this.signalOf(options.signal);
    const backoff = new Backoff(this.options.random);
    for (let resealed = false; ;) {
      try {
        signal.throwIfAborted();
        const answer = await call(signal);
        this.setState('connected');
        return answer;
      } catch (cause) {
        signal.throwIfAborted();
        const { error, connectionLost } = failureOf(cause, this.where);
        if (connectionLost) await this.reconnect(error, backoff, allowance, signal);
        else if (isRegulonError(error, 'E_SEAL') && !resealed) {
          resealed = true;
          this.control.forgetBoxKey();
        } else throw error;
      }
    }
  }

  /** Find out what is wrong; wait when waiting may help. @throws what waiting does not mend, or the end of the time */
  private async reconnect(
    error: Error,
    backoff: Backoff,
    allowance: Allowance,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.state === 'connected') this.setState('reconnecting');
    const found = await diagnose(this.options);
    if (found !== undefined && FATAL.some((code) => isRegulonError(found, code))) throw found;
    if (allowance.isOver) throw found ?? error;
    await backoff.wait(signal);
    if (allowance.isOver) throw found ?? error;
  }

  /** Keep a watch stream open for ever; each new one begins with the state of all live runs. */
  private async watch(): Promise<void> {
    const { signal } = this.closing;
    const backoff = new Backoff(this.options.random);
    while (!signal.aborted) {
      try {
        await this.control.watch(
          () => {
            backoff.reset();
            this.setState('connected');
          },
          (payload) => this.hear(payload),
          { signal },
        );
      } catch (cause) {
        if (isRegulonError(failureOf(cause, this.where).error, 'E_SEAL')) this.control.forgetBoxKey();
      }
      if (signal.aborted) return;
      this.setState('reconnecting');
      await backoff.wait(signal).catch(() => undefined);
    }
  }

  private hear(payload: Uint8Array): void {
    const notice = noticeCodec.decode(payload);
    for (const listener of this.noticeListeners) {
      // a listener's defect is the process's, not the stream's
      queueMicrotask(() => listener(notice));
    }
  }

  private setState(state: LinkState): void {
    if (this.state === state || this.state === 'closed') return;
    this.state = state;
    for (const listener of this.stateListeners) listener(state);
  }

  private allowanceOf({ timeoutMs = DEFAULT_TIMEOUT_MS }: CallOptions, mostBytes = 0): Allowance {
    return new Allowance(timeoutMs, mostBytes, this.now);
  }

  private signalOf(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.closing.signal : AbortSignal.any([this.closing.signal, signal]);
  }

  private get where(): string {
    return addressOf(this.options.host, this.options.controlPort);
  }
}
