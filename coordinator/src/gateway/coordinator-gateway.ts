import { fromHex, hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { MediaType } from '@regulon/shared/transparency';
import {
  type Item,
  type Notice,
  PROTOCOL_VERSIONS,
  type Query,
  type Reply,
  type Request,
} from '@regulon/shared/wire';
import type { Sequencer } from '../audit/index.js';
import type { SiteCertificates } from '../authority/index.js';
import type { RoundDriver } from '../rounds/index.js';
import type { LogIntake, RunsService } from '../runs/index.js';
import type { BulkChannel } from '../bulk/index.js';
import type { BoxKeys, SiteGateway } from '../transport/index.js';
import type { Leases } from '../sites/index.js';
import type { Presence } from '../sites/index.js';
import type { RoundQueries } from './round-queries.js';

/** What the gateway hands requests to. */
export interface GatewayContext {
  readonly runs: RunsService;
  readonly intake: LogIntake;
  readonly sequencer: Sequencer;
  /** takes cosignatures of members by their names */
  readonly publisher: { cosign(witness: string, size: number, cosignature: Uint8Array): Promise<void> };
  readonly presence: Presence;
  readonly leases: Leases;
  readonly bulk: Pick<BulkChannel, 'status'>;
  readonly boxKeys: BoxKeys;
  readonly rosterHash: Uint8Array;
  readonly queries: RoundQueries;
  readonly certificates: Pick<SiteCertificates, 'renew'>;
  readonly now: () => number;
  /** a new lease is refused while the event loop is too slow */
  readonly isBusy: () => boolean;
}

const RETRY_AFTER_MS = 250;

/** The coordinator as its sites see it: parses nothing, decides nothing, hands each request to its service. */
export class CoordinatorGateway implements SiteGateway {
  private lastTurn: Promise<void> = Promise.resolve();

  constructor(private readonly on: GatewayContext) {}

  async exchange(site: number, request: Request): Promise<Reply> {
    await this.turn();
    if ('run' in request) this.on.runs.expectMember(request.run, site);
    switch (request.type) {
      case 'hello':
        return this.hello(request);
      case 'appendEntry': {
        const { index } = await this.on.intake.append(request.entry);
        return { type: 'appendEntry', index };
      }
      case 'putAttachment': {
        const { digest } = await this.on.sequencer.putAttachment(request.bytes, MediaType.json);
        return { type: 'putAttachment', digest: fromHex(digest.slice('sha256:'.length)) };
      }
      case 'advertise':
        this.round(request).receive('advertise', site, request.attempt, request.message);
        return { type: 'advertise' };
      case 'shareKeys':
        this.round(request).receive('share', site, request.attempt, request.message);
        return { type: 'shareKeys' };
      case 'consistency':
        this.answer(request, 'consistency', site);
        return { type: 'consistency' };
      case 'unmask':
        this.answer(request, 'unmask', site);
        return { type: 'unmask' };
      case 'complaint':
        await this.round(request).complain(site, request.attempt, request.message);
        return { type: 'complaint' };
      case 'refuse':
        this.find(request.run, request.round)?.refuse(site, request.attempt, request.code);
        return { type: 'refuse' };
      case 'beat':
        this.beat(site, request);
        return { type: 'beat' };
      case 'acquireLease':
        return this.acquireLease(site, request);
      case 'uploadStatus':
        return { type: 'uploadStatus', ...(await this.on.bulk.status(site, request.uploadId)) };
      case 'cosign':
        await this.on.publisher.cosign(this.nameOf(site), request.size, request.cosignature);
        return { type: 'cosign' };
      case 'renewCertificate':
        return {
          type: 'renewCertificate',
          certificate: await this.on.certificates.renew(site, request.renewal),
        };
    }
  }

  fetch(site: number, query: Query): AsyncIterable<Item> {
    if ('run' in query) this.on.runs.expectMember(query.run, site);
    return this.on.queries.answer(site, query);
  }

  watch(site: number, emit: (notice: Notice) => void): () => void {
    const { presence, runs, sequencer } = this.on;
    const latest = sequencer.latest();
    const cosigned = sequencer.cosigned();
    // the one with a quorum opens gates; the newest one may still want this site's cosignature
    if (cosigned) emit({ type: 'checkpoint', note: cosigned.note, oldSize: 0, proof: [] });
    if (cosigned?.size !== latest.size)
      emit({ type: 'checkpoint', note: latest.note, oldSize: 0, proof: [] });
    for (const { runId, state } of runs.statesFor(site)) {
      emit({ type: 'run', run: runId, state });
      const round = runs.driverOf(runId)?.round;
      const { stage, current } = round ?? { stage: null, current: null };
      if (stage && current)
        emit({ type: 'stage', run: runId, round: current.key.round, attempt: current.key.attempt, stage });
    }
    return presence.add(site, emit);
  }

  /** One request in a turn of the event loop: each may sync the disk, and the sites send theirs all at once. */
  private turn(): Promise<void> {
    this.lastTurn = this.lastTurn.then(() => new Promise((resolve) => setImmediate(resolve)));
    return this.lastTurn;
  }

  private hello(request: Extract<Request, { type: 'hello' }>): Reply {
    const { boxKeys, rosterHash, sequencer, now } = this.on;
    const protocolVersion = PROTOCOL_VERSIONS.find((v) => request.protocolVersions.includes(v));
    if (protocolVersion === undefined) {
      throw new RegulonError(
        'E_VERSION',
        `the coordinator speaks protocol ${PROTOCOL_VERSIONS.join(', ')} only`,
      );
    }
    if (hex(request.rosterHash) !== hex(rosterHash)) {
      throw new RegulonError('E_ROSTER', 'the site pinned another roster than the one of the coordinator');
    }
    return {
      type: 'hello',
      protocolVersion,
      nowMs: now(),
      boxKey: boxKeys.publicKey,
      boxKeySignature: boxKeys.signature,
      checkpointNote: sequencer.latest().note,
    };
  }

  /** A late confirmation or answer changes nothing and is no error: the site reads the close next. */
  private answer(
    request: Extract<Request, { type: 'consistency' | 'unmask' }>,
    phase: 'consistency' | 'unmask',
    site: number,
  ): void {
    const driver = this.find(request.run, request.round);
    if (!driver && this.on.queries.isClosed(request.run, request.round)) return;
    this.round(request).receive(phase, site, request.attempt, request.message);
  }

  private beat(site: number, { run, round, step }: Extract<Request, { type: 'beat' }>): void {
    if (this.find(run, round)) this.on.runs.eventsOf(run).emit({ type: 'beat', site, round, step });
  }

  private acquireLease(site: number, request: Extract<Request, { type: 'acquireLease' }>): Reply {
    const attempt = this.round(request).expectAttempt(request.attempt);
    if (!attempt.server.u2.includes(site)) throw new RegulonError('E_STATE', `site ${site} is not in U2`);
    const lease = this.on.isBusy() ? null : this.on.leases.acquire(site, attempt.uploadId(site));
    if (!lease)
      return {
        type: 'acquireLease',
        leaseId: new Uint8Array(0),
        fence: 0,
        expiresAtMs: 0,
        retryAfterMs: RETRY_AFTER_MS,
      };
    return {
      type: 'acquireLease',
      leaseId: lease.id,
      fence: lease.fence,
      expiresAtMs: lease.expiresAtMs,
      retryAfterMs: 0,
    };
  }

  private nameOf(site: number): string {
    return this.on.sequencer.keys.members.find(({ id }) => id === site)?.name ?? '';
  }

  private find(run: Uint8Array, round: number): RoundDriver | undefined {
    const driver = this.on.runs.driverOf(run)?.round;
    return driver?.round.round === round ? driver : undefined;
  }

  /** @throws E_STATE when the round is not the open one of its run */
  private round({ run, round }: { run: Uint8Array; round: number }): RoundDriver {
    const driver = this.find(run, round);
    if (!driver) throw new RegulonError('E_STATE', `round ${round} of run_${hex(run)} is not open`);
    return driver;
  }
}
