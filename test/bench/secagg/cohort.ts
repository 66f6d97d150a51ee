import { publicKeyOf, randomBytes, sha256, u32 } from '@regulon/shared/crypto';
import {
  type Manifest,
  type RosterView,
  SecAggClient,
  SecAggServer,
  signManifest,
} from '@regulon/shared/secagg';

/** CPU and wall seconds. */
export interface Spent {
  cpu: number;
  wall: number;
}

/** What one party spends on each stage; the protocol and its vectors are real, only the network is missing. */
export class Stopwatch {
  readonly stages = new Map<string, Spent>();

  async time<T>(stage: string, work: () => T | Promise<T>): Promise<T> {
    const [cpu, started] = [process.cpuUsage(), performance.now()];
    const result = await work();
    const { user, system } = process.cpuUsage(cpu);
    const spent = this.stages.get(stage) ?? { cpu: 0, wall: 0 };
    spent.cpu += (user + system) / 1e6;
    spent.wall += (performance.now() - started) / 1000;
    this.stages.set(stage, spent);
    return result;
  }

  get total(): Spent {
    const all = [...this.stages.values()];
    return {
      cpu: all.reduce((sum, { cpu }) => sum + cpu, 0),
      wall: all.reduce((sum, { wall }) => sum + wall, 0),
    };
  }
}

/** n sites, their coordinator, and the manifest of one training round. */
export class BenchCohort {
  readonly manifest: Manifest;
  readonly coordinator = new Stopwatch();
  readonly sites: readonly { readonly id: number; readonly watch: Stopwatch }[];
  private readonly roster: RosterView;
  private readonly coordinatorSeed = sha256(u32(0));

  constructor(n: number, d: number) {
    const ids = Array.from({ length: n }, (_, k) => k + 1);
    this.sites = ids.map((id) => ({ id, watch: new Stopwatch() }));
    const members = ids.map((id) => ({ id, key: publicKeyOf(sha256(u32(id))) }));
    const coordinatorKey = publicKeyOf(this.coordinatorSeed);
    const rosterHash = sha256(u32(n));
    this.roster = { federationId: 'fed_bench', rosterHash, coordinatorKey, members, M: n, quorumRule: 0 };
    const zero = new Uint8Array(32);
    this.manifest = {
      ...{ version: 1, federationId: 'fed_bench', rosterHash, runId: randomBytes(16), round: 1, attempt: 0 },
      ...{ purpose: 0, stepId: 'train', arm: 0, roles: ids.map((id) => ({ id, role: 0 as const })) },
      ...{ planHash: zero, modelHash: zero, prevTranscriptHash: zero, N: n, d },
      extras: [{ name: 'fault', scale: 1, min: 0, max: 1 }],
      ...{ Q: 2 ** 20, C: 100, weightCap: 64, denominator: 0, mechanism: 0, z: 0, nMin: 5 },
      ...{ gammaNum: 1, gammaDen: 3, quorumRule: 0, prg: 0, ringBits: 32, fractionBits: 0, graph: 0 },
      ...{ subCohort: 0, deadlines: [1, 2, 3, 4, 5] },
    };
  }

  /**
   * Run R0 to R4 without a loss.
   *
   * @param input writes a site's masked vector under its masks and gives root and length
   * @returns what unmasks the sum
   */
  async run(
    input: (
      id: number,
      masks: ReturnType<SecAggClient['maskPlan']>['masks'],
    ) => Promise<{ root: Uint8Array; length: number }>,
  ): Promise<ReturnType<SecAggServer['unmaskKeys']>> {
    const { manifest, roster, coordinator } = this;
    const coordinatorSignature = signManifest(this.coordinatorSeed, manifest);
    const server = new SecAggServer({ manifest, roster });
    const clients = new Map<number, SecAggClient>();
    const clientOf = (id: number): SecAggClient => {
      const client = clients.get(id);
      if (!client) throw new TypeError(`site ${id} has not joined`);
      return client;
    };
    /** One stage: every site's message, timed at the site, then taken by the coordinator. */
    const stage = async <M>(
      name: string,
      make: (id: number) => M | Promise<M>,
      take: (message: M) => void,
    ) => {
      for (const { id, watch } of this.sites) {
        const message = await watch.time(name, () => make(id));
        await coordinator.time(name, () => take(message));
      }
    };
    const advertise = (id: number) => {
      const client = SecAggClient.join({ manifest, coordinatorSignature, roster, id, seed: sha256(u32(id)) });
      clients.set(id, client);
      return client.advertise();
    };
    await stage('R0', advertise, (m) => server.addAdvertise(m));
    const keys = server.closeU1();
    await stage(
      'R1',
      (id) => clientOf(id).shareKeys(keys),
      (m) => server.addShares(m),
    );
    server.closeU2();
    const commit = async (id: number) => {
      const { masks } = clientOf(id).maskPlan(server.deliveriesFor(id));
      const { root, length } = await input(id, masks);
      const message = clientOf(id).commit(root, length);
      clientOf(id).confirmUpload();
      return message;
    };
    await stage('R2', commit, (m) => server.addCommit(m));
    const survivors = server.closeU3();
    await stage(
      'R3',
      (id) => clientOf(id).consistency(survivors),
      (m) => server.addConsistency(m),
    );
    await stage(
      'R4',
      (id) => clientOf(id).unmask(server.signatures()),
      (m) => server.addAnswer(m),
    );
    return coordinator.time('R4', () => server.unmaskKeys());
  }

  /** What the median site spends, all together or on one stage. */
  medianSite(kind: keyof Spent, stage?: string): number {
    const values = this.sites.map(
      ({ watch }) => (stage ? watch.stages.get(stage) : watch.total)?.[kind] ?? 0,
    );
    return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
  }
}
