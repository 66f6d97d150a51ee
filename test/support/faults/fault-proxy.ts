import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Dice } from '../../security/support/dice.js';
import { Line } from './line.js';
import { CLEAR_LINE, type LineFaults } from './line-faults.js';

const DRAW_EVERY_MS = 50;

interface Connection {
  readonly lines: readonly Line[];
  readonly sinceMs: number;
  readonly reset: () => void;
}

/**
 * A TCP proxy on loopback with the faults of a bad line. It knows nothing of what passes, so TLS stays end to end.
 *
 * Memory is bounded: a direction that holds its capacity (256 KiB to 32 MiB) stops reading.
 */
export class FaultProxy {
  /** what happened so far; `held` is the most bytes that one client had under way at once */
  readonly seen = { connections: 0, resets: 0, bytesUp: 0, held: 0 };
  private readonly open = new Set<Connection>();
  private readonly timer: NodeJS.Timeout;
  private readonly dice: Dice;

  private constructor(
    private readonly server: Server,
    private readonly target: number,
    private faults: LineFaults,
    seed: number,
  ) {
    this.dice = new Dice(seed);
    server.on('connection', (client) => this.accept(client));
    this.timer = setInterval(() => this.draw(), DRAW_EVERY_MS);
    this.timer.unref();
  }

  /**
   * @param target port on 127.0.0.1 that connections go to; it need not listen yet
   * @param options `port` to listen on (any by default), `seed` of the random resets
   */
  static async start(
    target: number,
    faults: Partial<LineFaults> = {},
    { port = 0, seed = 1 }: { port?: number; seed?: number } = {},
  ): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(server, target, { ...CLEAR_LINE, ...faults }, seed);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on the line is like this, for open connections as well; what is not named stays. */
  change(faults: Partial<LineFaults>): void {
    this.faults = { ...this.faults, ...faults };
    for (const { lines } of this.open) lines.forEach((line) => line.wake());
  }

  /** Reset every open connection now. */
  resetAll(): void {
    for (const { reset } of this.open) reset();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    const closed = once(this.server, 'close');
    this.server.close();
    this.resetAll();
    await closed;
  }

  private accept(client: Socket): void {
    if (this.faults.mute) return this.ignore(client);
    const server = connect({ host: '127.0.0.1', port: this.target, allowHalfOpen: true, noDelay: true });
    const sockets = [client, server];
    let sent = 0;
    const reset = (): void => {
      if (!this.open.delete(connection)) return;
      this.seen.resets++;
      lines.forEach((line) => line.stop());
      sockets.forEach((socket) => socket.resetAndDestroy());
    };
    const up = (bytes: number): number => {
      const allowed = Math.max(0, Math.min(bytes, this.faults.cutAfterBytes - sent));
      sent += allowed;
      this.seen.bytesUp += allowed;
      return allowed;
    };
    const common = { faults: () => this.faults, reset };
    const lines = [
      new Line(client, server, { ...common, allowed: up, held: (bytes) => this.note(bytes) }),
      new Line(server, client, { ...common, allowed: (bytes) => bytes, held: () => undefined }),
    ];
    const connection = { lines, reset, sinceMs: performance.now() };
    this.seen.connections++;
    this.open.add(connection);
    const forget = (): void => {
      if (sockets.every((socket) => socket.closed)) this.open.delete(connection);
    };
    sockets.forEach((socket) => socket.once('close', forget));
  }

  private ignore(client: Socket): void {
    this.seen.connections++;
    const connection = { lines: [], sinceMs: Infinity, reset: () => void client.resetAndDestroy() };
    this.open.add(connection);
    client.on('error', () => undefined).once('close', () => this.open.delete(connection));
  }

  private note(held: number): void {
    this.seen.held = Math.max(this.seen.held, held);
  }

  /** Draw which connections are reset in this twentieth of a second. */
  private draw(): void {
    const { resetsPerSecond, graceMs, blackHole } = this.faults;
    if (resetsPerSecond === 0 || blackHole) return;
    const chance = 1 - (1 - resetsPerSecond) ** (DRAW_EVERY_MS / 1000);
    const newest = performance.now() - graceMs;
    for (const { sinceMs, reset } of [...this.open])
      if (sinceMs <= newest && this.dice.uniform() < chance) reset();
  }
}
