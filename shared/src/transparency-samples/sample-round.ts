import { rootOfBytes, sha256, signEd25519, utf8 } from '../crypto/index.js';
import { validationDigest } from '../plan/index.js';
import { rosterViewOf } from '../program/index.js';
import { ctxOf, encodeManifest, signTranscript, thresholdsOf } from '../secagg/index.js';
import type { AttemptState, TestCohort } from '../secagg/secagg.support.js';
import {
  type ActorType,
  type BodyOf,
  digestBytes,
  digestText,
  type Kind,
  MediaType,
  reopenSigningBytes,
  type ScopeOf,
} from '../transparency/index.js';
import { contributionBody, evidenceBytes, receiptBody, unmaskBody } from './sample-bodies.js';
import {
  respondersOf,
  type RoundFields,
  SAMPLE_WEIGHTS,
  sampleAttempt,
  sampleCohort,
  sampleModel,
  sampleSum,
} from './sample-cohort.js';
import type { SampleLog } from './sample-log.js';
import { SampleFederation } from './sample-federation.js';
import { sample } from './sample-options.js';
import { sampleCharge } from './sample-privacy.js';

const coordinator = ['coordinator', 'coordinator'] as const;
const zeros = digestText(new Uint8Array(32));
/** Sites of the manifest that are not in U3, with the stage of which nothing of them came. */
const droppedOf = ({ manifest, u1, u2, u3 }: AttemptState['server']): BodyOf<'round.aggregate'>['dropped'] =>
  manifest.roles
    .filter(({ id }) => !u3.includes(id))
    .map(({ id }) => {
      const stage = u2.includes(id) ? 'r2' : u1.includes(id) ? 'r1' : 'r0';
      return { site: id, stage, code: stage === 'r2' ? 'E_UPLOAD' : 'E_DEADLINE' } as const;
    });
const encode64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
/** indexes of entries that were not left out */
const kept = (indexes: readonly number[]): number[] => indexes.filter((index) => index >= 0);

/** One attempt of a round, run by the real machines and written into the log. */
export class SampleRound {
  readonly modelIn: string;
  modelOut: string;
  transcript = zeros;
  private readonly state: AttemptState;
  private readonly context: string;
  private readonly scope: ScopeOf<'round.open'>;

  /** @param start index of run.start */
  constructor(
    private readonly log: SampleLog,
    private readonly fields: RoundFields,
    private readonly previous: SampleRound | undefined,
    private readonly start: number,
  ) {
    const isDerived = fields.word !== undefined;
    const first = isDerived
      ? log.keep(new Uint8Array(4 * SAMPLE_WEIGHTS))
      : digestText(sha256(utf8(`model ${fields.purpose}`)));
    const { figures } = fields;
    // a validation round scores the model that was trained last, and leaves it as it is
    const of = figures || previous?.fields.figures ? previous : undefined;
    const trained = of?.fields.figures ? of.modelIn : of?.modelOut;
    const before = previous?.fields.purpose === fields.purpose ? previous.modelOut : first;
    this.modelIn = trained ?? before;
    this.modelOut = digestText(
      figures
        ? validationDigest(digestBytes(this.modelIn), figures)
        : sha256(utf8(`${this.modelIn} and then`)),
    );
    const { planHash } = log;
    const from = { modelIn: this.modelIn, transcript: previous?.transcript ?? zeros, planHash };
    const cohort = sampleCohort(log.federation, fields, from);
    this.context = digestText(ctxOf(cohort.manifest));
    this.scope = { run: sample.run, round: fields.number, attempt: fields.attempt };
    this.open(cohort);
    this.state = sampleAttempt(cohort, this.context, fields.losses);
    if (isDerived) this.derive();
  }

  /** The model follows from the sum; both are kept. */
  private derive(): void {
    const { sum } = sampleSum(this.state);
    this.log.keep(sum);
    const before = this.log.kept.get(this.modelIn) ?? new Uint8Array();
    this.modelOut = this.log.keep(sampleModel(this.state.server.manifest, before, sum));
  }

  get number(): number {
    return this.fields.number;
  }

  /** End the attempt without a sum; its model stays. */
  abort(answersSent = false): this {
    const { server } = this.state;
    const T = server.abortTranscript('E_COHORT');
    const body: BodyOf<'round.abort'> = {
      ...{ context: this.context, stage: answersSent ? 'r4' : 'r3', code: 'E_COHORT', reason: 'E_COHORT' },
      ...{ lastHash: digestText(server.h3), transcript: digestText(T) },
      ...{ abortSignature: this.signT('ABORT', T), complaint: null, answersSent },
    };
    this.add(coordinator, 'round.abort', body);
    return Object.assign(this, { modelOut: this.modelIn });
  }

  /** End the attempt after its sites answered. */
  burn(): this {
    this.siteEntries();
    return this.abort(true);
  }

  /** The administrators let the next attempt be answered too. */
  reopen(contributors: readonly number[]): this {
    const { server } = this.state;
    const scope = { ...this.scope, attempt: this.fields.attempt + 1 };
    const terms: BodyOf<'round.reopen'> = {
      ...{ burnt: this.fields.attempt, consistency: digestText(server.h3), modelHash: this.modelIn },
      ...{ planHash: this.log.planHash, contributors: [...contributors], proof: null, signatures: [] },
    };
    const digest = reopenSigningBytes(scope, terms);
    const sign = (admin: number): string =>
      encode64(signEd25519(SampleFederation.seed('administrator', String(admin)), digest));
    const signatures = [1, 2, 3].map((admin) => ({ admin, signature: sign(admin) }));
    this.log.write(coordinator, 'round.reopen', scope, { ...terms, signatures });
    return this;
  }

