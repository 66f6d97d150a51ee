import { fromHex, rootOfBytes, sha256, utf8 } from '../crypto/index.js';
import {
  hashOfAnswer,
  MaskEngine,
  ctxOf,
  encodeManifest,
  type Manifest,
  signManifest,
  signTranscript,
  type RosterView,
} from '../secagg/index.js';
import {
  type AttemptState,
  finish,
  type Losses,
  makeCohort,
  runUntil,
  type TestCohort,
} from '../secagg/secagg.support.js';
import {
  type ActorType,
  type BodyOf,
  digestBytes,
  digestText,
  encodeConsistencySignatures,
  encodeRoundEvidence,
  type Kind,
  MediaType,
  roundEvidenceOf,
  type ScopeOf,
} from '../transparency/index.js';
import { rosterHashOf } from '../plan/index.js';
import { SampleFederation } from './sample-federation.js';
import type { SampleLog } from './sample-log.js';
import { sample, sampleCommitment, samplePolicy } from './sample-options.js';

/** What a sample round is for. */
export interface RoundFields {
  readonly number: number;
  readonly attempt: number;
  readonly purpose: 0 | 1;
  readonly stepId: string;
  readonly losses: Losses;
}

/** indexes of entries that were not left out */
const kept = (indexes: readonly number[]): number[] => indexes.filter((index) => index >= 0);

const encode64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** Attempts that were run already: the same manifest needs no second run. */
const attempts = new Map<string, AttemptState>();

function attemptOf(cohort: TestCohort, context: string, losses: Losses): AttemptState {
  const state = attempts.get(context) ?? runUntil(cohort, 'r4', losses);
  attempts.set(context, state);
  return state;
}

/** One attempt of a round, run by the real machines and written into the log. */
export class SampleRound {
  readonly modelIn: string;
  readonly modelOut: string;
  transcript = digestText(new Uint8Array(32));
  private readonly state: AttemptState;
  private readonly context: string;
  private readonly scope: ScopeOf<'round.open'>;

  constructor(
    private readonly log: SampleLog,
    private readonly fields: RoundFields,
    private readonly previous: SampleRound | undefined,
    private readonly start: number,
  ) {
    this.modelIn =
      previous?.fields.purpose === fields.purpose
        ? previous.modelOut
        : digestText(sha256(utf8(`model ${fields.purpose}`)));
    this.modelOut = digestText(sha256(utf8(`${this.modelIn} and then`)));
    const cohort = this.cohort();
    this.context = digestText(ctxOf(cohort.manifest));
    this.scope = { run: sample.run, round: fields.number, attempt: fields.attempt };
    this.open(cohort);
    this.state = attemptOf(cohort, this.context, fields.losses);
  }

  /** End the attempt without a sum; its model stays. */
  abort(): this {
    const { server } = this.state;
    const T = server.abortTranscript('E_COHORT');
    const body: BodyOf<'round.abort'> = {
      ...{
        context: this.context,
        stage: 'r3',
        code: 'E_COHORT',
        reason: 'E_COHORT',
        lastHash: digestText(server.h3),
      },
      ...{
        transcript: digestText(T),
        abortSignature: this.signT('ABORT', T),
        complaint: null,
        answersSent: false,
      },
    };
    this.add(['coordinator', 'coordinator'], 'round.abort', body);
    this.transcript = digestText(T);
    return Object.assign(this, { modelOut: this.modelIn });
  }

  /** Write what sites and coordinator say about the sum. */
  close(): this {
    const { server } = this.state;
    const contributions = server.u3.map((id) =>
      this.add(['site', `site-${id}`], 'round.contribution', this.contribution(id)),
    );
    const answered = this.responders();
    const unmasks = answered.map((id) => this.add(['site', `site-${id}`], 'round.unmask', this.unmask(id)));
    this.add(['coordinator', 'coordinator'], 'round.aggregate', this.aggregate(contributions, unmasks));
    for (const id of server.u3) {
      const body: BodyOf<'round.ack'> = {
        ...{ context: this.context, modelOut: this.modelOut, receipt: null },
        audited: { tiles: [0], count: 1, result: 'agree' },
      };
      this.add(['site', `site-${id}`], 'round.ack', body);
    }
    return this;
  }

  private cohort(): TestCohort {
    const { roster } = this.log.federation;
    const { number, attempt, purpose, stepId } = this.fields;
    const coordinatorSeed = this.log.federation.statementSeed;
    const seeds = new Map(roster.members.map(({ id, name }) => [id, SampleFederation.seed('site', name)]));
    const view: RosterView = {
      ...{ federationId: roster.federationId, rosterHash: rosterHashOf(roster), M: roster.members.length },
      coordinatorKey: fromHex(roster.coordinatorKey),
      members: roster.members.map(({ id, key }) => ({ id, key: fromHex(key) })),
    };
    const manifest: Manifest = {
      ...makeCohort(roster.members.length).manifest,
      ...{
        federationId: roster.federationId,
        rosterHash: view.rosterHash,
        runId: sample.runId,
        round: number,
        attempt,
      },
      ...{ purpose, stepId, roles: roster.members.map(({ id }) => ({ id, role: 0 as const })) },
      ...{ planHash: digestBytes(sample.planHash), modelHash: digestBytes(this.modelIn) },
      prevTranscriptHash: digestBytes(this.previous?.transcript ?? digestText(new Uint8Array(32))),
      deadlines: [1, 2, 3, 4, 5].map((minute) => Date.UTC(2026, 10, 20, 12, minute)),
      ...(purpose === 1 ? { ringBits: 64, fractionBits: 24, Q: 1, C: 1000 } : {}),
    };
    return {
      seeds,
      coordinatorSeed,
      roster: view,
      manifest,
      coordinatorSignature: signManifest(coordinatorSeed, manifest),
    };
  }

