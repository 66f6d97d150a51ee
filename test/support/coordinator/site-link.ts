import { rootOfBytes } from '@regulon/shared/crypto';
import type { SiteGateway, UploadPort } from '@regulon/coordinator/transport';
import { decodeMessage, type MessageOfKind } from '@regulon/shared/secagg';
import {
  CHUNK_BYTES,
  type Item,
  type ItemOf,
  type Query,
  type QueryOf,
  type Reply,
  type ReplyOf,
  type Request,
  type RequestOf,
} from '@regulon/shared/wire';

/** Names one attempt of a round, as requests do. */
export interface AttemptRef {
  readonly run: Uint8Array;
  readonly round: number;
  readonly attempt: number;
}

/** Queries for messages of other sites, and what the messages are. */
const relayed = {
  advertised: 'advertise',
  deliveries: 'delivery',
  survivors: 'survivor',
  signatures: 'consistency',
} as const;

type Relayed = keyof typeof relayed;

/** A coordinator without servers, as its sites reach it. */
export interface DirectGateway {
  readonly control: SiteGateway;
  readonly bulk: UploadPort;
}

/** Requests of one site to a coordinator's gateway. */
export class SiteLink {
  constructor(
    readonly site: number,
    /** another one after a restart */
    public gateway: DirectGateway,
  ) {}

  async ask<T extends Request['type']>(request: RequestOf<T>): Promise<ReplyOf<T>> {
    const reply = await this.gateway.control.exchange(this.site, request);
    if (isReply(reply, request)) return reply;
    throw new Error(`${request.type} was answered by ${reply.type}`);
  }

  async fetch<T extends Query['type']>(query: QueryOf<T>): Promise<ItemOf<T>[]> {
    const items: ItemOf<T>[] = [];
    for await (const item of this.gateway.control.fetch(this.site, query)) {
      if (!isItem(item, query)) throw new Error(`${query.type} was answered by ${item.type}`);
      items.push(item);
    }
    return items;
  }

  /** What the coordinator passes on of other sites. */
  async messages<T extends Relayed>(type: T, ref: AttemptRef): Promise<MessageOfKind[(typeof relayed)[T]][]> {
    const relayedType: Relayed = type;
    const items = await this.fetch<Relayed>({ type: relayedType, ...ref });
    return items.map(({ message }) => decodeMessage(relayed[type], message));
  }

  /** A whole blob. @param digest its content address, 32 bytes */
  async download(digest: Uint8Array): Promise<Uint8Array> {
    const request = { digestPrefix: digest.subarray(0, 16), offset: 0 };
    const download = await this.gateway.bulk.download(this.site, request);
    const pieces: Uint8Array[] = [];
    for await (const piece of download.chunks(CHUNK_BYTES)) pieces.push(Uint8Array.from(piece));
    const bytes = new Uint8Array(Buffer.concat(pieces));
    if (Buffer.compare(rootOfBytes(bytes), digest) !== 0)
      throw new Error('other bytes than those of the digest');
    return bytes;
  }

  /** Upload a masked vector from where the coordinator has it. @returns the receipt */
  async upload(
    ref: AttemptRef,
    uploadId: Uint8Array,
    vector: Uint8Array,
    commit: Uint8Array,
  ): Promise<Uint8Array> {
    const { leaseId } = await this.ask({ type: 'acquireLease', ...ref });
    const session = await this.gateway.bulk.open(this.site, { uploadId, leaseId });
    for (let at = session.offset; at < vector.length; at += CHUNK_BYTES)
      await session.write(vector.subarray(at, at + CHUNK_BYTES));
    return session.commit(commit);
  }
}

const isReply = <T extends Request['type']>(reply: Reply, to: RequestOf<T>): reply is ReplyOf<T> =>
  reply.type === to.type;
const isItem = <T extends Query['type']>(item: Item, of: QueryOf<T>): item is ItemOf<T> =>
  item.type === of.type;
