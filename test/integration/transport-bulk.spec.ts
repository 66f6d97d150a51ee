import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTo } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { hex, publicKeyOf, rootOfBytes } from '@regulon/shared/crypto';
import { uploadIdOf } from '@regulon/shared/wire';
import { committedPath, recoverSpool, SpoolUploads, startBulkServer } from '@regulon/coordinator/transport';
import { type BulkChannel, type BulkOptions, ThreadBulkChannel } from '@regulon/coordinator/bulk';
import { CoordinatorConnection, type UploadJob } from '@regulon/client/transport';
import { serveBulk } from '../../coordinator/src/bulk/bulk-side.js';
import { TestAuthority, type Material } from '../support/transport/certificates.js';
import {
  CTX,
  FakeCoordinator,
  H2,
  MEMBERS,
  ROSTER_HASH,
  RUN,
  STATEMENT_SEED,
} from '../support/transport/fake-coordinator.js';
import { lastingPorts } from '../support/transport/lasting-ports.js';

const SIZE = 20 * 1024 * 1024 + 12_345;
let server: Material;
let site: Material;
let folder: string;
let coordinator: FakeCoordinator;
let link: CoordinatorConnection;
const payload = randomBytes(SIZE);

const linkTo = (target: FakeCoordinator): CoordinatorConnection =>
  new CoordinatorConnection({
    host: '127.0.0.1',
    controlPort: target.ports.control,
    bulkPort: target.ports.bulk,
    tls: site,
    site: 1,
    coordinatorKey: publicKeyOf(STATEMENT_SEED),
    rosterHash: ROSTER_HASH,
    daemonVersion: 'test',
  });
const job = (more: Partial<UploadJob> = {}): UploadJob => ({
  run: RUN,
  round: 3,
  attempt: 0,
  ctx: CTX,
  h2: H2,
  path: join(folder, 'masked.bin'),
  commit: rootOfBytes(payload),
  ...more,
});
const spoolFolder = (): string => join(folder, 'spool');
const spooled = (): string => committedPath(spoolFolder(), { runId: RUN, round: 3, attempt: 0, site: 1 });

beforeAll(async () => {
  const authority = await TestAuthority.make();
  server = await authority.coordinator();
  site = await authority.site(1, MEMBERS[0].key);
});
/** The bulk channel as in a thread of its own: everything between it and the coordinator passes a message port. */
const throughPort = (options: BulkOptions): BulkChannel => {
  const fail = (error: unknown): void => {
    throw error;
  };
  return new ThreadBulkChannel(options, fail, (data) => {
    const { port1, port2 } = new MessageChannel();
    serveBulk(port2, data);
    return Object.assign(port1, { terminate: () => Promise.resolve(port1.close()) });
  });
};

/** Before each test a coordinator in an empty folder, and a site that is connected to it. */
function eachWithCoordinator(newBulk?: (options: BulkOptions) => BulkChannel): void {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regulon-bulk-'));
    await writeFile(join(folder, 'masked.bin'), payload);
    coordinator = await new FakeCoordinator(server, spoolFolder(), SIZE, newBulk).start(await lastingPorts());
    link = linkTo(coordinator);
  });
  afterEach(async () => {
    await link.close();
    await coordinator.stop();
    await rm(folder, { recursive: true });
  });
}

describe('a server that is closed', () => {
  eachWithCoordinator();

  it.each(['control', 'bulk'] as const)(
    '%s ends a connection whose handshake was under way',
    async (name) => {
      const to = { port: coordinator.ports[name], host: '127.0.0.1' };
      const socket = connectTo(to);
      await once(socket, 'connect');
      // the next one is through its handshake: the server has taken this one in
      const next = tlsConnect({ ...to, ...site });
      await once(next, 'secureConnect');
      next.destroy();
      await coordinator.stop();
      const late = tlsConnect({ ...site, socket, host: to.host, ALPNProtocols: ['h2'] });
      const session = connectHttp2(`https://${to.host}`, { createConnection: () => late });
      session.on('error', () => undefined);
      await once(session, 'close');
      await coordinator.start();
    },
  );
});

