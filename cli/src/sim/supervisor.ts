import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { RegulonError } from '@regulon/shared/errors';
import { readyReply } from './daemon-replies.js';
import { MemoryWatch } from './process-memory.js';

const READY_MS = 60_000;
const STOP_MS = 8_000;
const SAMPLE_MS = 500;
/** nice value of processes that share this machine with one that would have its own */
const BEHIND = 10;

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
      timer = setTimeout(() => reject(this.failure(name, 'was not ready within a minute')), READY_MS);
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
    const last = lastLine(file);
    return new RegulonError('E_ENVIRONMENT', `${name} ${what}${last ? `: ${last}` : ''}`, {
      hint: `read ${file}`,
    });
  }
}

/** Lower the priority of a process, and of its session where the kernel schedules sessions as groups. */
function stepBack(pid: number): void {
  try {
    setPriority(pid, BEHIND);
    writeFileSync(`/proc/${pid}/autogroup`, String(BEHIND));
  } catch {
    // a hint only: without it everything runs as well, less smoothly
  }
}

/** The first line of stdout that is JSON with `ready: true`; other lines are skipped. */
async function readyLine(child: ChildProcess): Promise<Record<string, unknown>> {
  const { stdout } = child;
  if (!stdout) throw new RegulonError('E_INTERNAL', 'the process has no stdout');
  const lines = createInterface({ input: stdout });
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const value = readyOf(line);
      if (value) resolve(value);
    });
  });
}

function readyOf(line: string): Record<string, unknown> | null {
  try {
    return readyReply.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

function lastLine(file: string): string {
  if (!existsSync(file)) return '';
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return (lines.findLast((line) => line.startsWith('E_')) ?? lines.at(-1) ?? '').slice(0, 300);
}
