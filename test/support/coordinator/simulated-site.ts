import { equalBytes, rootOfBytes } from '@regulon/shared/crypto';
import type { Roster } from '@regulon/shared/plan';
import { runName } from '@regulon/shared/program';
import {
  decodeManifest,
  encodeManifest,
  encodeMessage,
  type Manifest,
  MaskEngine,
  type RosterView,
  SecAggClient,
  type ShareKeys,
  TILE_BYTES,
  vectorLength,
} from '@regulon/shared/secagg';
import type { SampleFederation } from '@regulon/shared/transparency-samples';
import { type Notice, type Request, type RequestOf, uploadIdOf } from '@regulon/shared/wire';
import { SiteEntries } from './site-entries.js';
import { type AttemptRef, type DirectGateway, SiteLink } from './site-link.js';
import { SiteProgram } from './site-program.js';

/** A stage of a round is open. */
export type StageNotice = Extract<Notice, { type: 'stage' }>;

/** What a test changes about a site. */
export interface SiteBehaviour {
  /** called before a stage is handled; may wait or throw, then the site does nothing at this stage */
  before?(site: SimulatedSite, notice: StageNotice): void | Promise<void>;
  /** what it deals in place of an honest message */
  deal?(site: SimulatedSite, honest: ShareKeys, client: SecAggClient, round: number): ShareKeys;
  /** changes what it sends in place of an honest vector, before the masks */
  poison?(vector: Uint8Array, manifest: Manifest): void;
  /** number of its units */
  units?: number;
}

/** Who a simulated site is. */
export interface SiteIdentity {
  readonly id: number;
  readonly name: string;
  readonly federation: SampleFederation;
  readonly roster: Roster;
  readonly rosterView: RosterView;
}

/** An attempt that the site has joined. */
interface JoinedAttempt {
  readonly client: SecAggClient;
  readonly manifest: Manifest;
  /** the masked vector and the cohort it is masked for, once made */
  upload?: { readonly vector: Uint8Array; readonly h2: Uint8Array };
}

/**
 * A site that speaks to a coordinator's gateway directly: the real protocol client and the real program, made-up data.
 */
export class SimulatedSite {
  private readonly link: SiteLink;
  private readonly entries: SiteEntries;
  private readonly programs = new Map<string, SiteProgram>();
  private readonly attempts = new Map<string, JoinedAttempt>();
  private readonly engine = new MaskEngine();
  private unwatch: (() => void) | null = null;
  private work: Promise<void> = Promise.resolve();
  private generation = 0;
  /** what its stages threw */
  readonly failures: unknown[] = [];

  constructor(
    readonly identity: SiteIdentity,
    gateway: DirectGateway,
    readonly behaviour: SiteBehaviour = {},
  ) {
    const { id, name, federation } = identity;
    this.link = new SiteLink(id, gateway);
    this.entries = new SiteEntries(this.link, name, this.units, federation);
  }

  get id(): number {
    return this.identity.id;
  }

  get name(): string {
    return this.identity.name;
  }

  get units(): number {
    return this.behaviour.units ?? 20 + 4 * this.id;
  }

  /** @param digest of what the site's steward has set */
  usePolicy(digest: string): void {
    this.entries.policy = digest;
  }

