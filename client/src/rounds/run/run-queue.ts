import type { ErrorCode } from '@regulon/shared/errors';
import type { SiteContext } from '../context.js';
import type { RunDriver } from './run-driver.js';

/** Runs that may wait for their turn beside those that this site has begun; more names than that nobody needs. */
const MOST_WAITING = 64;
/** Runs that are remembered as left without a row in the journal. */
const MOST_LEFT = 1024;

/** The runs that this site follows, one after the other. */
export class RunQueue {
  private readonly drivers = new Map<string, RunDriver>();
  /** runs that this process has left, with what it refused them for, if it did */
  private readonly left = new Map<string, ErrorCode | undefined>();
  private active: Promise<void> = Promise.resolve();
  private stopping = false;

  /**
   * @param fail hears what makes the whole daemon stop
   * @param driverFor specs replace it
   */
  constructor(
    private readonly site: Pick<SiteContext, 'runs' | 'logger'>,
    private readonly fail: (error: unknown) => void,
    private readonly driverFor: (run: string) => RunDriver,
  ) {}

  /** The driver of a run, which waits for its turn; undefined when this site does not follow it. */
  driverOf(run: string): RunDriver | undefined {
    const known = this.drivers.get(run);
    if (known && !this.stopping) return known;
    const row = this.site.runs.find(run);
    if (this.stopping || this.left.has(run) || (row && row.state !== 'live')) return undefined;
    if (!row && this.drivers.size >= MOST_WAITING) {
      this.site.logger.warn({ run }, `${this.drivers.size} runs wait already: this one is passed over`);
      return undefined;
    }
    const driver = this.driverFor(run);
    this.drivers.set(run, driver);
    // one run at a time: the next begins when this one has ended here
    this.active = this.active.then(() => this.attend(driver)).catch((error: unknown) => this.fail(error));
    return driver;
  }

  /** The driver of a run that this site knows of: followed now, or begun before a restart. */
  known(run: string): RunDriver | undefined {
    const begun = this.drivers.has(run) || this.site.runs.find(run)?.state === 'live';
    return begun ? this.driverOf(run) : undefined;
  }

  /** The coordinator says that a run waits for people: if it is followed, the next one has its turn. */
  paused(run: string): void {
    this.drivers.get(run)?.paused();
  }

  /** What the coordinator is told of a run that this site does not follow. */
  refusalOf(run: string): ErrorCode {
    const waits = !this.left.has(run) && this.site.runs.find(run) === undefined;
    return this.left.get(run) ?? (waits ? 'E_BUSY' : 'E_RUN_ABORTED');
  }

  forEach(action: (driver: RunDriver) => void): void {
    this.drivers.forEach(action);
  }

  /** Follow nothing any more; everything stays for the next start. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.drivers.forEach((driver) => driver.stop());
    await this.active;
  }

  private async attend(driver: RunDriver): Promise<void> {
    const { logger } = this.site;
    const { run } = driver;
    logger.info({ run }, 'run followed');
    const end = await driver.follow();
    this.drivers.delete(run);
    if (end !== 'suspended') this.leave(run, driver.refusedFor);
    logger.info({ run, end }, 'run left');
  }

  private leave(run: string, code: ErrorCode | undefined): void {
    this.left.set(run, code);
    const [oldest] = this.left.keys();
    if (this.left.size > MOST_LEFT && oldest !== undefined) this.left.delete(oldest);
  }
}
