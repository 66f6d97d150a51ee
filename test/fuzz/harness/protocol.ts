/** What a worker is told: one target, for so long. */
export interface WorkerOrder {
  readonly target: string;
  readonly seed: number;
  /** ms */
  readonly time: number;
  /** inputs at most */
  readonly inputs: number;
  readonly shared: SharedArrayBuffer;
}

/** What a worker found. */
export interface WorkerReport {
  readonly inputs: number;
  readonly accepted: number;
  /** different ways in which inputs ended */
  readonly ways: number;
  /** the slowest input, ms, and its bytes */
  readonly slowest: { readonly ms: number; readonly input: Uint8Array };
  readonly failures: readonly { readonly failure: string; readonly input: Uint8Array }[];
}

const HEAD_BYTES = 8;
const MOST_BYTES = 2 << 20;

/** The input that a worker runs, where its parent can read it when the worker no longer answers. */
export class CurrentInput {
  private readonly head: Int32Array;
  private readonly bytes: Uint8Array;

  constructor(readonly shared = new SharedArrayBuffer(HEAD_BYTES + MOST_BYTES)) {
    this.head = new Int32Array(shared, 0, 2);
    this.bytes = new Uint8Array(shared, HEAD_BYTES);
  }

  /** Called before each input. */
  set(input: Uint8Array): void {
    this.bytes.set(input.subarray(0, MOST_BYTES));
    Atomics.store(this.head, 1, Math.min(input.length, MOST_BYTES));
    Atomics.add(this.head, 0, 1);
  }

  /** Number of inputs so far: one that stands still is one that hangs. */
  get count(): number {
    return Atomics.load(this.head, 0);
  }

  get(): Uint8Array {
    return this.bytes.slice(0, Atomics.load(this.head, 1));
  }
}
