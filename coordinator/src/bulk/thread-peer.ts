import { traceOf, RegulonError, isRegulonError, type ErrorCode } from '@regulon/shared/errors';
import { nameDiskFull } from '../disk/index.js';

/** The part of a message port, a worker or a worker's parent that is used. */
export interface Port {
  postMessage(message: Message): void;
  on(event: 'message', listener: (message: Message) => void): unknown;
}

/** A call, or the answer to one (`call` is absent). */
export interface Message {
  readonly id: number;
  readonly call?: string;
  readonly given?: readonly unknown[];
  readonly result?: unknown;
  readonly error?: ErrorOnTheWay;
}

/** A `RegulonError` as structured cloning can carry it. */
interface ErrorOnTheWay {
  readonly code: ErrorCode;
  readonly message: string;
  readonly options: { hint: string; retryable: boolean; details: RegulonError['details'] };
}

/** A function that another thread may call. */
export type Offered = (...given: never[]) => unknown;

/** The functions of `F` as another thread calls them. */
export type Remote<F> = {
  readonly [K in keyof F]: F[K] extends (...given: infer G) => infer R
    ? (...given: G) => Promise<Awaited<R>>
    : never;
};

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/** One end of a message port whose two sides call each other's functions. Arguments and results are copied. */
export class ThreadPeer {
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private failure: RegulonError | undefined;

  /**
   * @param own functions that the other side may call, by name
   * @param report hears of a failed call that is a defect, with its trace
   */
  constructor(
    private readonly port: Port,
    private readonly own: ReadonlyMap<string, Offered>,
    private readonly report: (trace: readonly string[]) => void,
  ) {
    port.on('message', (message) => void this.receive(message));
  }

  /** The other side's functions of these names. */
  remote<F>(...names: readonly (keyof F & string)[]): Remote<F> {
    const calls = names.map((name) => [name, (...given: unknown[]) => this.call(name, given)] as const);
    return Object.fromEntries(calls) as Remote<F>;
  }

  /** The other side is gone: what was asked of it fails, and what will be asked. */
  fail(error: RegulonError): void {
    this.failure = error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  private call(name: string, given: readonly unknown[]): Promise<unknown> {
    if (this.failure) return Promise.reject(this.failure);
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.port.postMessage({ id, call: name, given });
    });
  }

  private async receive(message: Message): Promise<void> {
    if (message.call !== undefined) return this.answer(message.id, message.call, message.given ?? []);
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.error === undefined) return waiting?.resolve(message.result as never);
    const { code, message: what, options } = message.error;
    return waiting?.reject(new RegulonError(code, what, options));
  }

  private async answer(id: number, name: string, given: readonly unknown[]): Promise<void> {
    const call = this.own.get(name);
    try {
      if (call === undefined) throw new RegulonError('E_INTERNAL', `a thread has no function ${name}`);
      this.port.postMessage({ id, result: await call(...(given as never[])) });
    } catch (error) {
      this.port.postMessage({ id, error: this.carried(error) });
    }
  }

  private carried(error: unknown): ErrorOnTheWay {
    const named = nameDiskFull(error);
    if (!isRegulonError(named)) this.report(traceOf(error));
    const own = isRegulonError(named)
      ? named
      : new RegulonError('E_INTERNAL', 'the coordinator met a defect');
    const { code, message, hint, retryable, details } = own;
    return { code, message, options: { hint, retryable, details } };
  }
}
