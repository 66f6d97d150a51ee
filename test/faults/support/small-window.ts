import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerReadableStream } from '@grpc/grpc-js';
import type { Material } from '../../support/transport/certificates.js';

const PATH = '/regulon.bulk.v1.BulkService/Put';
const FRAME = Buffer.alloc(256 << 10, 7);
const same = (bytes: Buffer): Buffer => bytes;

/** A bulk server as grpc-js makes it by itself: mutual TLS, windows of 64 KiB. It counts what it gets. */
export async function smallWindowServer(tls: Material): Promise<{ port: number; close: () => void }> {
  const server = new Server();
  const put = async (call: ServerReadableStream<Buffer, Buffer>): Promise<Buffer> => {
    let bytes = 0;
    for await (const frame of call as AsyncIterable<Buffer>) bytes += frame.length;
    return Buffer.from(String(bytes));
  };
  const definition = { requestSerialize: same, requestDeserialize: same, responseSerialize: same };
  server.addService(
    {
      Put: {
        ...{ path: PATH, requestStream: true, responseStream: false, responseDeserialize: same },
        ...definition,
      },
    },
    {
      Put: (call: ServerReadableStream<Buffer, Buffer>, reply: sendUnaryData<Buffer>) =>
        void put(call).then((answer) => reply(null, answer), reply),
    },
  );
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) };
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(
      '127.0.0.1:0',
      ServerCredentials.createSsl(Buffer.from(tls.ca), [pair], true),
      (error, bound) => (error ? reject(error) : resolve(bound)),
    ),
  );
  return { port, close: () => server.forceShutdown() };
}

/** A client that pushes plain frames, as fast as the windows let it. */
export class PlainSender {
  private readonly client: Client;

  constructor(port: number, { ca, key, cert }: Material) {
    const [a, b, c] = [ca, key, cert].map((pem) => Buffer.from(pem));
    this.client = new Client(`127.0.0.1:${port}`, credentials.createSsl(a, b, c), {
      'grpc.ssl_target_name_override': 'localhost',
    });
  }

  ready(): Promise<void> {
    return new Promise((resolve, reject) =>
      this.client.waitForReady(Date.now() + 60_000, (error) => (error ? reject(error) : resolve())),
    );
  }

  /** @returns bytes that arrived */
  async send(bytes: number): Promise<number> {
    let settle: (error: Error | null, answer?: Buffer) => void = () => undefined;
    const answer = new Promise<Buffer>((resolve, reject) => {
      settle = (error, frame) => (error || !frame ? reject(error ?? new Error('no answer')) : resolve(frame));
    });
    const call = this.client.makeClientStreamRequest(PATH, same, same, (error, frame?: Buffer) =>
      settle(error, frame),
    );
    for (let sent = 0; sent < bytes; sent += FRAME.length) {
      if (!call.write(FRAME.subarray(0, bytes - sent)))
        await new Promise((drained) => call.once('drain', drained));
    }
    call.end();
    return Number((await answer).toString());
  }

  close(): void {
    this.client.close();
  }
}
