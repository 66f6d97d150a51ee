import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { digestOfRoster, federationFileSchema } from '@regulon/cli/enrolment';
import { readJsonFile } from '@regulon/cli/files';
import { exampleFile, programs, simulatedLayout, type Supervisor } from '@regulon/cli/sim';
import { parsePlan, type Plan } from '@regulon/shared/plan';
import { done, EnrolmentWalk } from './enrolled-federation.js';
import { simulatedDataPlan } from './toy-plan.js';

/** A small plan over simulated data of some of the sites. */
export const planOf = (name: string, sites: string[]): Plan =>
  parsePlan(
    simulatedDataPlan(sites, {
      name,
      training: { rounds: 1, optimizer: { name: 'adam' } },
      secureAggregation: { weightCap: 128, nMin: 3, gamma: { num: 0, den: 1 } },
    }),
  );

/** The walk of a federation whose members change after its founding. */
export class MembershipWalk extends EnrolmentWalk {
  /** Administrators sign an open change; the founder collects. @returns the file that goes to every member */
  async agree(name: string, signers: readonly string[]): Promise<string> {
    const federation = this.letter(`${name}.federation.json`);
    const signed: string[] = [];
    for (const site of signers) signed.push(await this.sign(site, this.letter(`${name}.json`)));
    await done('fed', 'collect', this.founder, ...signed, '--out', federation);
    return federation;
  }

  /** A newcomer installs the federation over its data in a plan. */
  async installNew(site: string, federation: string, plan: Plan): Promise<void> {
    const { sites } = simulatedLayout(plan, join(this.root, `data-${plan.name}`), plan.seed);
    const { name: _name, ...files } = sites.find(({ name }) => name === site)!;
    const dataset = join(this.site(site), 'dataset.yaml');
    writeFileSync(dataset, stringify({ ...plan.dataset, ...files, simulated: true }));
    const { changes } = readJsonFile(federation, federationFileSchema, 'E_ROSTER');
    const digest = digestOfRoster(changes.at(-1)!.roster);
    await done(
      ...[
        'site',
        'install',
        federation,
        '--folder',
        this.site(site),
        '--backend',
        'wasm',
        '--digest',
        digest,
      ],
      ...['--dataset', dataset, '--policy', exampleFile('site-policy.small-public.yaml')],
    );
  }

  /** Members install the next roster, each beside the configuration that it has. */
  async update(federation: string, sites: readonly string[]): Promise<void> {
    for (const site of sites) await done('site', 'install', federation, '--folder', this.site(site));
  }

  /** Everybody stops; the coordinator and these daemons start. */
  async turnOver(supervisor: Supervisor, before: readonly string[], after: readonly string[]): Promise<void> {
    await Promise.all(['coordinator', ...before].map((name) => supervisor.stop(name)));
    const config = join(this.founder, 'coordinator', 'coordinator.yaml');
    await Promise.all([
      supervisor.start('coordinator', programs.coordinator, ['--config', config]),
      ...after.map((site) =>
        supervisor.start(site, programs.daemon, ['run', '--config', this.config(site)], 'behind'),
      ),
    ]);
  }

  /** A plan is proposed, approved by its sites, and run. @returns its state at the end */
  async run(plan: Plan): Promise<Record<string, unknown>> {
    const file = join(this.root, `${plan.name}.yaml`);
    writeFileSync(file, stringify(plan));
    const { run } = await done(
      ...['run', 'submit', file, '--key', this.researcherKey, '--yes', ...this.researcher],
    );
    for (const site of plan.sites) await this.steward(site, 'approve', plan.name);
    return done('run', 'watch', String(run), ...this.researcher);
  }
}
