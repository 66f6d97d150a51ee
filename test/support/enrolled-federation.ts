import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { exampleFile, freePorts, programs, simulatedLayout, Supervisor } from '@regulon/cli/sim';
import { parsePlan, type Plan } from '@regulon/shared/plan';
import { simulatedDataPlan } from './toy-plan.js';

const program = fileURLToPath(new URL('../../cli/bin/regulon.js', import.meta.url));

/** What a command of `regulon` printed and how it ended. */
export interface Ran {
  readonly code: number;
  readonly err: string;
  /** of the JSON envelope */
  readonly data: Record<string, unknown>;
}

/** Run one command of `regulon` as a process of its own. */
export function regulon(...args: readonly string[]): Promise<Ran> {
  const command = ['--disable-warning=ExperimentalWarning', program, ...args, '--format', 'json'];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { maxBuffer: 64 << 20 }, (error, out, err) => {
      const code = error ? Number(error.code ?? 5) : 0;
      const { data } = JSON.parse(out === '' ? '{"data":null}' : out) as { data: Ran['data'] | null };
      resolve({ code, err, data: data ?? {} });
    });
  });
}

/** As `regulon`, for a command that succeeds. */
export async function done(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, err, data } = await regulon(...args);
  if (code !== 0) throw new Error(`regulon ${args.slice(0, 2).join(' ')} ended with ${code}: ${err}`);
  return data;
}

/** A small plan over simulated data of three sites. */
const threeSitePlan = (): Plan =>
  parsePlan(
    simulatedDataPlan(['east', 'north', 'south'], {
      name: 'enrolled',
      training: { rounds: 1, optimizer: { name: 'adam' } },
      secureAggregation: { weightCap: 128, nMin: 3, gamma: { num: 0, den: 1 } },
    }),
  );

/** Folders of a founder and of sites that join by files, each step a command as a person gives it. */
export class EnrolmentWalk {
  readonly founder: string;
  readonly sites: readonly string[];

  constructor(
    readonly root: string,
    readonly plan: Plan = threeSitePlan(),
  ) {
    this.founder = join(root, 'founder');
    this.sites = plan.sites;
    mkdirSync(this.mail);
  }

  /** where files travel from one party to another */
  get mail(): string {
    return join(this.root, 'mail');
  }

  site(name: string): string {
    return join(this.root, name);
  }

  letter(name: string): string {
    return join(this.mail, name);
  }

  config(name: string): string {
    return join(this.site(name), 'daemon.yaml');
  }

  get researcherKey(): string {
    return join(this.root, 'researcher.key');
  }

  /** Where the REST interface of the coordinator listens; 0 before `create`. */
  httpPort = 0;

  /** `fed create`, on free ports of loopback. @param more of its options */
  async create(...more: readonly string[]): Promise<void> {
    const { key } = await done('fed', 'key', this.researcherKey);
    const [control = 0, bulk = 0, http = 0] = await freePorts(3);
    this.httpPort = http;
    await done(
      ...['fed', 'create', this.founder, '--id', 'fed_walk', '--host', '127.0.0.1'],
      ...['--control-port', String(control), '--bulk-port', String(bulk), '--http-port', String(http)],
      ...['--min-sites', '3', '--gamma', '0/1', '--person', `researcher:researcher-1=${String(key)}`],
      ...more,
    );
  }

  /** Invite a site, let it join, admit its request. */
  async join(site: string): Promise<void> {
    const [invitation, request] = [
      this.letter(`${site}.invitation.json`),
      this.letter(`${site}.request.json`),
    ];
    await done(
      'fed',
      'invite',
      this.founder,
      '--site',
      site,
      '--org',
      `Hospital ${site}`,
      '--out',
      invitation,
    );
    await done('site', 'join', this.site(site), '--invitation', invitation, '--out', request);
    await done('fed', 'admit', this.founder, request);
  }

