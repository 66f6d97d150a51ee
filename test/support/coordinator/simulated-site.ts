import { rootOfBytes } from '@regulon/shared/crypto';
import { specificationDigest } from '@regulon/shared/genomics';
import {
  decodeContractFile,
  contractOf,
  encodeEvaluation,
  encodeExtras,
  parseRunName,
  Purpose,
  RunProgram,
  type ScheduledRound,
  weightOf,
} from '@regulon/shared/program';
import type { Roster } from '@regulon/shared/plan';
import {
  decodeFixed,
  decodeManifest,
  decodeMessage,
  encodeFixed,
  encodeMessage,
  hashOfAnswer,
  type Manifest,
  MaskEngine,
  packIntegers,
  type RosterView,
  SecAggClient,
  TILE_BYTES,
  unpackIntegers,
  vectorLength,
} from '@regulon/shared/secagg';
import {
  attachmentOf,
  bandOf,
  digestText,
  encodeConsistencySignatures,
  MediaType,
} from '@regulon/shared/transparency';
import type { SampleFederation } from '@regulon/shared/transparency-samples';
import {
  CHUNK_BYTES,
  type ItemOf,
  type Notice,
  type Query,
  type QueryOf,
  type ReplyOf,
  type Request,
  type RequestOf,
  uploadIdOf,
} from '@regulon/shared/wire';
import type { SiteGateway } from '@regulon/coordinator/transport';

type StageNotice = Extract<Notice, { type: 'stage' }>;

/** What a test changes about a site. */
export interface SiteBehaviour {
  /** called before a stage is handled; may wait or throw, then the site does nothing at this stage */
  before?(site: SimulatedSite, notice: StageNotice): void | Promise<void>;
  /** number of its units */
  units?: number;
}

/**
 * A site that speaks to a coordinator's gateway directly: the real protocol client and the real program, made-up data.
 *
 * Its training moves weight k by (id·(k+1) mod 7 − 3) / 100, so that a test can recompute the model.
 */
export class SimulatedSite {
  private readonly programs = new Map<string, RunProgram>();
  private readonly models = new Map<string, Float32Array>();
  private readonly clients = new Map<
    string,
    { client: SecAggClient; manifest: Manifest; h2?: Uint8Array; upload?: Uint8Array }
  >();
  private readonly engine = new MaskEngine();
  /** entries that the log does not have yet, in their order */
  private readonly outbox: Uint8Array[] = [];
  private readonly written = new Set<string>();
  private unwatch: (() => void) | null = null;
  private work: Promise<void> = Promise.resolve();
  private generation = 0;
  readonly failures: unknown[] = [];
  ended: string[] = [];

  constructor(
    readonly id: number,
    readonly name: string,
    private readonly federation: SampleFederation,
    private readonly roster: Roster,
    private readonly rosterView: RosterView,
    private gateway: SiteGateway,
    readonly behaviour: SiteBehaviour = {},
  ) {}

  connect(gateway: SiteGateway = this.gateway): void {
    this.gateway = gateway;
    const generation = ++this.generation;
    this.unwatch = gateway.watch(this.id, (notice) => {
      if (notice.type === 'run' && (notice.state === 'finished' || notice.state === 'aborted'))
        this.ended.push(notice.state);
      if (notice.type !== 'stage' || generation !== this.generation) return;
      this.work = this.work
        .then(() => this.handle(notice, generation))
        .catch((error: unknown) => void this.failures.push(error));
    });
  }

  disconnect(): void {
    this.generation++;
    this.unwatch?.();
    this.unwatch = null;
  }

  get units(): number {
    return this.behaviour.units ?? 20 + 4 * this.id;
  }

  async ask<T extends Request['type']>(request: RequestOf<T>): Promise<ReplyOf<T>> {
    return (await this.gateway.exchange(this.id, request)) as unknown as ReplyOf<T>;
  }

  async fetch<T extends Query['type']>(query: QueryOf<T>): Promise<ItemOf<T>[]> {
    const items: ItemOf<T>[] = [];
    for await (const item of this.gateway.fetch(this.id, query)) items.push(item as unknown as ItemOf<T>);
    return items;
  }

