/** A coordinator without rounds: real transport, in-memory gateway, book and rows. */
import { randomBytes, createHash } from 'node:crypto';
import { equalBytes, hex, publicKeyOf } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  uploadIdOf,
  type Item,
  type Notice,
  type Query,
  type Reply,
  type Request,
} from '@regulon/shared/wire';
import {
  BoxKeys,
  startControlServer,
  type CommitRow,
  type CommitRows,
  type ExpectedUpload,
  type Member,
  type RunningServer,
  type SiteGateway,
  type UploadBook,
} from '@regulon/coordinator/transport';
import type { SiteCertificates } from '@regulon/coordinator/authority';
import { type BulkChannel, type BulkOptions, InlineBulkChannel } from '@regulon/coordinator/bulk';
import type { Material } from './certificates.js';

const text = (name: string): Uint8Array => new Uint8Array(createHash('sha256').update(name).digest());
export const RUN = text('run').slice(0, 16);
export const CTX = text('ctx');
export const H2 = text('h2');
export const ROSTER_HASH = text('roster');
export const STATEMENT_SEED = text('statement');
const memberOf = (id: number) => ({ id, key: publicKeyOf(text(`site ${id}`)) });
/** The sites of the roster, ids 1 and 2. */
export const MEMBERS = [memberOf(1), memberOf(2)] as const;
/** The sites of a larger roster, ids from 1. */
export const membersOf = (count: number): Member[] =>
  Array.from({ length: count }, (_, i) => memberOf(i + 1));

/** The commit table in memory. */
export class MemoryRows implements CommitRows {
  readonly rows = new Map<string, CommitRow>();
  find(uploadId: Uint8Array): CommitRow | undefined {
    return this.rows.get(hex(uploadId));
  }
  committing(row: Omit<CommitRow, 'state' | 'receipt'>): void {
    this.rows.set(hex(row.uploadId), { ...row, state: 'committing' });
  }
  committed(uploadId: Uint8Array, receipt: Uint8Array): void {
    const row = this.find(uploadId);
    if (row) this.rows.set(hex(uploadId), { ...row, state: 'committed', receipt });
  }
  clear(uploadId: Uint8Array): void {
    this.rows.delete(hex(uploadId));
  }
  open(): CommitRow[] {
    return [...this.rows.values()];
  }
}

/** Expects one upload of `size` bytes a site; a commit message is the bare root. */
export class FakeBook implements UploadBook {
  readonly strikes: string[] = [];
  readonly accepts: string[] = [];
  readonly blobs = new Map<string, { digest: Uint8Array; path: string }>();
  fence = 0;
  leased = new Map<string, number>();
  constructor(
    public size: number,
    private readonly members: readonly Member[] = MEMBERS,
  ) {}

  expected(uploadId: Uint8Array): ExpectedUpload | undefined {
    const member = this.members.find(({ id }) => equalBytes(uploadIdOf(CTX, H2, id), uploadId));
    return member && { site: member.id, runId: RUN, round: 3, attempt: 0, ctx: CTX, size: this.size };
  }
  lease(): { leaseId: Uint8Array; fence: number } {
    const leaseId = new Uint8Array(randomBytes(16));
    this.leased.set(hex(leaseId), ++this.fence);
    return { leaseId, fence: this.fence };
  }
  checkLease(_site: number, _uploadId: Uint8Array, leaseId: Uint8Array): number {
    const fence = this.leased.get(hex(leaseId));
    if (fence === undefined) throw new RegulonError('E_LEASE', 'no live lease');
    return fence;
  }
  progress(): void {}
  verifyCommit(_expected: ExpectedUpload, message: Uint8Array): Uint8Array {
    if (message.length !== 32) throw new RegulonError('E_SIG_R2', 'not signed');
    return message;
  }
  receipt(_expected: ExpectedUpload, root: Uint8Array): Uint8Array {
    return this.receiptOf(root);
  }
  receiptOf(root: Uint8Array): Uint8Array {
    return new Uint8Array(createHash('sha512').update(root).digest());
  }
  accepted({ site }: ExpectedUpload, { path }: { path: string }): void {
    this.accepts.push(`${site} ${path}`);
  }
  strike(_expected: ExpectedUpload, reason: string): void {
    this.strikes.push(reason);
  }
  blob(_site: number, prefix: Uint8Array): { digest: Uint8Array; path: string } | undefined {
    return this.blobs.get(hex(prefix));
  }
}

