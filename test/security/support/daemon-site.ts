import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import {
  type AdvertiseKeys,
  type ConsistencySignature,
  decodeMessage,
  encodeManifest,
  encodeMessage,
  type Manifest,
  MaskEngine,
  type MessageOfKind,
  type ShareDelivery,
  signManifest,
  type SiteId,
  type SurvivorEntry,
} from '@regulon/shared/secagg';
import { hex, sha256 } from '@regulon/shared/crypto';
import { Purpose, runName, type ScheduledRound } from '@regulon/shared/program';
import type { LogEntry } from '@regulon/shared/transparency';
import type { Query, Request } from '@regulon/shared/wire';
import type { Agreement } from '@regulon/client/policy';
import {
  type AnsweredRow,
  AnsweredTable,
  AttemptJournal,
  Ledger,
  Outbox,
  SiteState,
  UnitSetTable,
} from '@regulon/client/state';
import { seedOf, testSite } from '../../../client/src/policy/site.support.js';
import type { UnitSets } from '../../../client/src/unit-sets/index.js';
import { uploadReceipt } from '../../../coordinator/src/rounds/upload-statements.js';
import { Attempt } from '../../../client/src/rounds/attempt/attempt.js';
import { entrySealer } from '../../../client/src/rounds/attempt/entries.js';
import { RunDriver } from '../../../client/src/rounds/run/run-driver.js';
import type { RunSession } from '../../../client/src/rounds/run/run-session.js';
import { temporaryFolder } from '../../../client/src/state/temporary-folder.support.js';
import { abortedAttempt } from './aborted-attempt.js';
import type { LyingCoordinator } from './lying-coordinator.js';
import { federation, manifestOf, OWN, programOf } from './private-run.js';

/** Behind every sum of these specs, unless they say otherwise. */
const SAME_UNITS: UnitSets = {
  ...{ units: new Uint8Array(0), folds: new Uint8Array(0), heldOut: [], levels: new Uint32Array(0) },
};

const kindOf = {
  advertised: 'advertise',
  deliveries: 'delivery',
  survivors: 'survivor',
  signatures: 'consistency',
} as const;
const never = new AbortController().signal;

/**
 * Site 1 as a daemon: the real steps of an attempt over a real state folder. Training, gate and network are the spec's;
 * they have attacks of their own.
 */
export class DaemonSite {
  state!: SiteState;
  attempts!: AttemptJournal;
  answered!: AnsweredTable;
  unitSets!: UnitSetTable;
  /** what left the site */
  readonly sent: Request[] = [];
  private readonly shown: Partial<Record<Query['type'], readonly Uint8Array[]>> = {};
  /** what the steward of this site says when the daemon asks; @throws E_POLICY */
  verifyConsent: () => void = () => undefined;
  /** entries of the run in the log */
  readonly logged: LogEntry[] = [];
  private outbox!: Outbox;
  private coordinator: LyingCoordinator | undefined;
  private manifests: readonly object[] = [];

  constructor(readonly folder = join(temporaryFolder('daemon'), 'state')) {
    this.start();
  }

  /** @throws E_QUARANTINE when the database is not the one that the counter beside it belongs to */
  start(): void {
    const pins = { site: 'a', federationId: 'fed_test', rosterHash: 'ab', identityKey: 'cd' };
    this.state = SiteState.open(this.folder, pins);
    this.attempts = new AttemptJournal(this.state);
    this.answered = new AnsweredTable(this.state);
    this.unitSets = new UnitSetTable(this.state);
    this.outbox = new Outbox(this.state, entrySealer(federation.keys, 'fed_test', 'a', seedOf('site', OWN)));
  }

  stop(): void {
    if (this.state.db.open) this.state.close();
  }

  /** R0 of round 0 of a run; from here on the coordinator knows this site. */
  join(agreement: Agreement, coordinator: LyingCoordinator): Attempt {
    const { manifest, coordinatorSignature } = coordinator.cohort;
    const [session, round] = this.sessionOf(agreement);
    return this.known(coordinator, Attempt.join(session, round, manifest, coordinatorSignature, []));
  }

