import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { lastError, lastLine, readyLine, stepBack } from './child-process.js';
import { MemoryWatch } from './process-memory.js';

const READY_MS = 180_000;
const STOP_MS = 8_000;
/** each look at the shared pages of a dozen processes takes tens of ms */
const SAMPLE_MS = 2_000;

/** A process that said it is ready. */
export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  /** its JSON ready line */
  readonly ready: Readonly<Record<string, unknown>>;
}

interface Entry {
  readonly name: string;
  readonly child: ChildProcess;
  readonly exited: Promise<string>;
}

/**
 * Starts real processes of this machine, waits until each says it is ready, and stops every one of them by its pid.
 *
 * Their logs go to files; a process that ends by itself is reported with the last line of its log.
 */
export class Supervisor {
  readonly memory = new MemoryWatch();
  private readonly entries = new Map<string, Entry>();
  private readonly failures: ((error: RegulonError) => void)[] = [];
  private readonly timer: NodeJS.Timeout;
  /** whatever ends this process, nothing that it started may live on */
  private readonly killAll = (): void => this.entries.forEach(({ child }) => child.kill('SIGKILL'));
  private stopping = false;

  /** @param logs folder for one log file a process; made when absent */
  constructor(private readonly logs: string) {
    mkdirSync(logs, { recursive: true, mode: 0o700 });
    this.timer = setInterval(() => this.memory.sample(this.running()), SAMPLE_MS);
    this.timer.unref();
    process.once('exit', this.killAll);
  }

  /** Called when a started process ends although nobody asked it to. */
  onFailure(listener: (error: RegulonError) => void): void {
    this.failures.push(listener);
  }

  /** Processes that run now. */
  running(): { name: string; pid: number }[] {
    return [...this.entries.values()].flatMap(({ name, child }) =>
      child.pid !== undefined && child.exitCode === null && child.signalCode === null
        ? [{ name, pid: child.pid }]
        : [],
    );
  }

  /**
   * Start a compiled program with this Node and wait for its ready line.
   *
   * @param rank `behind` lets other processes of this machine go first
   * @throws E_ENVIRONMENT when it ends before it is ready (with its last log line), or takes longer than a minute
   */
  async start(
    name: string,
    program: string,
    args: readonly string[],
    rank: 'first' | 'behind' = 'first',
  ): Promise<RunningProcess> {
    const log = openSync(this.logFile(name), 'a', 0o600);
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
      stdio: ['ignore', 'pipe', log],
      // a group of its own: Ctrl-C reaches only us, and we stop everything in order
      detached: true,
    });
    closeSync(log);
    const exited = new Promise<string>((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    this.entries.set(name, { name, child, exited });
    if (rank === 'behind' && child.pid !== undefined) stepBack(child.pid);
    const ready = await this.readyOrFailed(name, child, exited);
    void exited.then((how) => this.ended(name, child, how));
    return { name, pid: child.pid ?? 0, ready };
  }

  /** Stop one process and wait until it is gone. */
  async stop(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const entry = this.entries.get(name);
    if (!entry) return;
    this.entries.delete(name);
    if (entry.child.pid === undefined) return;
    entry.child.kill(signal);
    const timer = setTimeout(() => entry.child.kill('SIGKILL'), STOP_MS);
    await entry.exited;
    clearTimeout(timer);
  }

  /** Stop everything, the last started first; returns when all are gone. */
  async stopAll(): Promise<void> {
    if (!this.stopping) this.memory.sample(this.running());
    this.stopping = true;
    clearInterval(this.timer);
    const names = [...this.entries.keys()].reverse();
    await Promise.all(names.map((name) => this.stop(name)));
    process.off('exit', this.killAll);
  }

  /** Log file of a process. */
  logFile(name: string): string {
    return join(this.logs, `${name}.log`);
  }

  private async readyOrFailed(
    name: string,
    child: ChildProcess,
    exited: Promise<string>,
  ): Promise<Record<string, unknown>> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.failure(name, 'was not ready within three minutes')), READY_MS);
    });
    const gone = exited.then((how): never => {
      throw this.failure(name, `ended before it was ready (${how})`);
    });
    try {
      return await Promise.race([readyLine(child), gone, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private ended(name: string, child: ChildProcess, how: string): void {
    if (this.stopping || this.entries.get(name)?.child !== child) return;
    const error = this.failure(name, `ended in the middle of its work (${how})`);
    this.failures.forEach((listener) => listener(error));
  }

  private failure(name: string, what: string): RegulonError {
    const file = this.logFile(name);
    if (statfsSync(this.logs).bavail === 0) {
      // then its log could not be written either
      return new RegulonError('E_DISK_FULL', `${name} ${what}: the volume of ${this.logs} is full`);
    }
    const own = lastError(file);
    if (own) return new RegulonError(own.code, `${name}: ${own.message}`, { hint: own.hint, cause: own });
    const last = lastLine(file);
    return new RegulonError('E_ENVIRONMENT', `${name} ${what}${last ? `: ${last}` : ''}`, {
      hint: `read ${file}`,
    });
  }
}
