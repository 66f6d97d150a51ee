/** Raw HTTP/2 of a peer that keeps to no rule but TLS: whoever holds a site's certificate can send this. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { deflateSync, gzipSync } from 'node:zlib';
import type { Dice } from '../../security/support/dice.js';
import type { Material } from '../../support/transport/certificates.js';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const [DATA, HEADERS, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION] = [0, 1, 3, 4, 5, 6, 7, 8, 9];

function frame(type: number, flags: number, stream: number, body: Uint8Array, length = body.length): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, body]);
}

const settings = frame(SETTINGS, 0, 0, Buffer.alloc(0));
const times = (count: number, bytes: Buffer): Buffer => Buffer.concat(Array<Buffer>(count).fill(bytes));
const begin = (...frames: Buffer[]): Buffer => Buffer.concat([PREFACE, settings, ...frames]);

/** Byte streams that are no HTTP/2, or too much of it. @param dice for the random ones */
export function malformedStreams(dice: Dice): [string, Buffer][] {
  const noise = Buffer.from(Array.from({ length: 5_000 }, () => dice.below(256)));
  const hpack = Buffer.from([0x83, 0x87, 0x84]);
  return [
    ['noise', noise],
    ['noise after the preface', Buffer.concat([PREFACE, noise])],
    ['HTTP/1.1', Buffer.from('POST /regulon.bulk.v1.BulkService/Put HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['a frame of 16 MiB', begin(frame(DATA, 0, 1, noise, 0xffffff))],
    ['DATA on stream 0', begin(frame(DATA, 0, 0, noise))],
    ['DATA on an idle stream', begin(frame(DATA, 0, 99, noise))],
    ['HEADERS that do not decode', begin(frame(HEADERS, 4, 1, noise))],
    ['an even stream', begin(frame(HEADERS, 4, 2, hpack))],
    ['a push promise of a client', begin(frame(PUSH, 4, 1, Buffer.concat([Buffer.alloc(4), hpack])))],
    ['a window beyond 2³¹', begin(times(3, frame(WINDOW, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))))],
    ['RST_STREAM of nothing', begin(frame(RST, 0, 7, Buffer.alloc(4)))],
    ['a GOAWAY with 16 KiB', begin(frame(GOAWAY, 0, 0, Buffer.alloc(16_000)))],
    [
      'CONTINUATION without end',
      begin(frame(HEADERS, 0, 1, hpack), times(2_000, frame(CONTINUATION, 0, 1, Buffer.alloc(1_000, 0x40)))),
    ],
    ['50,000 pings', begin(times(50_000, frame(PING, 0, 0, Buffer.alloc(8))))],
    ['50,000 settings', begin(times(50_000, settings))],
    [
      '20,000 streams reset at once',
      begin(
        ...Array.from({ length: 20_000 }, (_, i) =>
          Buffer.concat([frame(HEADERS, 4, 2 * i + 1, hpack), frame(RST, 0, 2 * i + 1, Buffer.alloc(4))]),
        ),
      ),
    ],
  ];
}

/** Send bytes over TLS and wait until the server has had enough, or nothing more comes for a while. */
export async function sendRaw(port: number, { ca, key, cert }: Material, bytes: Buffer): Promise<void> {
  const socket: TLSSocket = connectTls({ host: '127.0.0.1', port, ca, key, cert, ALPNProtocols: ['h2'] });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  const closed = once(socket, 'close').catch(() => undefined);
  socket.resume();
  socket.setTimeout(300, () => socket.destroy());
  socket.write(bytes);
  await closed;
}

/** A session that speaks HTTP/2 well and gRPC badly. */
export function session(port: number, { ca, key, cert }: Material): ClientHttp2Session {
  const made = connectHttp2(`https://127.0.0.1:${port}`, { ca, key, cert });
  made.on('error', () => undefined);
  return made;
}

const grpc = (path: string, encoding: string): Record<string, string> => ({
  ...{ ':method': 'POST', ':path': path, te: 'trailers', 'content-type': 'application/grpc' },
  'grpc-encoding': encoding,
});
const message = (compressed: 0 | 1, body: Uint8Array): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
};

