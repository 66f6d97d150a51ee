import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { boxBefore, boxKeyPair, hex, rootOfBytes } from '@regulon/shared/crypto';
import {
  BulkCipher,
  CHUNK_BYTES,
  decodeErrorInfo,
  ERROR_KEY,
  FRAME_CHUNK,
  FRAME_COMMIT,
  uploadIdOf,
  type OpenBody,
} from '@regulon/shared/wire';
import { TestAuthority, type Material } from '../support/transport/certificates.js';
import { CTX, FakeCoordinator, H2, MEMBERS, RUN } from '../support/transport/fake-coordinator.js';
import { until } from '../support/until.js';

/** of a frame; the body of OPEN follows */
const HEADER_BYTES = 24;
const SIZE = CHUNK_BYTES * 2 + 100;
const payload = randomBytes(SIZE);
const same = (bytes: Buffer): Buffer => bytes;
let server: Material;
let site: Material;
let folder: string;
let coordinator: FakeCoordinator;
let client: Client;

beforeAll(async () => {
  const authority = await TestAuthority.make();
  server = await authority.coordinator();
  site = await authority.site(1, MEMBERS[0].key);
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regulon-hostile-'));
  coordinator = await new FakeCoordinator(server, folder, SIZE).start();
  client = clientTo(coordinator.ports.bulk);
});
afterEach(async () => {
  client.close();
  await coordinator.stop();
  await rm(folder, { recursive: true });
});

/** A site that builds its frames by hand. */
function stream(
  change: Partial<{ leaseId: Uint8Array; uploadId: Uint8Array; ctx: Uint8Array; site: number }> = {},
) {
  const pair = boxKeyPair();
  const open: OpenBody = {
    ephemeralKey: pair.publicKey,
    streamId: randomBytes(16),
    uploadId: change.uploadId ?? uploadIdOf(CTX, H2, 1),
    leaseId: change.leaseId ?? coordinator.book.lease().leaseId,
  };
  const sharedKey = boxBefore(coordinator.keys.publicKey, pair.secretKey);
  const up = new BulkCipher({ sharedKey, ctx: change.ctx ?? CTX, site: change.site ?? 1, open }, 'up');
  const chunk = (offset: number, end = Math.min(offset + CHUNK_BYTES, SIZE), last = end === SIZE): Buffer =>
    up.seal({ kind: FRAME_CHUNK, last, offset }, payload.subarray(offset, end));
  const commit = (): Buffer =>
    up.seal({ kind: FRAME_COMMIT, last: true, offset: SIZE }, rootOfBytes(payload));
  /** What the coordinator would seal for this site as its second frame. */
  const reflected = (): Buffer => {
    const down = new BulkCipher({ sharedKey, ctx: CTX, site: 1, open }, 'down');
    down.seal({ kind: FRAME_CHUNK, last: false, offset: 0 }, payload.subarray(0, 10));
    return down.seal({ kind: FRAME_CHUNK, last: false, offset: 0 }, payload.subarray(0, CHUNK_BYTES));
  };
  return { openFrame: up.sealOpen(open, 0), chunk, commit, reflected };
}

const changed = (frame: Buffer, at: number): Buffer => {
  const copy = Buffer.from(frame);
  copy.writeUInt8(copy.readUInt8(at) ^ 4, at);
  return copy;
};

/** Send frames; the name of the error, or 'receipt'. */
function put(frames: Buffer[], end = true): Promise<string> {
  return new Promise((resolve) => {
    const call = client.makeClientStreamRequest('/regulon.bulk.v1.BulkService/Put', same, same, (error) =>
      resolve(error === null ? 'receipt' : codeOf(error)),
    );
    for (const frame of frames) call.write(frame);
    if (end) call.end();
  });
}

