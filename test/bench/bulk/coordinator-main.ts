/** The coordinator's two servers as a process of their own, without rounds; beside them a server as grpc-js makes it. */
import { readFileSync } from 'node:fs';
import { Server, ServerCredentials, type ServerReadableStream, type sendUnaryData } from '@grpc/grpc-js';
import { hex, publicKeyOf } from '@regulon/shared/crypto';
import { tuneHeapForStreams } from '@regulon/shared/heap';
import { uploadIdOf } from '@regulon/shared/wire';
import { ThreadBulkChannel } from '@regulon/coordinator/bulk';
import { BoxKeys, type ExpectedUpload, startControlServer } from '@regulon/coordinator/transport';
import {
  CTX,
  FakeBook,
  FakeGateway,
  MemoryRows,
  ROSTER_HASH,
  RUN,
  STATEMENT_SEED,
} from '../../support/transport/fake-coordinator.js';
import type { Material } from '../../support/transport/certificates.js';
import { h2Of, type Listening, memberOf, type Memory, rawPut, type Setup } from './contract.js';

/** Expects one upload of every site in every turn. */
class TurnBook extends FakeBook {
  private readonly uploads = new Map<string, ExpectedUpload>();

  constructor({ size, sites, turns }: Setup) {
    super(size);
    for (let turn = 0; turn < turns; turn++) {
      for (let site = 1; site <= sites; site++) {
        const upload = { site, runId: RUN, round: 1, attempt: turn, ctx: CTX, size };
        this.uploads.set(hex(uploadIdOf(CTX, h2Of(turn), site)), upload);
      }
    }
  }

  override expected(uploadId: Uint8Array): ExpectedUpload | undefined {
    return this.uploads.get(hex(uploadId));
  }
}

async function listen(setup: Setup): Promise<Listening> {
  const { folder, tls, sites } = setup;
  const book = new TurnBook(setup);
  const boxKeys = BoxKeys.fromSeed(ROSTER_HASH, STATEMENT_SEED);
  const members = Array.from({ length: sites }, (_, k) => memberOf(k + 1));
  const fail = (error: unknown): void => {
    throw error;
  };
  const common = { boxKeys, members, tls, host: '127.0.0.1', port: 0, report: fail };
  const bulk = new ThreadBulkChannel({ ...common, folder, book, rows: new MemoryRows() }, fail);
  const gateway = new FakeGateway(bulk, book, boxKeys);
  const control = await startControlServer({ ...common, gateway });
  return {
    ...{ control: control.port, bulk: await bulk.listen(), stock: await listenStock(tls) },
    key: [...publicKeyOf(STATEMENT_SEED)],
  };
}

/** A grpc-js server without the window work-around: takes frames, keeps nothing. */
function listenStock({ ca, cert, key }: Material): Promise<number> {
  const server = new Server({ 'grpc.max_receive_message_length': 1 << 20 });
  const Put = (call: ServerReadableStream<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void => {
    call.on('data', () => undefined);
    call.on('end', () => reply(null, Buffer.alloc(1)));
  };
  server.addService({ Put: rawPut }, { Put });
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
  const credentials = ServerCredentials.createSsl(Buffer.from(ca), [pair], true);
  return new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error ? reject(error) : resolve(port))),
  );
}

/** Resident bytes of this process, now and at most so far. */
function memory(): Memory {
  const status = readFileSync('/proc/self/status', 'utf8');
  const field = (name: string): number => 1024 * Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
  return { now: field('VmRSS'), peak: field('VmHWM') };
}

tuneHeapForStreams('latency');
process.on('message', (message: Setup | 'memory') => {
  if (message === 'memory') process.send?.(memory());
  else void listen(message).then((listening) => process.send?.(listening));
});
process.on('disconnect', () => process.exit());