/** Messages that grow when they are decompressed, or do not decompress. */
export function compressedBombs(bytes: number): [string, string, Buffer][] {
  const zeros = Buffer.alloc(bytes);
  const gzip = gzipSync(zeros);
  return [
    ['a gzip bomb', 'gzip', message(1, gzip)],
    ['a deflate bomb', 'deflate', message(1, deflateSync(zeros))],
    ['gzip that breaks off', 'gzip', message(1, gzip.subarray(0, gzip.length / 2))],
    ['no gzip at all', 'gzip', message(1, Buffer.alloc(1_000, 9))],
    ['compressed, but said to be plain', 'identity', message(1, gzip)],
    ['an unknown encoding', 'brotli', message(1, gzip)],
    ['a length of 4 GiB', 'identity', Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3])],
  ];
}

/** Send one message of a call. @returns gRPC status, or how the stream ended */
export async function call(
  made: ClientHttp2Session,
  path: string,
  encoding: string,
  body: Buffer,
): Promise<string> {
  const stream = made.request(grpc(path, encoding));
  let status = '';
  stream.on('error', () => undefined);
  const take = (headers: Record<string, unknown>): void => {
    const given = headers['grpc-status'];
    if (typeof given === 'string') status = given;
  };
  stream.on('response', take).on('trailers', take);
  stream.resume();
  const closed = once(stream, 'close').catch(() => undefined);
  stream.end(body);
  await closed;
  return status === ''
    ? `RST ${stream.rstCode === constants.NGHTTP2_NO_ERROR ? 'none' : stream.rstCode}`
    : status;
}

/** The headers of a call, as HPACK literals. */
function headersOf(path: string): Buffer {
  const text = (name: number[], value: string): Buffer =>
    Buffer.concat([Buffer.from([...name, value.length]), Buffer.from(value)]);
  const [ofPath, ofType] = [[0x04], [0x0f, 0x10]];
  return Buffer.concat([Buffer.from([0x83, 0x87]), text(ofPath, path), text(ofType, 'application/grpc')]);
}

/** Calls that stay open: streams 1, 3, 5 … with nothing in them. */
export const openCalls = (path: string, count: number): Buffer =>
  begin(...Array.from({ length: count }, (_, i) => frame(HEADERS, 4, 2 * i + 1, headersOf(path))));

/** The bytes of one message on each of two streams, a frame each. */
export function dribble(path: string, bytes: number): Buffer {
  const head = message(0, Buffer.alloc(bytes)).subarray(0, 5);
  const both = [1, 3].map((stream) => frame(DATA, 0, stream, Buffer.alloc(1)));
  const start = [1, 3].map((stream) => frame(DATA, 0, stream, head));
  return Buffer.concat([openCalls(path, 2), ...start, times(bytes - 1, Buffer.concat(both))]);
}

/** Send bytes and stay. @returns the types of the frames that come back, and an end of it */
export async function stay(
  port: number,
  { ca, key, cert }: Material,
  bytes: Buffer,
): Promise<{ answers: () => number[]; isClosed: () => boolean; leave: () => void }> {
  const socket: TLSSocket = connectTls({ host: '127.0.0.1', port, ca, key, cert, ALPNProtocols: ['h2'] });
  socket.on('error', () => undefined);
  let came = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => (came = Buffer.concat([came, chunk])));
  await once(socket, 'secureConnect');
  await new Promise((written) => socket.write(bytes, written));
  const answers = (): number[] => {
    const types: number[] = [];
    for (let at = 0; at + 9 <= came.length; at += 9 + came.readUIntBE(at, 3))
      types.push(came.readUInt8(at + 3));
    return types;
  };
  return { answers, isClosed: () => socket.destroyed, leave: () => void socket.destroy() };
}

/** Type of the frame that refuses a stream. */
export const RST_STREAM = RST;
