/** The second verifier of bundles, in Python, where it can run. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The interpreter: `REGULON_PYTHON`, else `python3`. */
export const python = process.env['REGULON_PYTHON'] ?? 'python3';
/** Whether it is there, with the package cryptography. */
export const hasPython = spawnSync(python, ['-c', 'import cryptography']).status === 0;
const program = join(import.meta.dirname, '..', 'verifier', 'verify_many.py');

/** What it says of one bundle. */
export interface SecondAnswer {
  readonly status: 'pass' | 'fail' | 'unusable';
  /** by row, indexes of the wrong entries; null where none can be named */
  readonly rows: Readonly<Record<string, readonly (number | null)[]>>;
  /** rows that a person must judge */
  readonly asks: readonly string[];
  /** of rows that pass, what they say of how much was judged */
  readonly says: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

/** One process that judges bundles, one after the other: to start Python costs more than to judge most of them. */
export class SecondVerifier {
  private readonly process = spawn(python, ['-B', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  private readonly lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();

  /**
   * @param args as `verify.py` takes them
   * @throws Error with the traceback when it fails by itself
   */
  async judge(args: readonly string[]): Promise<SecondAnswer> {
    this.process.stdin.write(`${JSON.stringify(args)}\n`);
    const line = await this.lines.next();
    if (line.done) throw new Error('the second verifier has ended');
    const answer = JSON.parse(line.value) as SecondAnswer | { readonly error: string };
    if ('error' in answer) throw new Error(answer.error);
    return answer;
  }

  end(): void {
    this.process.stdin.end();
  }
}
