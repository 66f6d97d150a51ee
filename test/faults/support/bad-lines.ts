import { FaultProxy, type LineFaults } from '../../support/faults/index.js';

/** What stands between one daemon and its coordinator. */
interface SiteLines {
  readonly control: FaultProxy;
  readonly bulk: FaultProxy;
}

/** A bad line for every site of a federation: its daemon knows the coordinator only by the proxies' ports. */
export class BadLines {
  private readonly lines = new Map<string, SiteLines>();

  /** @param at where the coordinator listens */
  async open(
    sites: readonly string[],
    at: { controlPort: number; bulkPort: number },
    faults: Partial<LineFaults>,
  ): Promise<void> {
    for (const [i, site] of sites.entries()) {
      const control = await FaultProxy.start(at.controlPort, faults, { seed: 2 * i });
      const bulk = await FaultProxy.start(at.bulkPort, faults, { seed: 2 * i + 1 });
      this.lines.set(site, { control, bulk });
    }
  }

  /** What the daemon's configuration calls its coordinator. */
  coordinatorOf(site: string): { host: string; controlPort: number; bulkPort: number } {
    const lines = this.lines.get(site);
    if (!lines) throw new Error(`no line for ${site}`);
    return { host: '127.0.0.1', controlPort: lines.control.port, bulkPort: lines.bulk.port };
  }

  /**
   * Nothing passes. Half of the sites are told (their connections are reset), the others wait for answers.
   *
   * @param ms how long
   */
  async outage(ms: number): Promise<void> {
    for (const proxy of this.all) proxy.change({ blackHole: true });
    const told = this.all.slice(0, this.all.length / 2);
    for (const proxy of told) proxy.resetAll();
    await new Promise((over) => setTimeout(over, ms));
    for (const proxy of this.all) proxy.change({ blackHole: false });
  }

  /** Bytes that passed from the daemons to the coordinator's bulk server. */
  get uploaded(): number {
    return [...this.lines.values()].reduce((sum, { bulk }) => sum + bulk.seen.bytesUp, 0);
  }

  get seen(): { connections: number; resets: number } {
    const sum = (of: (proxy: FaultProxy) => number): number =>
      this.all.reduce((total, proxy) => total + of(proxy), 0);
    return { connections: sum(({ seen }) => seen.connections), resets: sum(({ seen }) => seen.resets) };
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((proxy) => proxy.close()));
  }

  private get all(): FaultProxy[] {
    return [...this.lines.values()].flatMap(({ control, bulk }) => [control, bulk]);
  }
}