  connect(gateway: DirectGateway = this.link.gateway): void {
    this.link.gateway = gateway;
    const generation = ++this.generation;
    this.unwatch = gateway.control.watch(this.id, (notice) => {
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

  ask<T extends Request['type']>(request: RequestOf<T>): ReturnType<SiteLink['ask']> {
    return this.link.ask(request);
  }

  /** Weights of an arm of a run as this site derived them. */
  async weights(run: Uint8Array, arm: number): Promise<Float32Array> {
    return Float32Array.from((await this.programOf(run)).weightsOf(arm));
  }

  private async handle(notice: StageNotice, generation: number): Promise<void> {
    if (generation !== this.generation) return;
    await this.behaviour.before?.(this, notice);
    if (generation !== this.generation) return;
    const { run, round, attempt, stage } = notice;
    const ref = { run, round, attempt };
    switch (stage) {
      case 'r0':
        return this.advertise(ref);
      case 'r1':
        return this.shareKeys(ref);
      case 'r2':
        return this.contribute(ref);
      case 'r3':
        return this.confirm(ref);
      case 'r4':
        return this.answer(ref);
      case 'closed':
      case 'aborted':
        this.attempts.delete(keyOf(ref));
    }
  }

  private async advertise(ref: AttemptRef): Promise<void> {
    const { run, round } = ref;
    const program = await this.programOf(run);
    const [item] = await this.link.fetch({ type: 'manifest', run, round });
    if (!item) throw new Error('no manifest');
    const manifest = decodeManifest(item.manifest);
    const expected = await program.expected(round, manifest);
    if (!equalBytes(item.manifest, encodeManifest(expected)))
      throw new Error('the manifest is not what the plan implies');
    const joined = this.attempts.get(keyOf(ref)) ?? this.join(manifest, item.signature);
    this.attempts.set(keyOf(ref), joined);
    const message = encodeMessage('advertise', joined.client.advertise());
    await this.ask({ type: 'advertise', ...ref, message });
  }

  private join(manifest: Manifest, coordinatorSignature: Uint8Array): JoinedAttempt {
    const { id, name, federation, rosterView: roster } = this.identity;
    const { seed } = federation.signer('site', name);
    const input = { manifest, coordinatorSignature, roster, id, seed, allowSubCohorts: true };
    return { manifest, client: SecAggClient.join(input) };
  }

  private async shareKeys(ref: AttemptRef): Promise<void> {
    const list = await this.link.messages('advertised', ref);
    const { client } = this.attempt(ref);
    const honest = client.shareKeys(list);
    const message = encodeMessage('shares', this.behaviour.deal?.(this, honest, client, ref.round) ?? honest);
    await this.ask({ type: 'shareKeys', ...ref, message });
  }

  private async contribute(ref: AttemptRef): Promise<void> {
    const joined = this.attempt(ref);
    const { client, manifest } = joined;
    const { vector, h2 } = (joined.upload ??= await this.maskedVector(ref, joined));
    const commit = client.commit(rootOfBytes(vector), vectorLength(manifest));
    await this.entries.send();
    const uploadId = uploadIdOf(client.ctx, h2, this.id);
    const receipt = await this.link.upload(ref, uploadId, vector, encodeMessage('commit', commit));
    if (receipt.length !== 64) throw new Error('no receipt');
    client.confirmUpload();
  }

  private async maskedVector(
    ref: AttemptRef,
    { client, manifest }: JoinedAttempt,
  ): Promise<{ vector: Uint8Array; h2: Uint8Array }> {
    const { masks, h2 } = client.maskPlan(await this.link.messages('deliveries', ref));
    const program = await this.programOf(ref.run);
    const vector = program.vectorOf(ref.round, manifest);
    this.behaviour.poison?.(vector, manifest);
    for (let at = 0; at < vector.length; at += TILE_BYTES)
      this.engine.maskTile(vector.subarray(at, at + TILE_BYTES), at, masks, manifest.ringBits);
    const root = rootOfBytes(vector);
    client.commit(root, vectorLength(manifest));
    const specification = program.specificationDigest(manifest.arm);
    this.entries.contribution(ref, { client, manifest, h2, root, specification });
    return { vector, h2 };
  }

  private async confirm(ref: AttemptRef): Promise<void> {
    const list = await this.link.messages('survivors', ref);
    const message = encodeMessage('consistency', this.attempt(ref).client.consistency(list));
    await this.ask({ type: 'consistency', ...ref, message });
  }

  private async answer(ref: AttemptRef): Promise<void> {
    const { client } = this.attempt(ref);
    const list = await this.link.messages('signatures', ref);
    const answer = client.unmask(list);
    await this.entries.unmask(ref, client, list, answer);
    await this.entries.send();
    await this.ask({ type: 'unmask', ...ref, message: encodeMessage('answer', answer) });
  }

  private attempt(ref: AttemptRef): JoinedAttempt {
    const joined = this.attempts.get(keyOf(ref));
    if (!joined) throw new Error(`${this.name} has not joined ${keyOf(ref)}`);
    return joined;
  }

  private async programOf(run: Uint8Array): Promise<SiteProgram> {
    const name = runName(run);
    const program =
      this.programs.get(name) ?? (await SiteProgram.open(this.link, this.identity.roster, run, this.units));
    this.programs.set(name, program);
    return program;
  }
}

const keyOf = ({ run, round, attempt }: AttemptRef): string => `${runName(run)}/${round}/${attempt}`;
