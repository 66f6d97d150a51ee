import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { ChannelCredentials, Client } from '@grpc/grpc-js';
import { MerkleHasher, randomBytes } from '@regulon/shared/crypto';
import { CoordinatorConnection } from '@regulon/client/transport';
import { TestAuthority } from '../../support/transport/certificates.js';
import { CTX, ROSTER_HASH, RUN } from '../../support/transport/fake-coordinator.js';
import { h2Of, type Listening, memberOf, type Memory, rawPut, type Setup } from './contract.js';

/** A stored vector and its Merkle root. */
export interface StoredVector {
  readonly path: string;
  readonly root: Uint8Array;
}

/** Where a connection goes: to the servers themselves, or through proxies. */
export type Ports = Pick<Listening, 'control' | 'bulk'>;

/** The coordinator's servers as a process of their own, and links of sites to them. */
export class BulkCoordinator {
  private constructor(
    private readonly child: ChildProcess,
    private readonly authority: TestAuthority,
    readonly ports: Listening,
  ) {}

  static async start(setup: Omit<Setup, 'tls'>): Promise<BulkCoordinator> {
    const authority = await TestAuthority.make();
    const child = fork(new URL('./coordinator-main.js', import.meta.url), { execArgv: [] });
    child.send({ ...setup, tls: await authority.coordinator() });
    const [ports] = (await once(child, 'message')) as [Listening];
    return new BulkCoordinator(child, authority, ports);
  }

  /** Resident bytes of the servers' process. */
  async memory(): Promise<Memory> {
    this.child.send('memory');
    const [memory] = (await once(this.child, 'message')) as [Memory];
    return memory;
  }

  /** A site's connection, control channel open. */
  async link(site: number, { control, bulk }: Ports = this.ports): Promise<CoordinatorConnection> {
    const link = new CoordinatorConnection({
      ...{ host: '127.0.0.1', controlPort: control, bulkPort: bulk, site, rosterHash: ROSTER_HASH },
      tls: await this.authority.site(site, memberOf(site).key),
      ...{ coordinatorKey: Uint8Array.from(this.ports.key), daemonVersion: 'bench' },
    });
    await link.connect();
    return link;
  }

  /** Seconds until so many bytes have reached the server as grpc-js makes it, by the same frames without sealing. */
  async sendStock(port: number, bytes: number): Promise<number> {
    const { ca, cert, key } = await this.authority.site(1, memberOf(1).key);
    const [root, chain, secret] = [Buffer.from(ca), Buffer.from(cert), Buffer.from(key)];
    const client = new Client(`127.0.0.1:${port}`, ChannelCredentials.createSsl(root, secret, chain), {
      'grpc.ssl_target_name_override': 'localhost',
    });
    const frame = Buffer.from(randomBytes(256 << 10));
    const started = performance.now();
    await new Promise<void>((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = rawPut;
      const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, (error) =>
        error ? reject(error) : resolve(),
      );
      for (let sent = 0; sent < bytes; sent += frame.length) call.write(frame);
      call.end();
    });
    client.close();
    return (performance.now() - started) / 1000;
  }

  async stop(): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.disconnect();
    await exit;
  }
}

/** Upload a stored vector. @returns seconds from the request for a place to the receipt */
export async function upload(
  link: CoordinatorConnection,
  { path, root }: StoredVector,
  turn: number,
): Promise<number> {
  const started = performance.now();
  await link.upload({ run: RUN, round: 1, attempt: turn, ctx: CTX, h2: h2Of(turn), path, commit: root });
  return (performance.now() - started) / 1000;
}

/** A file of random bytes. */
export async function storeVector(folder: string, size: number): Promise<StoredVector> {
  const path = join(folder, 'masked.bin');
  const hasher = new MerkleHasher();
  const file = createWriteStream(path);
  for (let at = 0; at < size; at += 1 << 20) {
    const piece = randomBytes(Math.min(1 << 20, size - at));
    hasher.update(piece);
    if (!file.write(piece)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
  return { path, root: hasher.root() };
}
