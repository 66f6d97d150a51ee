import { hex, utf8 } from '@regulon/shared/crypto';
import { Dice } from '../../security/support/dice.js';
import { minimise } from './minimise.js';
import { mutateBytes } from './mutate-bytes.js';
import type { Target } from './target.js';
import { judge, type Verdict } from './verdict.js';

/** An input that broke a property. */
export interface Failure {
  readonly target: string;
  /** name and text of the error, and the first place in the project */
  readonly failure: string;
  readonly input: Uint8Array;
}

const MAX_BYTES = 64 * 1024;
/** Inputs that are kept beside the seeds. */
const MAX_KEPT = 512;

/**
 * Makes inputs for one target and keeps those that ended in a new way.
 *
 * The same seed and corpus give the same inputs. What guides it is how an input ends (code and text of the refusal, or
 * the size of what was accepted): each check of a decoder has its own text, so a new text is a new place reached.
 */
export class Fuzzer {
  readonly failures = new Map<string, Failure>();
  inputs = 0;
  accepted = 0;
  private readonly dice: Dice;
  private readonly seeds: readonly Uint8Array[];
  private readonly pool: Uint8Array[];
  private readonly features = new Set<string>();
  private readonly words: readonly Uint8Array[];

  /** @param corpus inputs to begin with @param running hears of every input before it runs */
  constructor(
    private readonly target: Target,
    corpus: readonly Uint8Array[],
    seed: number,
    private readonly running: (input: Uint8Array) => void = () => undefined,
  ) {
    this.seeds = corpus.length === 0 ? [new Uint8Array(0)] : corpus;
    this.pool = [...this.seeds];
    this.dice = new Dice(seed);
    this.words = (target.words ?? []).map(utf8);
  }

  /** Number of different ways in which inputs ended. */
  get ways(): number {
    return this.features.size;
  }

  /** Run one input as it is. */
  async replay(input: Uint8Array): Promise<Verdict> {
    this.running(input);
    this.inputs++;
    const verdict = await judge(this.target, input);
    if (verdict.feature.startsWith('accepted')) this.accepted++;
    const isNew = !this.features.has(verdict.feature);
    this.features.add(verdict.feature);
    if (verdict.failure !== undefined) await this.fail(verdict.failure, input, isNew);
    else if (isNew && this.pool.length < MAX_KEPT) this.pool.push(input.slice());
    return verdict;
  }

  /** Make and run one more input. */
  async step(): Promise<Verdict> {
    return this.replay(this.next());
  }

  private next(): Uint8Array {
    const { dice, target, pool, words } = this;
    const { change, maxBytes = MAX_BYTES } = target;
    const base = dice.pick(dice.chance(2) ? this.seeds : pool);
    const source = { pool, words, maxBytes };
    if (change === undefined || dice.chance(3)) return mutateBytes(base, dice, source);
    const changed = change(base, dice).subarray(0, maxBytes);
    return dice.chance(6) ? mutateBytes(changed, dice, source) : changed;
  }

  private async fail(failure: string, input: Uint8Array, isNew: boolean): Promise<void> {
    if (!isNew) return;
    const { target } = this;
    const smallest = await minimise(input, async (shorter) => {
      this.running(shorter);
      return (await judge(target, shorter)).failure === failure;
    });
    this.failures.set(failure, { target: target.name, failure, input: smallest });
  }
}

/** What a person reads of a failure. */
export function describeFailure({ target, failure, input }: Failure): string {
  const shown = hex(input.subarray(0, 400));
  return `${target}: ${failure}\n  ${input.length} bytes: ${shown}${input.length > 400 ? '…' : ''}`;
}