describe('a hostile site or proxy on the bulk channel', () => {
  it('gets its receipt when it plays by the rules', async () => {
    const { openFrame, chunk, commit } = stream();
    const frames = [openFrame, chunk(0), chunk(CHUNK_BYTES), chunk(CHUNK_BYTES * 2), commit()];
    await expect(put(frames)).resolves.toBe('receipt');
  });

  it.each([
    ['a changed byte of the body', 100],
    ['a changed tag', -1],
    ['a changed offset', 15],
    ['a changed sequence number', 7],
  ])('is refused for %s, and loses what it sent', async (_name, at) => {
    const { openFrame, chunk } = stream();
    const [first, second] = [chunk(0), chunk(CHUNK_BYTES)];
    const place = at < 0 ? second.length + at : at;
    second.writeUInt8(second.readUInt8(place) ^ 2, place);
    await expect(put([openFrame, first, second])).resolves.toBe('E_SEAL');
    expect(coordinator.book.strikes).toHaveLength(1);
    expect(await readdir(join(folder, hex(RUN), '3-0'))).toEqual([]);
  });

  it('is refused for a change of any byte of a header (T9)', async () => {
    for (let at = 0; at < HEADER_BYTES; at++) {
      const { openFrame, chunk } = stream();
      const answer = await put([openFrame, changed(chunk(0), at)]);
      expect([at, answer]).toEqual([at, expect.stringMatching(/^E_(SEAL|MESSAGE)$/)]);
    }
    expect(coordinator.book.strikes).toHaveLength(HEADER_BYTES);
  });

  it.each([
    ['key', 0, 'E_SEAL'],
    ['stream id', 32, 'E_SEAL'],
    ['upload id', 48, 'E_STATE'],
    ['lease', 64, 'E_LEASE'],
    ['tag', 80, 'E_SEAL'],
  ])(
    'is refused for another %s in its OPEN, which is no strike of the site (T9)',
    async (_name, at, code) => {
      await expect(put([changed(stream().openFrame, HEADER_BYTES + at)])).resolves.toBe(code);
      expect(coordinator.book.strikes).toEqual([]);
    },
  );

  it("is refused for the coordinator's own frame, sent back (T9)", async () => {
    const { openFrame, reflected } = stream();
    await expect(put([openFrame, reflected()])).resolves.toBe('E_SEAL');
  });

  it('is refused for a gap, an overlap, a short chunk in the middle, and bytes beyond the end', async () => {
    const orders: ((s: ReturnType<typeof stream>) => Buffer[])[] = [
      (s) => [s.chunk(0), s.chunk(CHUNK_BYTES * 2)],
      (s) => [s.chunk(0), s.chunk(0)],
      (s) => [s.chunk(0, 1000)],
      (s) => [s.chunk(0, CHUNK_BYTES, true)],
    ];
    for (const order of orders) {
      const made = stream();
      await expect(put([made.openFrame, ...order(made)])).resolves.toBe('E_MESSAGE');
    }
    expect(coordinator.book.strikes).toHaveLength(orders.length);
  });

  it('is refused without a lease, for the upload of another site, and under another context', async () => {
    await expect(put([stream({ leaseId: randomBytes(16) }).openFrame])).resolves.toBe('E_LEASE');
    await expect(put([stream({ uploadId: uploadIdOf(CTX, H2, 2) }).openFrame])).resolves.toBe('E_STATE');
    await expect(put([stream({ ctx: H2 }).openFrame])).resolves.toBe('E_SEAL');
    await expect(put([stream({ site: 2 }).openFrame])).resolves.toBe('E_SEAL');
  });

  it('cannot splice frames of two streams', async () => {
    const [one, two] = [stream(), stream()];
    await expect(put([one.openFrame, two.chunk(0)])).resolves.toBe('E_SEAL');
  });

  it('is cancelled when a newer lease opens the same upload, and an older lease cannot come back', async () => {
    const older = stream();
    const lost = put([older.openFrame, older.chunk(0)], false);
    const newer = stream();
    await until(() =>
      coordinator.bulk.status(1, uploadIdOf(CTX, H2, 1)).then(({ nextOffset }) => nextOffset > 0),
    );
    const running = client.makeClientStreamRequest(
      '/regulon.bulk.v1.BulkService/Put',
      same,
      same,
      () => undefined,
    );
    running.write(newer.openFrame);
    await expect(lost).resolves.toBe('E_UPLOAD');
    const returned = put([older.openFrame]);
    await expect(returned).resolves.toBe('E_LEASE');
    running.cancel();
  });

  it('is refused when its first frame is no OPEN, or any frame is too long', async () => {
    await expect(put([randomBytes(50)])).resolves.toBe('E_MESSAGE');
    await expect(put([stream().chunk(0)])).resolves.toBe('E_MESSAGE');
    await expect(put([randomBytes(330 * 1024)])).resolves.toMatch(/RESOURCE_EXHAUSTED|larger than max/);
  });
});

describe('a malformed message on the control channel', () => {
  it.each([
    ['no protocol buffer', Buffer.from([0xff, 0xff, 0xff])],
    ['an empty message', Buffer.alloc(0)],
    ['a box of wrong sizes', Buffer.from([0x0a, 0x05, 0x0a, 0x03, 1, 2, 3])],
  ])('is answered INVALID_ARGUMENT: %s', async (_name, bytes) => {
    const control = clientTo(coordinator.ports.control);
    const error = await new Promise<ServiceError | null>((resolve) => {
      control.makeUnaryRequest('/regulon.control.v1.ControlService/Exchange', same, same, bytes, (e) =>
        resolve(e),
      );
    });
    control.close();
    expect(error).toMatchObject({ code: 3, details: 'E_MESSAGE' });
  });
});

function clientTo(port: number): Client {
  const [ca, key, cert] = [site.ca, site.key, site.cert].map((pem) => Buffer.from(pem));
  const target = `127.0.0.1:${port}`;
  return new Client(target, credentials.createSsl(ca, key, cert), {
    'grpc.ssl_target_name_override': 'localhost',
  });
}
function codeOf(error: ServiceError): string {
  const info = error.metadata.get(ERROR_KEY)[0];
  return Buffer.isBuffer(info) ? decodeErrorInfo(info).code : error.details;
}
