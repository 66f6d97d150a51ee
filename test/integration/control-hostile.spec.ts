import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from '@regulon/shared/crypto';
import {
  decodeErrorInfo,
  ERROR_KEY,
  queryCodec,
  requestCodec,
  type Sealed,
  SealedSender,
} from '@regulon/shared/wire';
import { TestSites } from '../faults/support/test-sites.js';
import { FakeCoordinator, ROSTER_HASH, RUN } from '../support/transport/fake-coordinator.js';

const MIB = 1 << 20;
const hello = requestCodec.encode({
  type: 'hello',
  protocolVersions: [1],
  rosterHash: ROSTER_HASH,
  daemonVersion: 'test',
  nowMs: 5,
});
const query = queryCodec.encode({ type: 'runContract', run: RUN });
const entry = requestCodec.encode({ type: 'appendEntry', entry: new Uint8Array(10) });
const same = (bytes: Buffer): Buffer => bytes;

/** A length-delimited field of a protocol buffer. */
function field(number: number, bytes: Uint8Array): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([8 * number + 2, ...length, rest]), bytes]);
}
const envelope = ({ ephemeralKey, nonce, box }: Sealed): Buffer =>
  field(1, Buffer.concat([field(1, ephemeralKey), field(2, nonce), field(3, box)]));

describe('a hostile site on the control channel', () => {
  let folder: string;
  let sites: TestSites;
  let coordinator: FakeCoordinator;
  let client: Client;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regulon-control-hostile-'));
    sites = await TestSites.make(2);
    coordinator = await new FakeCoordinator(sites.server, folder).start();
    const { ca, key, cert } = await sites.certificate(1);
    const [a, k, c] = [ca, key, cert].map((pem) => Buffer.from(pem));
    client = new Client(`127.0.0.1:${coordinator.ports.control}`, credentials.createSsl(a, k, c), {
      'grpc.ssl_target_name_override': 'localhost',
    });
  });
  afterAll(async () => {
    client.close();
    await sites.disconnect();
    await coordinator.stop();
    await rm(folder, { recursive: true });
  });

  /** @returns 'answered', the named error, or gRPC's words */
  const exchange = (message: Buffer): Promise<string> =>
    new Promise((resolve) => {
      const path = '/regulon.control.v1.ControlService/Exchange';
      client.makeUnaryRequest(path, same, same, message, (error) =>
        resolve(error === null ? 'answered' : codeOf(error)),
      );
    });
  const sealed = (payload: Uint8Array, call: 'exchange' | 'fetch' | 'watch' = 'exchange'): Sealed =>
    new SealedSender(coordinator.keys.publicKey).seal(call, payload).sealed;
  const changed = (how: (good: Sealed) => Partial<Sealed>): Sealed => {
    const good = sealed(hello);
    return { ...good, ...how(good) };
  };
  const flip = (box: Uint8Array): Uint8Array =>
    Uint8Array.from(box, (byte, i) => (i === 20 ? byte ^ 1 : byte));

  it.each<[string, () => Sealed, string]>([
    ['a truncated box', () => changed(({ box }) => ({ box: box.subarray(0, box.length - 1) })), 'E_SEAL'],
    ['no change at all', () => changed(() => ({})), 'answered'],
    ['a changed box', () => changed(({ box }) => ({ box: flip(box) })), 'E_SEAL'],
    ['a box under another nonce', () => changed(() => ({ nonce: randomBytes(24) })), 'E_SEAL'],
    ['a box of another call', () => sealed(hello, 'fetch'), 'E_SEAL'],
    ['a low-order key', () => changed(() => ({ ephemeralKey: new Uint8Array(32) })), 'E_LOW_ORDER'],
    ['a key of another length', () => changed(() => ({ ephemeralKey: new Uint8Array(31) })), 'E_MESSAGE'],
    ['a truncated request', () => sealed(hello.subarray(0, hello.length - 3)), 'E_MESSAGE'],
    ['a query in place of a request', () => sealed(query), 'E_MESSAGE'],
    ['noise', () => sealed(randomBytes(300)), 'E_MESSAGE'],
    ['nothing', () => sealed(new Uint8Array(0)), 'E_MESSAGE'],
    ['more than a message may hold', () => sealed(new Uint8Array(MIB)), 'RESOURCE_EXHAUSTED'],
  ])('is answered by name for %s, and the other sites are served', async (_what, message, expected) => {
    const code = await exchange(envelope(message()));
    expect(code.replace(/^.*larger than max.*$/, 'RESOURCE_EXHAUSTED')).toBe(expected);
    const other = await sites.connect(2, coordinator.ports);
    expect(await other.connect()).toMatchObject({ checkpointNote: 'site 2' });
    expect(coordinator.defects).toEqual([]);
  });

  it('may send a request again, byte for byte: it is answered like the first', async () => {
    const again = envelope(sealed(entry));
    expect([await exchange(again), await exchange(again)]).toEqual(['answered', 'answered']);
  });
});

function codeOf(error: ServiceError): string {
  const info = error.metadata.get(ERROR_KEY)[0];
  return Buffer.isBuffer(info) ? decodeErrorInfo(info).code : error.details;
}