  /** Write what sites and coordinator say about the sum. */
  close(): this {
    const { u3 } = this.state.server;
    const { contributions, unmasks, answered } = this.siteEntries();
    const { number, attempt } = this.fields;
    for (const [id, upload] of this.state.uploads) this.log.masked.set(`${number}-${attempt}/${id}`, upload);
    this.add(coordinator, 'round.aggregate', this.aggregate(contributions, unmasks, answered));
    for (const id of u3) {
      const audited = { tiles: [0], count: 1, result: 'agree' as const };
      this.site(id, 'round.ack', { context: this.context, modelOut: this.modelOut, receipt: null, audited });
    }
    return this;
  }

  /** What the survivors say before their commits, and who answers before its answer. */
  private siteEntries(): { contributions: number[]; unmasks: number[]; answered: number[] } {
    const { context, modelIn } = this;
    const size = this.log.gateSize(this.start);
    const gate = { size, root: digestText(this.log.rootAt(size)) };
    const { privacy } = this.log;
    const facts = {
      ...{ context, modelIn, gate, specification: this.specification() },
      ...(privacy ? { charge: sampleCharge(privacy, this.fields.number) } : {}),
    };
    const contributions = this.state.server.u3.map((id) => {
      const body = contributionBody(this.state, id, facts);
      const index = this.site(id, 'round.contribution', body);
      if (this.log.egress.includes(id)) this.site(id, 'egress.receipt', receiptBody(this.state, body));
      return index;
    });
    const answered = respondersOf(this.state, this.fields.losses);
    const unmasks = answered.map((id) =>
      this.site(id, 'round.unmask', unmaskBody(this.state, id, context, this.log)),
    );
    return { contributions, unmasks, answered };
  }

  private open({ manifest, coordinatorSignature }: TestCohort): void {
    const body: BodyOf<'round.open'> = {
      purpose: (['train', 'statistics', 'evaluation'] as const)[this.fields.purpose],
      ...{ stepId: this.fields.stepId, arm: 0 },
      manifest: this.log.attach(encodeManifest(manifest), MediaType.manifest),
      ...{ manifestSignature: encode64(coordinatorSignature), context: this.context, modelIn: this.modelIn },
      ...{ invited: manifest.roles.map(({ id }) => id), rosterHash: digestText(manifest.rosterHash) },
      previousTranscript: digestText(manifest.prevTranscriptHash),
      deadlines: manifest.deadlines.map((at) => new Date(at).toISOString()),
      ...this.log.end(),
    };
    this.add(coordinator, 'round.open', body);
  }

  private aggregate(
    contributions: number[],
    unmasks: number[],
    answered: number[],
  ): BodyOf<'round.aggregate'> {
    const { server } = this.state;
    const { unmasking, sum } = sampleSum(this.state);
    const aggRoot = rootOfBytes(sum);
    const { responders } = unmasking;
    const { T } = server.transcript({ aggRoot, modelHash: digestBytes(this.modelOut), responders });
    const { u1, u2, u3, h1, h2, h3 } = server;
    return {
      ...{ context: this.context, u1, u2, u3 },
      ...{ h1: digestText(h1), h2: digestText(h2), h3: digestText(h3) },
      dropped: droppedOf(server),
      ...{ contributions: kept(contributions), unmasks: kept(unmasks) },
      ...{
        thresholds: thresholdsOf(server.manifest, rosterViewOf(this.log.federation.roster), u1.length),
        aggregateRoot: digestText(aggRoot),
      },
      ...{ transcript: digestText(T), closeSignature: this.signT('CLOSE', T), serverNoise: null },
      ...{ strategy: this.fields.purpose === 0 ? 'fed-avg' : null, modelOut: this.modelOut },
      ...(this.fields.figures ? { figures: this.fields.figures } : {}),
      ...{ coverage: { sites: u3.length, band: '500+' }, worker: 'worker-0', fence: 1 },
      evidence: this.log.attach(evidenceBytes(this.state, answered, responders), MediaType.roundEvidence),
    };
  }

  private specification(): string {
    for (let round: SampleRound | undefined = this.previous; round !== undefined; round = round.previous) {
      if (round.fields.purpose === 1) return round.modelOut;
    }
    return digestText(sha256(utf8('nothing is fitted')));
  }

  private signT(tag: 'CLOSE' | 'ABORT', T: Uint8Array): string {
    this.transcript = digestText(T);
    return encode64(signTranscript(this.log.federation.statementSeed, this.state.server.ctx, tag, T));
  }

  private site<K extends Kind>(id: number, kind: K, body: BodyOf<K>): number {
    return this.add(['site', `site-${id}`], kind, body);
  }

  private add<K extends Kind>(actor: readonly [ActorType, string], kind: K, body: BodyOf<K>): number {
    return this.log.write(actor, kind, this.scope as ScopeOf<K>, body);
  }
}