  /** A site reads what it is asked to sign, and signs that. @returns the signed file */
  async sign(site: string, change: string): Promise<string> {
    const out = this.letter(`${site}.signed.json`);
    const { digest } = await done('site', 'sign', change, '--folder', this.site(site), '--dry-run');
    await done('site', 'sign', change, '--folder', this.site(site), '--digest', String(digest), '--out', out);
    return out;
  }

  /** From the first invitation to the file that every site installs. @param more options of `create` @returns its path */
  async found(...more: readonly string[]): Promise<string> {
    await this.create(...more);
    for (const site of this.sites) await this.join(site);
    const [change, next] = [this.letter('change.json'), this.letter('next.json')];
    await done('fed', 'propose', this.founder, '--out', change);
    const administrators = this.sites.slice(0, 2);
    const signed: string[] = [];
    for (const site of administrators) signed.push(await this.sign(site, change));
    await done('fed', 'collect', this.founder, ...signed, '--out', next);
    const whole: string[] = [];
    for (const site of this.sites) whole.push(await this.sign(site, next));
    const federation = this.letter('federation.json');
    await done('fed', 'collect', this.founder, ...whole, '--out', federation);
    return federation;
  }

  /** Every site installs the federation over its own simulated data. @param policy of each site */
  async install(
    federation: string,
    policy: string = exampleFile('site-policy.small-public.yaml'),
  ): Promise<void> {
    const { sites } = simulatedLayout(this.plan, join(this.root, 'data'), this.plan.seed);
    for (const { name, ...files } of sites) {
      const dataset = join(this.site(name), 'dataset.yaml');
      writeFileSync(dataset, stringify({ ...this.plan.dataset, ...files, simulated: true }));
      await done(
        ...['site', 'install', federation, '--folder', this.site(name), '--backend', 'wasm'],
        ...['--dataset', dataset, '--policy', policy],
      );
    }
  }

  /** A site changes its TLS key; the founder certifies it, and everybody else again. */
  async renew(site: string): Promise<void> {
    const [renewal, federation] = [this.letter(`${site}.renewal.json`), this.letter('renewed.json')];
    await done('site', 'renew', '--folder', this.site(site), '--out', renewal);
    await done('fed', 'renew', this.founder, renewal, '--out', federation);
    await done('site', 'install', federation, '--folder', this.site(site));
  }

  /** The coordinator and one daemon start again, with what lies in their folders now. */
  async restart(supervisor: Supervisor, site: string): Promise<void> {
    await Promise.all([supervisor.stop('coordinator'), supervisor.stop(site)]);
    await Promise.all([
      supervisor.start('coordinator', programs.coordinator, ['--config', this.coordinatorConfig]),
      supervisor.start(site, programs.daemon, ['run', '--config', this.config(site)]),
    ]);
  }

  private get coordinatorConfig(): string {
    return join(this.founder, 'coordinator', 'coordinator.yaml');
  }

  /** The coordinator and every daemon, each from its own folder. */
  async start(): Promise<Supervisor> {
    const supervisor = new Supervisor(join(this.root, 'logs'));
    await Promise.all([
      supervisor.start('coordinator', programs.coordinator, ['--config', this.coordinatorConfig]),
      ...this.sites.map((site) =>
        supervisor.start(site, programs.daemon, ['run', '--config', this.config(site)], 'behind'),
      ),
    ]);
    return supervisor;
  }

  /** A steward reads what is to be signed, and signs that. */
  async steward(site: string, ...command: readonly string[]): Promise<Record<string, unknown>> {
    const args = ['site', ...command, '--config', this.config(site)];
    const { digest } = await done(...args, '--dry-run');
    return done(...args, '--digest', String(digest));
  }

  /** Options of a researcher's commands. */
  get researcher(): string[] {
    return [
      ...['--federation', join(this.founder, 'federation')],
      ...['--token-file', join(this.founder, 'coordinator', 'token')],
    ];
  }
}