  /** R0 to R2 of round 0 with all sites, none of which lies yet. */
  async contributed(agreement: Agreement, coordinator: LyingCoordinator): Promise<Attempt> {
    const attempt = this.join(agreement, coordinator);
    const ids = coordinator.cohort.manifest.roles.map(({ id }) => id);
    const others = ids.filter((id) => id !== OWN);
    this.show('advertised', coordinator.keys(ids));
    await attempt.share(never);
    coordinator.deal(others, ids);
    this.show('deliveries', coordinator.deliveries(OWN, ids));
    await attempt.contribute(never);
    coordinator.upload(others, ids);
    return attempt;
  }

  /** R3 and R4 with these survivors, whom every site confirms. */
  async released(attempt: Attempt, coordinator: LyingCoordinator, u3: readonly SiteId[]): Promise<void> {
    this.show('survivors', coordinator.survivors(u3));
    await attempt.confirm(never);
    const others = u3.filter((id) => id !== OWN);
    this.show('signatures', [...coordinator.confirm(others, u3), this.last('consistency')]);
    await attempt.answer(never);
  }

  /** Entries that this site wrote, in order. */
  entries(): Uint8Array[] {
    const entries: Uint8Array[] = [];
    for (let row = this.outbox.at(0); row; row = this.outbox.at(entries.length)) entries.push(row.bytes);
    return entries;
  }

  /** The row of an answer for round 0 of a run, as if this site had given it. */
  answeredRow(agreement: Agreement, cohort: readonly SiteId[]): AnsweredRow {
    const { runId, purpose, stepId, modelHash, planHash } = manifestOf(agreement);
    return {
      ...{ run: runName(runId), round: 0, attempt: 0, purpose, stepId, arm: 0, iteration: 0 },
      ...{ modelHash: hex(modelHash), planHash: hex(planHash), h3: sha256(), cohort, relaxed: false },
      ...{ answer: new Uint8Array(), reopened: false },
    };
  }

  /** What the coordinator shows from now on. */
  show(type: 'advertised', list: readonly AdvertiseKeys[]): void;
  show(type: 'deliveries', list: readonly ShareDelivery[]): void;
  show(type: 'survivors', list: readonly SurvivorEntry[]): void;
  show(type: 'signatures', list: readonly ConsistencySignature[]): void;
  show(type: keyof typeof kindOf, list: readonly object[]): void {
    this.shown[type] = list.map((message) => encodeMessage(kindOf[type], message as never));
  }

  /** The last message of a kind that left the site. */
  last<K extends 'consistency' | 'answer'>(kind: K): MessageOfKind[K] {
    const type = kind === 'answer' ? 'unmask' : kind;
    const request = this.sent.findLast((r) => r.type === type);
    if (!request || !('message' in request)) throw new TypeError(`no ${kind} was sent`);
    return decodeMessage(kind, request.message);
  }

  /** The attempt as the journal of this site has it. */
  restore(agreement: Agreement, coordinator: LyingCoordinator): Attempt | undefined {
    const [session, round] = this.sessionOf(agreement);
    const attempt = Attempt.restore(session, round, coordinator.cohort.manifest.attempt);
    return attempt && this.known(coordinator, attempt);
  }

  /**
   * The coordinator announces a manifest of round 0, and the real driver of the run looks at it.
   *
   * @returns the code with which the site refuses, or the keys that it sends
   */
  async announced(agreement: Agreement, manifest: Manifest): Promise<string | AdvertiseKeys> {
    const [session] = this.sessionOf(agreement);
    const signature = signManifest(seedOf('coordinator'), manifest);
    this.manifests = [{ manifest: encodeManifest(manifest), signature, attempt: manifest.attempt }];
    const { runId, attempt } = manifest;
    const run = runName(runId);
    const driver = new RunDriver(session.site, run, async () => session);
    const from = this.sent.length;
    const outcome = (): string | AdvertiseKeys | undefined => {
      for (const request of this.sent.slice(from)) {
        if (request.type === 'refuse') return request.code;
        if (request.type === 'advertise') return decodeMessage('advertise', request.message);
      }
      return undefined;
    };
    driver.notice({ type: 'stage', run: runId, round: 0, attempt, stage: 'r0' });
    // what makes the whole daemon stop is its refusal too
    const following = driver.follow().catch(() => undefined);
    while (outcome() === undefined) await new Promise((resolve) => setTimeout(resolve, 2));
    driver.stop();
    await following;
    return outcome() ?? '';
  }

