import { connectivityState, type Client } from '@grpc/grpc-js';

/** Time for TCP, TLS and the first HTTP/2 frame: three round trips. */
const CONNECT_MS = 10_000;

/**
 * A gRPC client whose channel is made anew when it does not become ready although the coordinator can be reached.
 *
 * grpc-js 1.14 waits without limit for the first HTTP/2 frame of the server. A connection that is lost between the TLS
 * handshake and that frame leaves the channel connecting for ever, and every call with it (grpc-node, issue 2785).
 */
export class LiveClient {
  private client: Client;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  /**
   * @param make a client with a channel of its own
   * @param isReachable whether a handshake with the coordinator succeeds now
   */
  constructor(
    private readonly make: () => Client,
    private readonly isReachable: () => Promise<boolean>,
    private readonly connectMs = CONNECT_MS,
  ) {
    this.client = make();
  }

  /** For the next call; a call that waits for a channel which is given up ends as UNAVAILABLE. */
  get current(): Client {
    if (!this.isReady) this.timer ??= setTimeout(() => void this.look(), this.connectMs).unref();
    return this.client;
  }

  /** Make a channel for the calls to come; those under way end on the old one. */
  renew(): void {
    if (this.isClosed) return;
    const old = this.client;
    this.client = this.make();
    old.close();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.client.close();
  }

  private get isReady(): boolean {
    return this.client.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  private async look(): Promise<void> {
    const reachable = !this.isReady && (await this.isReachable());
    this.timer = undefined;
    if (this.isClosed || this.isReady) return;
    if (reachable) {
      const dead = this.client;
      this.client = this.make();
      dead.close();
    }
    // calls may wait already, and none may come after them
    void this.current;
  }
}