  private async handle(notice: StageNotice, generation: number): Promise<void> {
    if (generation !== this.generation) return;
    await this.behaviour.before?.(this, notice);
    if (generation !== this.generation) return;
    const { run, round, attempt, stage } = notice;
    const name = Buffer.from(run).toString('hex');
    const key = `${name}/${round}/${attempt}`;
    const ref = { run, round, attempt };
    switch (stage) {
      case 'r0':
        await this.advertise(name, key, ref);
        return;
      case 'r1': {
        const list = await this.messages('advertised', ref, 'advertise');
        const message = encodeMessage('shares', this.attempt(key).client.shareKeys(list));
        await this.ask({ type: 'shareKeys', ...ref, message });
        return;
      }
      case 'r2':
        return this.contribute(name, key, ref);
      case 'r3': {
        const list = await this.messages('survivors', ref, 'survivor');
        await this.ask({
          type: 'consistency',
          ...ref,
          message: encodeMessage('consistency', this.attempt(key).client.consistency(list)),
        });
        return;
      }
      case 'r4':
        return this.answer(key, ref);
      case 'closed':
      case 'aborted':
        this.clients.delete(key);
    }
  }

  private async advertise(
    name: string,
    key: string,
    ref: { run: Uint8Array; round: number; attempt: number },
  ): Promise<void> {
    const program = await this.programAt(name, ref);
    const [item] = await this.fetch({ type: 'manifest', run: ref.run, round: ref.round });
    if (!item) throw new Error('no manifest');
    const manifest = decodeManifest(item.manifest);
    const expected = program.manifest(program.schedule[ref.round] as ScheduledRound, manifest);
    if (JSON.stringify(manifest) !== JSON.stringify(expected))
      throw new Error('the manifest is not what the plan implies');
    const known = this.clients.get(key);
    const client = known ?? {
      manifest,
      client: SecAggClient.join({
        ...{ manifest, coordinatorSignature: item.signature, roster: this.rosterView, id: this.id },
        seed: this.federation.signer('site', this.name).seed,
      }),
    };
    this.clients.set(key, client);
    await this.ask({
      type: 'advertise',
      ...ref,
      message: encodeMessage('advertise', client.client.advertise()),
    });
  }

  private async contribute(
    name: string,
    key: string,
    ref: { run: Uint8Array; round: number; attempt: number },
  ): Promise<void> {
    const attempt = this.attempt(key);
    const { client, manifest } = attempt;
    if (!attempt.upload) {
      const { masks, h2 } = client.maskPlan(await this.messages('deliveries', ref, 'delivery'));
      const program = await this.programAt(name, ref);
      const vector = this.vectorOf(name, program, program.schedule[ref.round] as ScheduledRound, manifest);
      for (let at = 0; at < vector.length; at += TILE_BYTES) {
        this.engine.maskTile(vector.subarray(at, at + TILE_BYTES), at, masks, manifest.ringBits);
      }
      attempt.h2 = h2;
      attempt.upload = vector;
      const root = rootOfBytes(vector);
      client.commit(root, vectorLength(manifest));
      this.logContribution(ref, attempt, root, specificationDigest(program.specification(manifest.arm)));
    }
    await this.drain();
    const h2 = attempt.h2 as Uint8Array;
    const commit = client.commit(rootOfBytes(attempt.upload), vectorLength(manifest));
    const lease = await this.ask({ type: 'acquireLease', ...ref });
    const uploadId = uploadIdOf(client.ctx, h2, this.id);
    const session = await this.gateway.uploads.open(this.id, { uploadId, leaseId: lease.leaseId });
    for (let at = session.offset; at < attempt.upload.length; at += 262_144)
      await session.write(attempt.upload.subarray(at, at + 262_144));
    const receipt = await session.commit(encodeMessage('commit', commit));
    if (receipt.length !== 64) throw new Error('no receipt');
    client.confirmUpload();
  }

