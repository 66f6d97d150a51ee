import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { RegulonError } from '@regulon/shared/errors';
import type { Normals } from './normals.js';
import type { FilledSlot, SlotToFill } from './normals-worker.js';

/** Numbers of a slot: 2 MiB. */
const SLOT = 2 ** 18;
/** 64 MiB */
const MOST_SLOTS = 32;
/** More draws than these take longer than a thread takes to start. */
const WORTH_A_THREAD = 2 ** 22;

interface Waiting {
  readonly resolve: (slot: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Numbers that a thread draws ahead, while this one computes the step that they will protect: noise depends on no data.
 *
 * The thread has a generator of its own, keyed by the operating system. It fills slots of shared memory in turn and hands
 * each over with its serial number; a slot is wiped before it goes back, so that no number is ever used twice.
 */
export class NormalsAhead implements Normals {
  private readonly worker: Worker;
  private readonly slots: readonly Float64Array[];
  /** slots handed over and not used yet, in the order of their serial numbers */
  private readonly full: number[] = [];
  private waiting: Waiting | undefined;
  private failure: RegulonError | undefined;
  private handedOver = 0;
  private current: { readonly slot: number; at: number } | undefined;

  /** Whether a training draws so many numbers that a thread is worth its start. */
  static isWorth(draws: number): boolean {
    return draws > WORTH_A_THREAD;
  }

  /**
   * @param ahead numbers that one step needs: as many are drawn ahead, within 64 MiB
   * @param script compiled `normals-worker.js`
   */
  constructor(ahead: number, script: URL = compiled('./normals-worker.js')) {
    const count = Math.max(2, Math.min(MOST_SLOTS, Math.ceil(ahead / SLOT)));
    this.slots = Array.from({ length: count }, () => new Float64Array(new SharedArrayBuffer(8 * SLOT)));
    this.worker = new Worker(script, { workerData: this.slots.map(({ buffer }) => buffer) });
    this.worker.on('message', (filled: FilledSlot) => this.take(filled));
    this.worker.on('error', (cause) => this.fail(cause));
    this.worker.on('exit', () => this.fail());
    this.slots.forEach((_, slot) => this.worker.postMessage({ slot } satisfies SlotToFill));
  }

  async next(most: number): Promise<Float64Array> {
    if (this.failure) throw this.failure;
    if (this.current?.at === SLOT) this.giveBack(this.current.slot);
    this.current ??= { slot: await this.nextSlot(), at: 0 };
    const { slot, at } = this.current;
    this.current.at = Math.min(SLOT, at + most);
    return this.slots[slot]!.subarray(at, this.current.at);
  }

  async close(): Promise<void> {
    this.failure ??= new RegulonError('E_STATE', 'the thread that draws noise was closed');
    await this.worker.terminate();
    for (const slot of this.slots) slot.fill(0);
  }

  private nextSlot(): Promise<number> {
    const slot = this.full.shift();
    if (slot !== undefined) return Promise.resolve(slot);
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => (this.waiting = { resolve, reject }));
  }

  private giveBack(slot: number): void {
    this.slots[slot]!.fill(0);
    this.current = undefined;
    this.worker.postMessage({ slot } satisfies SlotToFill);
  }

  private take({ slot, serial }: FilledSlot): void {
    if (this.failure) return;
    if (serial !== this.handedOver++ || this.full.includes(slot) || this.current?.slot === slot)
      return this.fail(new Error(`slot ${slot} came as number ${serial}`));
    if (!this.waiting) return void this.full.push(slot);
    this.waiting.resolve(slot);
    this.waiting = undefined;
  }

  private fail(cause?: unknown): void {
    this.failure ??= new RegulonError(
      'E_TRAINER_CRASH',
      'the thread that draws the noise of the steps ended',
      {
        cause,
      },
    );
    this.full.length = 0;
    this.waiting?.reject(this.failure);
    this.waiting = undefined;
  }
}

/** The compiled script, also where this file runs uncompiled, as in tests. */
function compiled(script: string): URL {
  const url = new URL(script, import.meta.url);
  return existsSync(fileURLToPath(url)) ? url : new URL(url.href.replace('/client/src/', '/client/dist/'));
}
