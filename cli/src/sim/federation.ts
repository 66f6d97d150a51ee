import { join } from 'node:path';
import type { Plan } from '@regulon/shared/plan';
import { CoordinatorApi } from '../api-client/index.js';
import { type CeremonyOptions, type FoundedFederation, holdCeremony } from './ceremony/ceremony.js';
import { Person } from '../enrolment/index.js';
import { daemonReady } from './daemon-replies.js';
import { programs } from './programs.js';
import { base64, Signer } from './signer.js';
import { proposal } from './statements.js';
import { Steward } from './steward.js';
import { Supervisor } from './supervisor.js';

/** A federation of real processes on this machine, with its simulated people. */
export class SimFederation {
  private constructor(
    readonly founded: FoundedFederation,
    readonly supervisor: Supervisor,
    readonly api: CoordinatorApi,
    private readonly stewards: readonly Steward[],
    private readonly researcher: Signer,
  ) {}

  /**
   * Hold the ceremony, start coordinator and daemons, and let the stewards set policies and commit to datasets.
   *
   * @param say progress for people
   * @throws whatever stops a process from becoming ready; everything started is stopped again
   */
  static async start(options: CeremonyOptions, say: (text: string) => void): Promise<SimFederation> {
    say('ceremony: keys, roster signed by 3 of 5 administrators, certificates, genesis of the log');
    const founded = await holdCeremony(options);
    const supervisor = new Supervisor(join(options.root, 'logs'));
    try {
      say(`starting the coordinator and ${founded.sites.length} daemons`);
      const api = apiOf(founded);
      const [stewards] = await Promise.all([
        Promise.all(founded.sites.map((site) => startSite(founded, supervisor, api, site))),
        supervisor.start('coordinator', programs.coordinator, ['--config', founded.coordinatorConfig]),
      ]);
      await Promise.all(stewards.map((steward) => steward.settle()));
      const person = Person.load(founded.folder.people, 'researcher', 'researcher-1');
      return new SimFederation(founded, supervisor, api, stewards, new Signer(person, founded, api));
    } catch (error) {
      await supervisor.stopAll();
      throw error;
    }
  }

  /** Propose a plan as the researcher. @returns the run's name */
  async propose(plan: Plan): Promise<string> {
    const ids = plan.sites.map((name) => this.founded.sites.find((site) => site.name === name)?.id ?? 0);
    const { body, attachments } = proposal(plan, ids);
    const entry = await this.researcher.seal({ kind: 'plan.propose', body });
    const request = { entry, plan, attachments: attachments.map(base64) };
    return (await this.api.propose(request)).run;
  }

  /** Let the stewards of a plan's sites approve a run. */
  async approve(run: string, plan: Plan): Promise<void> {
    const asked = this.stewards.filter((steward) => plan.sites.includes(steward.site));
    await Promise.all(asked.map((steward) => steward.approve(run, plan)));
  }

  /** Stop every process. */
  async stop(): Promise<void> {
    await this.supervisor.stopAll();
  }
}

/** The REST API of a founded federation's coordinator. */
function apiOf(founded: Pick<FoundedFederation, 'addresses' | 'token'>): CoordinatorApi {
  const { host, httpPort } = founded.addresses;
  return new CoordinatorApi({ server: `http://${host}:${httpPort}`, token: founded.token });
}

/** Start the daemon of a site; it reads the data, and says what its steward is asked to sign. */
async function startSite(
  founded: FoundedFederation,
  supervisor: Supervisor,
  api: CoordinatorApi,
  { name, config }: { name: string; config: string },
): Promise<Steward> {
  // in service the coordinator has a machine of its own; here the sites must not starve it
  const { ready } = await supervisor.start(name, programs.daemon, ['run', '--config', config], 'behind');
  const { statements } = daemonReady.parse(ready);
  const signer = new Signer(Person.load(founded.folder.people, 'steward', name), founded, api);
  return new Steward(name, signer, api, statements);
}