  private logContribution(
    ref: { run: Uint8Array; round: number; attempt: number },
    { manifest, client, h2 }: { manifest: Manifest; client: SecAggClient; h2?: Uint8Array },
    root: Uint8Array,
    specification: Uint8Array,
  ): void {
    const zero = digestText(new Uint8Array(32));
    const at = new Date().toISOString();
    const scope = {
      run: `run_${Buffer.from(ref.run).toString('hex')}`,
      round: ref.round,
      attempt: ref.attempt,
    };
    const role =
      manifest.roles.find((r) => r.id === this.id)?.role === 1
        ? ('silent' as const)
        : ('contributor' as const);
    const entry = this.federation.entry(['site', this.name], 'round.contribution', scope, {
      ...{ context: digestText(client.ctx), role, modelIn: digestText(manifest.modelHash) },
      ...{
        code: zero,
        daemon: '0.1.0',
        policy: this.policyDigest,
        dataset: 'toy',
        datasetVersion: 1,
        commitment: this.commitment,
      },
      ...{ featureSpecification: digestText(specification), cohort: digestText(h2 as Uint8Array) },
      maskedInput: { length: vectorLength(manifest), root: digestText(root) },
      ...{
        charge: null,
        cached: null,
        sampler: null,
        band: bandOf(this.units),
        window: { start: at, end: at },
      },
      ...{ gate: { size: 1, root: zero }, attestation: null },
    });
    this.outbox.push(entry);
  }

  policyDigest = digestText(new Uint8Array(32));
  commitment = digestText(new Uint8Array(32).fill(9));

  private async answer(key: string, ref: { run: Uint8Array; round: number; attempt: number }): Promise<void> {
    const { client } = this.attempt(key);
    const list = await this.messages('signatures', ref, 'consistency');
    const answer = client.unmask(list);
    const signatures = encodeConsistencySignatures(list);
    await this.ask({ type: 'putAttachment', bytes: signatures });
    const about = (kind: 0 | 1): number[] =>
      answer.entries.filter((e) => e.kind === kind).map((e) => e.about);
    const scope = {
      run: `run_${Buffer.from(ref.run).toString('hex')}`,
      round: ref.round,
      attempt: ref.attempt,
    };
    const h3 = client.h3();
    if (this.first(`unmask ${key}`)) {
      const entry = this.federation.entry(['site', this.name], 'round.unmask', scope, {
        ...{ context: digestText(client.ctx), consistency: digestText(h3) },
        ...{ survivors: about(0), dropped: about(1), selfMask: about(0), maskKey: about(1) },
        answer: digestText(hashOfAnswer(client.ctx, h3, answer.entries)),
        signatures: attachmentOf(signatures, MediaType.consistencySignatures),
      });
      this.outbox.push(entry);
    }
    await this.drain();
    await this.ask({ type: 'unmask', ...ref, message: encodeMessage('answer', answer) });
  }

  /** Send what waits, in order; what fails stays for the next time. */
  private async drain(): Promise<void> {
    for (let entry = this.outbox[0]; entry; entry = this.outbox[0]) {
      await this.ask({ type: 'appendEntry', entry });
      this.outbox.shift();
    }
  }

  /** True the first time: each entry is written once. */
  private first(name: string): boolean {
    return !this.written.has(name) && this.written.add(name).size > 0;
  }

  private attempt(key: string) {
    const attempt = this.clients.get(key);
    if (!attempt) throw new Error(`${this.name} has not joined ${key}`);
    return attempt;
  }

  private async messages<K extends 'advertise' | 'delivery' | 'survivor' | 'consistency'>(
    type: 'advertised' | 'deliveries' | 'survivors' | 'signatures',
    ref: { run: Uint8Array; round: number; attempt: number },
    kind: K,
  ) {
    const items = (await this.fetch({ type, ...ref })) as readonly { message: Uint8Array }[];
    return items.map((item) => decodeMessage(kind, item.message));
  }

  /** The program of a run, after all rounds before this one. */
  private async programAt(
    name: string,
    { run, round }: { run: Uint8Array; round: number },
  ): Promise<RunProgram> {
    let program = this.programs.get(name);
    if (!program) {
      const [item] = await this.fetch({ type: 'runContract', run });
      if (!item) throw new Error('no contract');
      const file = decodeContractFile(item.contract);
      const panel = { digest: Uint8Array.from(Buffer.from(file.panel.digest, 'hex')), size: file.panel.size };
      const { plan, isPublic } = file;
      program = new RunProgram(
        contractOf({ runId: parseRunName(file.run), plan, roster: this.roster, panel, isPublic }),
      );
      this.programs.set(name, program);
    }
    for (let next = program.next(); next && next.round < round; next = program.next())
      await this.complete(name, program, run, next);
    const due = program.next();
    if (due?.purpose === Purpose.train) this.weightsOf(name, program, due.arm);
    return program;
  }

