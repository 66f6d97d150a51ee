import { join } from 'node:path';
import { type Core, type Environment, openCore } from '@regulon/coordinator/app';
import { InlineBulkChannel } from '@regulon/coordinator/bulk';
import type { Settings } from '@regulon/coordinator/config';
import { parseConfig } from '@regulon/coordinator/config';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { panelDigest } from '@regulon/shared/genomics';
import { parsePlan, planBytes, planHashOf } from '@regulon/shared/plan';
import { rosterViewOf } from '@regulon/shared/program';
import { attachmentOf, type BodyOf, digestText, MediaType } from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { toyPlan } from '../toy-plan.js';
import type { DirectGateway } from './site-link.js';
import { type SiteBehaviour, SimulatedSite } from './simulated-site.js';
import { COMMITMENT } from './site-entries.js';

const GENES = 12;

/** A coordinator without servers, in one folder, and sites that speak to its gateway. */
export class SimulatedFederation {
  readonly federation: SampleFederation;
  readonly sites: SimulatedSite[] = [];
  core!: Core;
  /** what the sites speak to */
  gateway!: DirectGateway;

  constructor(
    readonly folder: string,
    readonly count = 5,
    private readonly config: Readonly<Record<string, unknown>> = {},
    private readonly environment: Environment = {},
    policy: Partial<Settings['roster']['policy']> = {},
  ) {
    this.federation = new SampleFederation(count, () => new Date(), policy);
  }

  get settings(): Settings {
    const { federation, folder } = this;
    const file = (name: string): string => join(folder, name);
    const config = parseConfig(
      utf8(
        JSON.stringify({
          ...{ schema: 'regulon.coordinator/1', federation: folder, stateFolder: file('state') },
          ...{
            keys: { statement: 'a', log: 'b' },
            tls: { cert: 'c', key: 'd', ca: 'e' },
            bearerTokenFile: 'f',
          },
          logLevel: 'silent',
          ...this.config,
        }),
      ),
      folder,
    );
    const texts = federation.genesis.attachments.map((bytes) => Buffer.from(bytes).toString());
    const signedRoster = JSON.parse(
      texts.find((text) => text.startsWith('{')) ?? '',
    ) as Settings['signedRoster'];
    return {
      config,
      roster: federation.roster,
      signedRoster,
      rosterChanges: [],
      genesis: federation.genesisEntry,
      quorumPolicy: federation.genesis.quorumPolicy,
      keys: { statement: federation.statementSeed, log: federation.logSeed },
      tls: { cert: '', key: '', ca: '' },
      bearerToken: 'token',
    };
  }

  get names(): string[] {
    return this.federation.roster.members.map((m) => m.name);
  }

  /** Open the coordinator; once more after `close` it is a restart. */
  async open(): Promise<void> {
    const bulk: InlineBulkChannel[] = [];
    const newBulk: Environment['newBulk'] = (options) => {
      const channel = new InlineBulkChannel(options);
      bulk.push(channel);
      return channel;
    };
    this.core = await openCore(this.settings, { newBulk, ...this.environment });
    const [channel] = bulk;
    if (!channel) throw new Error('the core made no bulk channel');
    this.gateway = { control: this.core.gateway, bulk: channel.uploads };
    for (const site of this.sites) site.connect(this.gateway);
    this.core.runs.resume();
  }

  async close(): Promise<void> {
    for (const site of this.sites) site.disconnect();
    await this.core.close();
  }

  /** Sites that listen. */
  connect(behaviours: Readonly<Record<number, SiteBehaviour>> = {}): void {
    for (const { id, name } of this.federation.roster.members) {
      const { federation } = this;
      const { roster } = federation;
      const identity = { id, name, federation, roster, rosterView: rosterViewOf(roster) };
      const site = new SimulatedSite(identity, this.gateway, behaviours[id]);
      this.sites.push(site);
      site.connect();
    }
  }

