import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from '@regulon/shared/crypto';
import { until } from '../until.js';
import { FaultProxy, type LineFaults } from './index.js';

/** A server that answers every byte by itself, and remembers in which pieces they came. */
let server: Server;
let accepted: Socket[];
let pieces: number[];
let proxy: FaultProxy;
let client: Socket;

beforeEach(async () => {
  [accepted, pieces] = [[], []];
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      pieces.push(bytes.length);
      socket.write(bytes);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  client.destroy();
  await proxy.close();
  accepted.forEach((socket) => socket.destroy());
  await new Promise((closed) => server.close(closed));
});

async function open(faults: Partial<LineFaults> = {}): Promise<Socket> {
  proxy = await FaultProxy.start((server.address() as AddressInfo).port, faults);
  client = connect(proxy.port, '127.0.0.1').on('error', () => undefined);
  await once(client, 'connect');
  return client;
}

const failureOf = (socket: Socket): Promise<string | undefined> =>
  new Promise((resolve) => socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code)));

async function echo(socket: Socket, bytes: Uint8Array): Promise<Buffer> {
  const back: Buffer[] = [];
  let length = 0;
  const take = (chunk: Buffer): void => {
    back.push(chunk);
    length += chunk.length;
  };
  socket.on('data', take);
  socket.write(bytes);
  await until(() => length >= bytes.length);
  socket.off('data', take);
  return Buffer.concat(back);
}

const elapsed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

describe('the fault proxy', () => {
  it('passes megabytes unchanged, whatever the size of the pieces', async () => {
    const socket = await open({ roundTripMs: 5, bytesPerSecond: 200e6 });
    const bytes = randomBytes(3_000_000);
    expect((await echo(socket, bytes)).equals(bytes)).toBe(true);
    proxy.change({ sliceBytes: 700 });
    expect((await echo(socket, bytes)).equals(bytes)).toBe(true);
  });

  it('adds latency and keeps to the bandwidth, also when they change under an open connection', async () => {
    const socket = await open();
    const byte = Buffer.alloc(1);
    await echo(socket, byte);
    proxy.change({ roundTripMs: 200 });
    expect(await elapsed(() => echo(socket, byte))).toBeGreaterThan(190);
    proxy.change({ roundTripMs: 0, bytesPerSecond: 500_000 });
    expect(await elapsed(() => echo(socket, Buffer.alloc(100_000)))).toBeGreaterThan(190);
  });

  it('cuts what is sent into pieces of one byte', async () => {
    const socket = await open({ sliceBytes: 1 });
    await echo(socket, Buffer.alloc(500));
    expect(pieces.length).toBeGreaterThan(50);
  });

  it('resets a connection after exactly so many bytes', async () => {
    const socket = await open({ cutAfterBytes: 1000 });
    const failed = failureOf(socket);
    socket.write(Buffer.alloc(5000));
    expect(await failed).toBe('ECONNRESET');
    await until(() => pieces.reduce((sum, n) => sum + n, 0) === 1000);
    expect(proxy.seen).toMatchObject({ connections: 1, resets: 1, bytesUp: 1000 });
  });

  it('resets at random, with the chance it was given', async () => {
    const socket = await open({ resetsPerSecond: 1 });
    expect(await failureOf(socket)).toBe('ECONNRESET');
  });

  it('lets nothing through while it is a black hole, and everything afterwards', async () => {
    const socket = await open({ blackHole: true });
    let ended = false;
    socket.once('close', () => (ended = true));
    const answer = echo(socket, Buffer.from('late'));
    await new Promise((done) => setTimeout(done, 200));
    expect({ pieces, ended }).toEqual({ pieces: [], ended: false });
    proxy.change({ blackHole: false });
    expect((await answer).toString()).toBe('late');
  });

  it('never answers a connection that was opened while it is mute, but the next one', async () => {
    const mute = await open({ mute: true });
    proxy.change({ mute: false });
    mute.write('unheard');
    client = connect(proxy.port, '127.0.0.1');
    expect((await echo(client, Buffer.from('heard'))).toString()).toBe('heard');
    expect(pieces).toEqual([5]);
    mute.destroy();
  });

  it('tells the end of a connection late', async () => {
    const socket = await open({ closeDelayMs: 250 });
    await echo(socket, Buffer.alloc(1));
    const heard = once(accepted[0]!, 'end');
    expect(await elapsed(async () => (socket.end(), heard))).toBeGreaterThan(240);
  });

  it('stops reading when the other side does, and holds no more than its capacity', async () => {
    const socket = await open({ bytesPerSecond: 1e6 });
    let taken = 0;
    const piece = Buffer.alloc(1 << 20);
    for (let i = 0; i < 64; i++) socket.write(piece, () => (taken += piece.length));
    await new Promise((done) => setTimeout(done, 400));
    expect(proxy.seen.held).toBeLessThanOrEqual((256 << 10) + (64 << 10));
    expect(taken).toBeLessThan(32 << 20);
  });

  it('resets a client whose server is not there', async () => {
    proxy = await FaultProxy.start(1);
    client = connect(proxy.port, '127.0.0.1');
    expect(await failureOf(client)).toBe('ECONNRESET');
  });
});