  private async complete(
    name: string,
    program: RunProgram,
    run: Uint8Array,
    round: ScheduledRound,
  ): Promise<void> {
    const items = await this.fetch({ type: 'closed', run, round: round.round });
    const close = items.findLast((item) => item.outcome === 'closed');
    if (!close) throw new Error(`round ${round.round} has not closed`);
    const digestPrefix = close.aggregateRoot.subarray(0, 16);
    const download = await this.gateway.uploads.download(this.id, { digestPrefix, offset: 0 });
    const pieces: Uint8Array[] = [];
    for await (const piece of download.chunks(CHUNK_BYTES)) pieces.push(Uint8Array.from(piece));
    const words = new Uint8Array(Buffer.concat(pieces));
    if (Buffer.compare(rootOfBytes(words), close.aggregateRoot) !== 0) throw new Error('wrong aggregate');
    const survivors = (
      await this.messages('survivors', { run, round: round.round, attempt: close.attempt }, 'survivor')
    ).map((s) => s.id);
    const ringBits = round.purpose === Purpose.train ? 32 : 64;
    const split = words.length - ((1 + program.extras(round).length) * ringBits) / 8;
    const extras = program.decodeExtras(round, unpackIntegers(words.slice(split), ringBits));
    if (round.purpose !== Purpose.train) {
      program.complete(round, {
        survivors,
        extras,
        sums: decodeFixed(words.slice(0, split), program.fractionBits(round)),
      });
      return;
    }
    const weights = this.weightsOf(name, program, round.arm);
    program.serverStep(extras.weight).tile(weights, new Int32Array(words.buffer, 0, split / 4), weights);
    const modelHash = rootOfBytes(new Uint8Array(weights.buffer));
    if (Buffer.compare(modelHash, close.modelHash) !== 0) throw new Error('another model');
    program.complete(round, { survivors, extras, modelHash });
  }

  private weightsOf(name: string, program: RunProgram, arm: number): Float32Array {
    const key = `${name}/${arm}`;
    const known = this.models.get(key);
    if (known) return known;
    const bytes = Buffer.concat(
      [...program.initialModel(arm)].map((p) => Buffer.from(p.buffer, p.byteOffset, p.byteLength)),
    );
    const weights = new Float32Array(bytes.length / 4);
    new Uint8Array(weights.buffer).set(bytes);
    this.models.set(key, weights);
    program.setInitialModel(arm, rootOfBytes(new Uint8Array(weights.buffer)));
    return weights;
  }

  private vectorOf(name: string, program: RunProgram, round: ScheduledRound, manifest: Manifest): Uint8Array {
    const width = manifest.ringBits / 8;
    const vector = new Uint8Array(vectorLength(manifest) * width);
    if (round.silent.includes(this.id)) return vector;
    const extras = (weight: number, values: Record<string, number>): void =>
      vector.set(
        packIntegers(encodeExtras(program.extras(round), weight, values), manifest.ringBits),
        manifest.d * width,
      );
    const { units: n } = this;
    if (round.purpose === Purpose.train) {
      const words = new Int32Array(vector.buffer, 0, manifest.d);
      const weight = weightOf(n, manifest.weightCap);
      for (let k = 0; k < words.length; k++) {
        const delta = (((this.id * (k + 1)) % 7) - 3) / 100;
        words[k] = Math.floor(((weight * delta) / manifest.C) * manifest.Q);
      }
      extras(weight, { fault: 0, loss: n / 2, correct: n / 4, count: n });
      return vector;
    }
    const values =
      round.purpose === Purpose.statistics
        ? program.step(round).local(this.view(program.contract.panel.size), program.specification(round.arm))
        : encodeEvaluation(program.contract, this.id, { count: 5, lossSum: 1, confusion: [2, 1, 0, 2] });
    const { words, clamped } = encodeFixed(values, manifest.fractionBits, program.bound(round));
    vector.set(words);
    extras(1, { fault: clamped > 0 ? 1 : 0 });
    return vector;
  }

  private view(genes: number) {
    const { units: n, id } = this;
    const values = Float64Array.from({ length: n * genes }, (_, i) => 1 + ((i * i * 31 + id * 17 + i) % 97));
    return { n, genes, values, labels: Int32Array.from({ length: n }, (_, i) => i % 2), classes: 2 };
  }
}