  /** Policies and datasets of all sites. @param panels other genes at some sites */
  async prepare(panels: Readonly<Record<number, string>> = {}, isPublic = true): Promise<void> {
    for (const { id, name } of this.federation.roster.members) {
      const { entry, attachment } = this.federation.policy(name, { dataUse: [] });
      await this.core.intake.append(entry, [attachment]);
      this.sites.find((s) => s.id === id)?.usePolicy(digestText(sha256(attachment)));
      const genes = Array.from({ length: GENES }, (_, i) => `${panels[id] ?? 'G'}${i}`);
      const body: BodyOf<'dataset.commit'> = {
        ...{ dataset: 'toy', version: 1, commitment: COMMITMENT, schema: digestText(new Uint8Array(32)) },
        panel: { digest: digestText(panelDigest(genes)), size: GENES },
        ...{ band: '20-49', unit: 'patient', qualityReport: null, dataUse: [] },
        ...{ public: false, simulated: isPublic },
      };
      const others = isPublic ? [this.federation.signer('steward', name)] : [];
      await this.core.intake.append(
        this.federation.entry(['site', name], 'dataset.commit', {}, body, others),
      );
    }
  }

  /** Propose a plan and let every steward approve it. @returns `run_…` */
  async submit(
    value: Record<string, unknown> = toyPlan(this.names),
    approve: readonly string[] = this.names,
  ): Promise<string> {
    const plan = parsePlan(value);
    const { entry, bytes } = this.proposal(plan);
    const { run } = await this.core.runs.propose(entry, value, [bytes]);
    for (const name of approve) await this.core.intake.append(this.approval(name, planHashOf(plan)));
    this.core.runs.startQueued();
    return run;
  }

  proposal(plan: ReturnType<typeof parsePlan>): { entry: Uint8Array; bytes: Uint8Array } {
    const zero = digestText(new Uint8Array(32));
    const bytes = planBytes(plan);
    const sites = this.federation.roster.members.filter((m) => plan.sites.includes(m.name)).map((m) => m.id);
    const { gamma, nMin, weightCap, fractionBits, subCohort } = plan.secureAggregation;
    const planHash = digestText(planHashOf(plan));
    const body: BodyOf<'plan.propose'> = {
      ...{ name: plan.name, plan: attachmentOf(bytes, MediaType.json), planHash, purpose: plan.purpose },
      ...{ code: zero, provenance: null, architecture: zero, initialModel: null, privacy: null },
      secureAggregation: {
        ...{ gamma, nMin, quantization: 1, weightCap, fractionBits },
        ...(subCohort === undefined ? {} : { subCohort }),
      },
      ...{ sites, rounds: plan.training.rounds, requireAll: false },
    };
    const entry = this.federation.entry(['researcher', 'r1'], 'plan.propose', {}, body);
    return { entry, bytes };
  }

  approval(name: string, planHash: Uint8Array): Uint8Array {
    const policy = digestText(sha256(this.federation.policyBody(name).attachment));
    const body: BodyOf<'plan.approve'> = {
      ...{ planHash: digestText(planHash), policy, conditions: [] },
      ...{ dataset: 'toy', datasetVersion: 1, commitment: COMMITMENT },
      validUntil: new Date(Date.now() + 86_400_000).toISOString(),
    };
    return this.federation.entry(['steward', name], 'plan.approve', {}, body);
  }

  /** Wait for a run to end; at most so many ms. */
  async finished(run: string, withinMs = 240_000): Promise<ReturnType<Core['views']['run']>> {
    const end = Date.now() + withinMs;
    for (;;) {
      const document = this.core.views.run(run);
      if (['COMPLETED', 'COMPLETED_PARTIAL', 'ABORTED', 'FAILED'].includes(document.status)) return document;
      if (Date.now() > end) {
        const failures = this.sites.flatMap((s) => s.failures.map((f) => `${s.name}: ${String(f)}`));
        throw new Error(
          `the run is still ${document.status}: ${JSON.stringify(document.now)} ${failures.join('; ')}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
