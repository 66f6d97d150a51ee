import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ChildOptions, ChildReady } from './coordinator-child.js';
import { DISK_FAULT, type DiskFault } from './disk-fault.js';

const built = (name: string): string =>
  fileURLToPath(new URL(`../../../test/dist/faults/support/${name}.js`, import.meta.url));
const program = built('coordinator-child');
/** Whether the program has been compiled. */
export const childCompiled = existsSync(program);

/** `coordinator-child.ts` in a process of its own. */
export class CoordinatorProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly ready: ChildReady,
    private readonly ended: Promise<unknown[]>,
  ) {}

  /** @param before words of a command line that come before Node, such as a tracer's */
  static async start(
    options: ChildOptions,
    fault: DiskFault = {},
    before: readonly string[] = [],
  ): Promise<CoordinatorProcess> {
    const node = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      '--import',
      built('disk-faults'),
    ];
    const [command = '', ...args] = [...before, ...node, program, JSON.stringify(options)];
    const env = { ...process.env, [DISK_FAULT]: JSON.stringify(fault) };
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    const [line] = (await Promise.race([
      once(createInterface({ input: child.stdout }), 'line'),
      ended.then((how) => {
        throw new Error(`the coordinator ended before it was ready: ${how.join(' ')}`);
      }),
    ])) as [string];
    return new CoordinatorProcess(child, JSON.parse(line) as ChildReady, ended);
  }

  get ports(): { control: number; bulk: number } {
    return this.ready.ports;
  }

  /** Whether it still runs. */
  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resident memory, bytes; Linux only. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  }

  /** @returns the signal that ended it, or its exit code */
  async end(): Promise<unknown> {
    const [code, signal] = await this.ended;
    return signal ?? code;
  }

  async stop(): Promise<void> {
    this.child.stdin?.end();
    await this.ended;
  }
}