describe.each([
  ['on the calling thread', undefined],
  ['behind a message port', throughPort],
])('bulk channel %s', (_where, newBulk) => {
  eachWithCoordinator(newBulk);

  describe('upload', () => {
    it('arrives whole, once, with a receipt that repetition repeats', async () => {
      const receipt = await link.upload(job());
      expect(receipt).toEqual(coordinator.book.receiptOf(rootOfBytes(payload)));
      expect((await readFile(spooled())).equals(payload)).toBe(true);
      expect(await link.upload(job())).toEqual(receipt);
      expect(coordinator.book.accepts).toHaveLength(1);
      expect(coordinator.book.strikes).toEqual([]);
      const uploadId = uploadIdOf(CTX, H2, 1);
      const status = await link.exchange({ type: 'uploadStatus', uploadId });
      expect(status).toMatchObject({ state: 'committed', nextOffset: SIZE });
    });

    it('resumes after the coordinator dies at random offsets', async () => {
      const kills = [randomInt(SIZE), randomInt(SIZE), randomInt(SIZE)].sort((a, b) => a - b);
      let restarts = Promise.resolve();
      let starts = 0;
      let last = SIZE;
      const onProgress = (sent: number): void => {
        if (sent < last) starts++;
        last = sent;
        if (sent < (kills[0] ?? Infinity)) return;
        kills.shift();
        restarts = restarts.then(() => coordinator.restart());
      };
      await link.upload(job({ onProgress }));
      await restarts;
      expect((await readFile(spooled())).equals(payload)).toBe(true);
      expect(coordinator.book.strikes).toEqual([]);
      expect(starts).toBeGreaterThan(0);
    });

    it('resumes with another connection where the first one died', async () => {
      const stop = new AbortController();
      const at = randomInt(10_000_000, SIZE - 1_000_000);
      const onProgress = (sent: number): void => {
        if (sent > at) stop.abort(new Error('killed'));
      };
      await expect(link.upload(job({ onProgress, signal: stop.signal }))).rejects.toThrow('killed');
      await link.close();
      link = linkTo(coordinator);
      const offsets: number[] = [];
      await link.upload(job({ onProgress: (sent) => offsets.push(sent) }));
      expect(offsets[0]).toBeGreaterThan(262_144);
      expect((await readFile(spooled())).equals(payload)).toBe(true);
    });

    it('refuses bytes that are not those of the signed root, and removes them', async () => {
      const wrong = job({ commit: rootOfBytes(Buffer.from('something else')) });
      await expect(link.upload(wrong)).rejects.toMatchObject({ code: 'E_UPLOAD_ROOT' });
      expect(coordinator.book.strikes).toHaveLength(1);
      expect(await readdir(join(spoolFolder(), hex(RUN), '3-0'))).toEqual([]);
    });

    it.each([
      ['not sent yet', SIZE - 1],
      ['sent before', 1],
    ])('refuses a resumed upload whose bytes changed, those %s (T7)', async (_which, at) => {
      const stop = new AbortController();
      const onProgress = (sent: number): void => {
        if (sent > SIZE / 2) stop.abort(new Error('killed'));
      };
      await expect(link.upload(job({ onProgress, signal: stop.signal }))).rejects.toThrow('killed');
      const altered = Buffer.from(payload);
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
      await writeFile(job().path, altered);
      // whichever of the two vectors the commit is for, the coordinator holds one part of each
      const commit = rootOfBytes(at === 1 ? altered : payload);
      await expect(link.upload(job({ commit }))).rejects.toMatchObject({ code: 'E_UPLOAD_ROOT' });
      expect(coordinator.book.strikes).toHaveLength(1);
      expect(await readdir(join(spoolFolder(), hex(RUN), '3-0'))).toEqual([]);
    });

    it('sends nothing after the deadline by its own clock, and says so', async () => {
      const anHourAgo = Date.now() - 3_600_000;
      await expect(link.upload(job({ deadlineMs: anHourAgo }))).rejects.toMatchObject({ code: 'E_DEADLINE' });
      const uploadId = uploadIdOf(CTX, H2, 1);
      expect(await link.exchange({ type: 'uploadStatus', uploadId })).toMatchObject({ state: 'absent' });
      await expect(link.upload(job())).resolves.toHaveLength(64);
    });

    it('refuses a second commit with another root', async () => {
      await link.upload(job());
      const wrong = job({ commit: rootOfBytes(Buffer.from('something else')) });
      await expect(link.upload(wrong)).rejects.toMatchObject({ code: 'E_STATE' });
      expect(coordinator.book.strikes).toEqual(['a second commit with another root']);
    });

    it('finishes at start-up what a crash broke off, and quarantines what nothing explains', async () => {
      await link.upload(job());
      for (const row of await coordinator.rows.open()) await coordinator.rows.committing(row);
      await writeFile(join(spoolFolder(), hex(RUN), '3-0', 'strange'), 'x');
      const { book, rows } = coordinator;
      const recover = () => recoverSpool({ folder: spoolFolder(), book, rows }, () => false);
      const found = await recover();
      expect(found).toMatchObject({
        finished: [{ site: 1 }],
        lost: [],
        undone: [],
        quarantined: [expect.any(String)],
      });
      await rm(spooled());
      const later = await recover();
      expect(later).toMatchObject({ finished: [], lost: [{ site: 1 }], quarantined: [] });
    });
  });

  describe('download', () => {
    const blobAt = async (bytes: Buffer): Promise<Uint8Array> => {
      const digest = rootOfBytes(payload);
      const path = join(folder, 'blob.bin');
      await writeFile(path, bytes);
      coordinator.book.blobs.set(hex(digest.slice(0, 16)), { digest, path });
      return digest;
    };

    it('brings the bytes of the digest, also after the coordinator died half-way', async () => {
      const digest = await blobAt(payload);
      const path = join(folder, 'model.bin');
      const download = link.download({ digest, path, size: SIZE });
      await coordinator.restart();
      await download;
      expect((await readFile(path)).equals(payload)).toBe(true);
    });

    it('refuses other bytes than those of the digest and leaves no file', async () => {
      const wrong = Buffer.from(payload);
      wrong.writeUInt8(wrong.readUInt8(SIZE - 5) ^ 1, SIZE - 5);
      const digest = await blobAt(wrong);
      const path = join(folder, 'model.bin');
      await expect(link.download({ digest, path, size: SIZE })).rejects.toMatchObject({ code: 'E_DIGEST' });
      expect(await readdir(folder)).not.toContain('model.bin');
    });

    it('names a blob that does not exist', async () => {
      const unknown = { digest: new Uint8Array(randomBytes(32)), path: join(folder, 'x'), size: 5 };
      await expect(link.download(unknown)).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    });
  });
});

describe('the window work-around', () => {
  eachWithCoordinator();

  const start = (omit: 'stream window' | 'connection window') =>
    startBulkServer({
      uploads: new SpoolUploads({ folder: spoolFolder(), book: coordinator.book, rows: coordinator.rows }),
      boxKeys: coordinator.keys,
      members: MEMBERS,
      tls: server,
      host: '127.0.0.1',
      port: 0,
      report: () => undefined,
      omit,
    });

  it('is measured at start-up: without either half the server refuses to start', async () => {
    await expect(start('stream window')).rejects.toMatchObject({
      code: 'E_TRANSPORT',
      message: expect.stringContaining('stream window'),
    });
    await expect(start('connection window')).rejects.toMatchObject({
      code: 'E_TRANSPORT',
      message: expect.stringContaining('connection window'),
    });
  });

  it('comes with TLS 1.3 only', async () => {
    for (const port of [coordinator.ports.control, coordinator.ports.bulk]) {
      const code = await new Promise((resolve) => {
        const socket = tlsConnect({ host: '127.0.0.1', port, ...site, maxVersion: 'TLSv1.2' });
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
        socket.once('secureConnect', () => resolve('connected'));
      });
      expect(code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    }
  });
});