  /** The log has the opening and the signed abort of an attempt from now on. @returns T of the abort, 32 bytes */
  ended(manifest: Manifest): Uint8Array {
    const { T, entries } = abortedAttempt(manifest);
    this.logged.push(...entries);
    return T;
  }

  private known(coordinator: LyingCoordinator, attempt: Attempt): Attempt {
    const { client } = attempt;
    const before = coordinator.sites.get(OWN);
    const advertised = before?.advertised ?? client.advertise();
    // its plain vector is zeros and the weight: see `work`
    coordinator.sites.set(OWN, { ...before, id: OWN, client, advertised, vector: new Uint8Array() });
    this.coordinator = coordinator;
    return attempt;
  }

  private sessionOf(agreement: Agreement): [RunSession, ScheduledRound] {
    const { state, attempts, answered, unitSets, outbox } = this;
    const { contract } = agreement;
    const program = programOf(contract);
    const [round] = program.schedule;
    if (!round) throw new TypeError('no round');
    const own = runName(contract.runId);
    if (!unitSets.find(own)) unitSets.save(own, SAME_UNITS);
    const contribution =
      round.purpose === Purpose.train
        ? { kind: 'update', deltaPath: null }
        : { kind: 'values', values: new Float64Array(program.vectorLength(round)) };
    const result = { contribution, weight: 1, extras: {}, norm: 0 };
    const session = {
      ...{ run: runName(contract.runId), runId: contract.runId, agreement, program, folder: this.folder },
      ...{ engine: new MaskEngine(), roundingSecret: new Uint8Array(32) },
      ...{
        work: { result: async () => result },
        audits: { settled: async () => undefined, verify: () => undefined },
      },
      verifyConsent: () => this.verifyConsent(),
      ...{ verifyLogged: () => undefined, lastTranscript: new Uint8Array(32), scheduled: () => round },
      ...{ suspend: async () => undefined, end: async () => undefined },
      site: {
        ...{ federation, site: testSite(federation), keys: { identity: seedOf('site', OWN) } },
        ...{ state, attempts, answered, unitSets, outbox, ledger: new Ledger(state) },
        ...{ crash: { reached: () => undefined }, logger: pino({ level: 'silent' }) },
        log: { until: async () => undefined, latest: { size: 1 }, roundEntries: async () => this.logged },
        startIndex: () => 0,
        gate: { pass: async () => ({ origin: '', size: 1, root: sha256() }) },
        ...{ drainOutbox: async () => undefined, link: this.link },
      },
    };
    return [session as unknown as RunSession, round];
  }

  private readonly link = {
    exchange: async (request: Request): Promise<void> => {
      this.sent.push(request);
      const site = this.coordinator?.site(OWN);
      if (request.type === 'shareKeys' && site) site.shares = decodeMessage('shares', request.message);
    },
    fetch: async ({ type }: Query): Promise<readonly object[]> =>
      type === 'manifest' ? this.manifests : (this.shown[type] ?? []).map((message) => ({ message })),
    upload: async (job: { path: string; commit: Uint8Array; ctx: Uint8Array; h2: Uint8Array }) => {
      const { id, root, sig } = decodeMessage('commit', job.commit);
      const site = this.coordinator?.site(OWN);
      const upload = new Uint8Array(readFileSync(job.path));
      Object.assign(site ?? {}, { upload, commit: { id, root, sig } });
      return uploadReceipt(job, seedOf('coordinator'), id, root);
    },
  };
}