  private open({ manifest, coordinatorSignature }: TestCohort): void {
    const body: BodyOf<'round.open'> = {
      ...{ purpose: this.fields.purpose === 0 ? 'train' : 'statistics', stepId: this.fields.stepId, arm: 0 },
      manifest: this.log.attach(encodeManifest(manifest), MediaType.manifest),
      ...{ manifestSignature: encode64(coordinatorSignature), context: this.context, modelIn: this.modelIn },
      ...{ invited: manifest.roles.map(({ id }) => id), rosterHash: digestText(manifest.rosterHash) },
      previousTranscript: digestText(manifest.prevTranscriptHash),
      deadlines: manifest.deadlines.map((at) => new Date(at).toISOString()),
      ...this.log.end(),
    };
    this.add(['coordinator', 'coordinator'], 'round.open', body);
  }

  private contribution(id: number): BodyOf<'round.contribution'> {
    const { server, uploads } = this.state;
    const upload = uploads.get(id) ?? new Uint8Array(0);
    const name = `site-${id}`;
    const at = '2026-11-20T10:00:00.000Z';
    return {
      ...{
        context: this.context,
        role: 'contributor',
        modelIn: this.modelIn,
        code: sample.code,
        daemon: '0.1.0',
      },
      ...{
        policy: samplePolicy(name),
        dataset: sample.dataset,
        datasetVersion: 1,
        commitment: sampleCommitment(name),
      },
      ...{ featureSpecification: this.specification(), cohort: digestText(server.h2) },
      maskedInput: {
        length: (upload.length * 8) / server.manifest.ringBits,
        root: digestText(rootOfBytes(upload)),
      },
      ...{ charge: null, cached: null, sampler: null, band: '100-199', window: { start: at, end: at } },
      ...{ gate: { size: this.start + 1, root: sample.code }, attestation: null },
    };
  }

  private unmask(id: number): BodyOf<'round.unmask'> {
    const { server, clients } = this.state;
    const answer = clients.get(id)?.unmask(server.signatures());
    const signatures = encodeConsistencySignatures(server.signatures());
    return {
      ...{
        context: this.context,
        consistency: digestText(server.h3),
        survivors: server.u3,
        dropped: server.dropped,
      },
      ...{ selfMask: server.u3, maskKey: server.dropped },
      answer: digestText(hashOfAnswer(server.ctx, server.h3, answer?.entries ?? [])),
      signatures: this.log.attach(signatures, MediaType.consistencySignatures),
    };
  }

  private aggregate(contributions: number[], unmasks: number[]): BodyOf<'round.aggregate'> {
    const { server } = this.state;
    const { unmasking, sum } = finish(this.state, new MaskEngine());
    const aggRoot = rootOfBytes(sum);
    const { responders } = unmasking;
    const { T } = server.transcript({ aggRoot, modelHash: digestBytes(this.modelOut), responders });
    const { h1, h2, h3 } = server;
    return {
      ...{ context: this.context, u1: server.u1, u2: server.u2, u3: server.u3 },
      ...{ h1: digestText(h1), h2: digestText(h2), h3: digestText(h3) },
      dropped: server.dropped.map((site) => ({ site, stage: 'r2', code: 'E_UPLOAD' })),
      ...{ contributions: kept(contributions), unmasks: kept(unmasks) },
      ...{ thresholds: { ...server.thresholds }, aggregateRoot: digestText(aggRoot) },
      ...{ transcript: digestText(T), closeSignature: this.signT('CLOSE', T) },
      ...{
        strategy: this.fields.purpose === 0 ? 'fed-avg' : null,
        serverNoise: null,
        modelOut: this.modelOut,
      },
      ...{ coverage: { sites: server.u3.length, band: '500+' }, worker: 'worker-0', fence: 1 },
      evidence: this.log.attach(this.evidence(responders), MediaType.roundEvidence),
    };
  }

  private evidence(responders: readonly number[]): Uint8Array {
    const { server, clients } = this.state;
    const keys = server.closeU1();
    return encodeRoundEvidence(
      roundEvidenceOf({
        advertised: keys,
        shares: server.u2.flatMap((id) => clients.get(id)?.shareKeys(keys) ?? []),
        commits: server.u3.flatMap(
          (id) =>
            clients
              .get(id)
              ?.commit(rootOfBytes(this.state.uploads.get(id) ?? new Uint8Array(0)), server.manifest.d + 2) ??
            [],
        ),
        consistency: server.signatures(),
        answers: this.responders().flatMap((id) => clients.get(id)?.unmask(server.signatures()) ?? []),
        responders,
      }),
    );
  }

  private responders(): number[] {
    const { server } = this.state;
    const { r3 = [], r4 = [], r2 = [] } = this.fields.losses;
    return server.u2.filter((id) => ![...r2, ...r3, ...r4].includes(id));
  }

  private specification(): string {
    for (let round: SampleRound | undefined = this.previous; round !== undefined; round = round.previous) {
      if (round.fields.purpose === 1) return round.modelOut;
    }
    return this.modelIn;
  }

  private signT(tag: 'CLOSE' | 'ABORT', T: Uint8Array): string {
    this.transcript = digestText(T);
    return encode64(signTranscript(this.log.federation.statementSeed, this.state.server.ctx, tag, T));
  }

  private add<K extends Kind>(actor: readonly [ActorType, string], kind: K, body: BodyOf<K>): number {
    return this.log.write(actor, kind, this.scope as ScopeOf<K>, body);
  }
}
