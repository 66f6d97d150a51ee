import { equalBytes, hex, randomBytes, rootOfBytes } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import {
  decodeManifest,
  decodeMessage,
  encodeManifest,
  encodeMessage,
  foldAndUnmaskTile,
  type Manifest,
  MaskEngine,
  type MessageKind,
  type MessageOfKind,
  SecAggClient,
  SecAggServer,
  type SiteId,
  vectorLength,
} from '@regulon/shared/secagg';
import { makeCohort, plainSum, type TestCohort } from '../../../shared/src/secagg/secagg.support.js';

const engine = new MaskEngine();

/** How an attempt with one changed message ended. */
export type Ending = 'exact' | 'aborted' | 'wrong';

/**
 * An attempt with an honest coordinator in which one message, on its way to its reader, has one bit changed. Who refuses
 * it goes on as if it had not come; a site that refuses is lost.
 */
export class TamperedAttempt {
  /** messages that were sent so far */
  messages = 0;
  /** kind of the message that was changed */
  changed: string | undefined;
  /** what the readers said */
  readonly refusals: string[] = [];
  private readonly clients = new Map<SiteId, SecAggClient>();
  /** plain and masked */
  private readonly vectors = new Map<SiteId, Uint8Array>();
  private readonly uploads = new Map<SiteId, Uint8Array>();

  /** @param target number of the message that is changed @param bit of it, modulo its length */
  constructor(
    private readonly target: number,
    private readonly bit: number,
    private readonly options: {
      /** change the first message of this kind at or after `target` */
      readonly kind?: string;
      /** the coordinator does not compare the bytes of an upload with the root that its site signed */
      readonly ignoresRoots?: boolean;
    } = {},
  ) {}

  /** @param n sites; the last one's upload is lost */
  run(n = 6): Ending {
    const cohort = makeCohort(n, { d: 20 });
    const server = new SecAggServer(cohort);
    this.join(cohort);
    if (!this.tried(() => this.exchange(server))) return 'aborted';
    const { ringBits } = cohort.manifest;
    const spools = server.u3.map((id) => this.uploads.get(id) ?? new Uint8Array());
    const sum = new Uint8Array(spools[0]?.length ?? 0);
    foldAndUnmaskTile(sum, { spools, masks: server.unmaskKeys().maskKeys, byteOffset: 0, ringBits }, engine);
    const wanted = plainSum(
      server.u3.map((id) => this.vectors.get(id) ?? new Uint8Array()),
      ringBits,
    );
    return hex(sum) === hex(wanted) ? 'exact' : 'wrong';
  }

  private join({ manifest, coordinatorSignature, roster, seeds }: TestCohort): void {
    for (const [id, seed] of seeds) {
      this.vectors.set(id, randomBytes(4 * vectorLength(manifest)));
      this.tried(() => {
        const own = this.sentManifest(manifest);
        const known = { coordinatorSignature, roster, id, seed };
        this.clients.set(id, SecAggClient.join({ manifest: own, ...known }));
      });
    }
  }

  private exchange(server: SecAggServer): void {
    const last = Math.max(...this.vectors.keys());
    this.each((client) => server.addAdvertise(this.sent('advertise', client.advertise())));
    const list = server.closeU1();
    this.each((client) =>
      server.addShares(this.sent('shares', client.shareKeys(this.all('advertise', list)))),
    );
    server.closeU2();
    this.each((client, id) => this.upload(server, client, id, id !== last));
    const survivors = server.closeU3();
    this.each((client) =>
      server.addConsistency(this.sent('consistency', client.consistency(this.all('survivor', survivors)))),
    );
    this.each((client) => {
      const signatures = this.all('consistency', server.signatures());
      server.addAnswer(this.sent('answer', client.unmask(signatures)));
    });
    server.unmaskKeys();
  }

  private upload(server: SecAggServer, client: SecAggClient, id: SiteId, arrives: boolean): void {
    const { masks } = client.maskPlan(this.all('delivery', server.deliveriesFor(id)));
    const y = (this.vectors.get(id) ?? new Uint8Array()).slice();
    engine.maskTile(y, 0, masks, server.manifest.ringBits);
    const commit = client.commit(rootOfBytes(y), vectorLength(server.manifest));
    if (!arrives) return;
    const bytes = this.sentBytes('upload', y);
    const claimed = this.sent('commit', commit);
    const { ignoresRoots = false } = this.options;
    // what the spool of a coordinator compares
    if (!ignoresRoots && !equalBytes(rootOfBytes(bytes), claimed.root))
      throw new RegulonError('E_UPLOAD_ROOT', `upload of site ${id}`);
    server.addCommit(claimed);
    this.uploads.set(id, bytes);
    client.confirmUpload();
  }

  /** A step of every site that is left; who refuses, or is refused, is lost. */
  private each(step: (client: SecAggClient, id: SiteId) => void): void {
    for (const [id, client] of this.clients) if (!this.tried(() => step(client, id))) this.clients.delete(id);
  }

  private all<K extends MessageKind>(kind: K, list: readonly MessageOfKind[K][]): MessageOfKind[K][] {
    return list.map((message) => this.sent(kind, message));
  }

  private sent<K extends MessageKind>(kind: K, message: MessageOfKind[K]): MessageOfKind[K] {
    return decodeMessage(kind, this.sentBytes(kind, encodeMessage(kind, message)));
  }

  private sentManifest(manifest: Manifest): Manifest {
    return decodeManifest(this.sentBytes('manifest', encodeManifest(manifest)));
  }

  private sentBytes(kind: string, bytes: Uint8Array): Uint8Array {
    const number = this.messages++;
    const only = this.options.kind;
    const isTarget = only === undefined ? number === this.target : number >= this.target && kind === only;
    if (this.changed !== undefined || !isTarget) return bytes;
    this.changed = kind;
    const copy = bytes.slice();
    const bit = this.bit % (8 * copy.length);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return copy;
  }

  private tried(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      if (!isRegulonError(error)) throw error;
      this.refusals.push(error.code);
      return false;
    }
  }
}