/** Answers without rounds; some requests fail on purpose. */
export class FakeGateway implements SiteGateway {
  readonly requests: Request[] = [];
  readonly listeners = new Set<(notice: Notice) => void>();
  itemBytes = 200_000;
  protocolVersion = 1;
  /** who issues certificates */
  certificates: Pick<SiteCertificates, 'renew'> | undefined;
  /** items in the answer about the sites of a round */
  sites = 255;
  constructor(
    private readonly bulk: BulkChannel,
    private readonly book: FakeBook,
    private readonly keys: BoxKeys,
  ) {}

  async exchange(site: number, request: Request): Promise<Reply> {
    this.requests.push(request);
    switch (request.type) {
      case 'hello':
        return {
          type: 'hello',
          protocolVersion: this.protocolVersion,
          nowMs: 5,
          boxKey: this.keys.publicKey,
          boxKeySignature: this.keys.signature,
          checkpointNote: `site ${site}`,
        };
      case 'appendEntry':
        return { type: 'appendEntry', index: request.entry.length };
      case 'putAttachment':
        return { type: 'putAttachment', digest: text('attachment') };
      case 'acquireLease':
        return { type: 'acquireLease', ...this.book.lease(), expiresAtMs: 1, retryAfterMs: 0 };
      case 'uploadStatus':
        return { type: 'uploadStatus', ...(await this.bulk.status(site, request.uploadId)) };
      case 'refuse':
        throw new RegulonError('E_POLICY', 'refused on purpose – “ü”', { hint: 'try something else' });
      case 'beat':
        throw new Error('a secret of the coordinator');
      case 'advertise':
      case 'shareKeys':
      case 'complaint':
      case 'consistency':
      case 'unmask':
      case 'cosign':
        return { type: request.type };
      case 'renewCertificate': {
        if (!this.certificates) throw new RegulonError('E_NOT_FOUND', 'no certificates here');
        const certificate = await this.certificates.renew(site, request.renewal);
        return { type: 'renewCertificate', certificate };
      }
    }
  }

  async *fetch(_site: number, query: Query): AsyncGenerator<Item> {
    if (query.type === 'runContract')
      yield { type: 'runContract', contract: new Uint8Array(this.itemBytes).fill(7) };
    else if (query.type === 'advertised') {
      for (let i = 0; i < this.sites; i++)
        yield { type: 'advertised', message: new Uint8Array(1000).fill(i % 256) };
    } else throw new RegulonError('E_NOT_FOUND', `no ${query.type}`);
  }

  watch(_site: number, emit: (notice: Notice) => void): () => void {
    this.listeners.add(emit);
    emit({ type: 'run', run: RUN, state: 'running' });
    return () => this.listeners.delete(emit);
  }
}

/** Both servers over one spool folder; can be stopped and started again on the same ports. */
export class FakeCoordinator {
  readonly rows: CommitRows;
  readonly book: FakeBook;
  readonly members: readonly Member[];
  /** what the servers reported as defects */
  readonly defects: unknown[] = [];
  gateway!: FakeGateway;
  keys!: BoxKeys;
  control!: RunningServer;
  bulk!: BulkChannel;
  private bulkPort = 0;

  /** @param newBulk where the bulk server runs @param more another roster, another commit table */
  constructor(
    private readonly tls: Material,
    readonly folder: string,
    size = 0,
    private readonly newBulk: (options: BulkOptions) => BulkChannel = (o) => new InlineBulkChannel(o),
    more: { members?: readonly Member[]; rows?: CommitRows } = {},
  ) {
    this.members = more.members ?? MEMBERS;
    this.rows = more.rows ?? new MemoryRows();
    this.book = new FakeBook(size, this.members);
  }

  async start(ports = { control: 0, bulk: 0 }): Promise<this> {
    this.keys = BoxKeys.fromSeed(ROSTER_HASH, STATEMENT_SEED);
    const report = (error: unknown): void => void this.defects.push(error);
    const common = { boxKeys: this.keys, members: this.members, tls: this.tls, host: '127.0.0.1', report };
    const spool = { folder: this.folder, book: this.book, rows: this.rows };
    this.bulk = this.newBulk({ ...common, ...spool, port: ports.bulk });
    this.gateway = new FakeGateway(this.bulk, this.book, this.keys);
    this.control = await startControlServer({ ...common, gateway: this.gateway, port: ports.control });
    this.bulkPort = await this.bulk.listen();
    return this;
  }
  get ports(): { control: number; bulk: number } {
    return { control: this.control.port, bulk: this.bulkPort };
  }
  async stop(): Promise<void> {
    await Promise.all([this.control.close(), this.bulk.close()]);
  }
  /** Stop and start on the same ports, with new box keys. */
  async restart(): Promise<void> {
    const ports = this.ports;
    await this.stop();
    await this.start(ports);
  }
}
