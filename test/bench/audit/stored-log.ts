import { execFile } from 'node:child_process';
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SampleLog } from '@regulon/shared/transparency-samples';
import type { JudgedBundle } from './verify-main.js';

const MAIN = fileURLToPath(new URL('./verify-main.js', import.meta.url));
const HOUR = 3600;
const run = promisify(execFile);

/** An exported log on disk, as an auditor has it. */
export class StoredLog {
  private readonly asOf: string;

  private constructor(
    private readonly bundle: string,
    private readonly policy: string,
    entries: number,
  ) {
    this.asOf = new Date((SampleLog.timeOf(entries) + HOUR) * 1000).toISOString();
  }

  /** Write a log into a folder. @param bundle of the log */
  static write(folder: string, log: SampleLog, bundle: Uint8Array): StoredLog {
    const [path, policy] = [join(folder, 'bundle.zip'), join(folder, 'quorum.policy')];
    writeFileSync(path, bundle);
    writeFileSync(policy, log.policy);
    return new StoredLog(path, policy, log.entries.length);
  }

  /** `regulon audit verify` in a process of its own. @param jobs threads */
  async verify(jobs: number): Promise<JudgedBundle> {
    const args = [MAIN, this.bundle, this.policy, this.asOf, String(jobs)];
    const { stdout } = await run(process.execPath, args, { maxBuffer: 2 ** 26 });
    return JSON.parse(stdout) as JudgedBundle;
  }

  /** Flip a bit at each of some places; a second time brings the bytes back. */
  flip(places: readonly number[]): void {
    const file = openSync(this.bundle, 'r+');
    const byte = new Uint8Array(1);
    for (const at of places) {
      readSync(file, byte, 0, 1, at);
      byte[0] = (byte[0] ?? 0) ^ 1;
      writeSync(file, byte, 0, 1, at);
    }
    closeSync(file);
  }
}
