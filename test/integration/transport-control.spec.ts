import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { registry } from '@regulon/shared/errors';
import { publicKeyOf, randomBytes } from '@regulon/shared/crypto';
import type { Notice } from '@regulon/shared/wire';
import { CoordinatorConnection, type ConnectionOptions } from '@regulon/client/transport';
import { TestAuthority, type Material } from '../support/transport/certificates.js';
import {
  FakeCoordinator,
  MEMBERS,
  ROSTER_HASH,
  RUN,
  STATEMENT_SEED,
} from '../support/transport/fake-coordinator.js';
import { lastingPorts } from '../support/transport/lasting-ports.js';
import { until } from '../support/until.js';

let authority: TestAuthority;
let coordinator: FakeCoordinator;
let site: Material;
let folder: string;
const open: CoordinatorConnection[] = [];

function connection(change: Partial<ConnectionOptions> = {}): CoordinatorConnection {
  const made = new CoordinatorConnection({
    host: '127.0.0.1',
    controlPort: coordinator.ports.control,
    bulkPort: coordinator.ports.bulk,
    tls: site,
    site: 1,
    coordinatorKey: publicKeyOf(STATEMENT_SEED),
    rosterHash: ROSTER_HASH,
    daemonVersion: 'test',
    ...change,
  });
  open.push(made);
  return made;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regulon-control-'));
  authority = await TestAuthority.make();
  site = await authority.site(1, MEMBERS[0].key);
  coordinator = await new FakeCoordinator(await authority.coordinator(), folder).start(await lastingPorts());
});
afterAll(async () => {
  await Promise.all(open.map((each) => each.close()));
  await coordinator.stop();
  await rm(folder, { recursive: true });
});

describe('control channel over mutual TLS', () => {
  it('says hello and answers as the site of the certificate', async () => {
    const hello = await connection().connect();
    expect(hello).toMatchObject({ protocolVersion: 1, checkpointNote: 'site 1' });
  });

  it('carries half a megabyte in a request and in an item, and many items in order', async () => {
    const link = connection();
    const reply = await link.exchange({ type: 'appendEntry', entry: randomBytes(500_000) });
    expect(reply.index).toBe(500_000);
    const [contract] = await link.fetch({ type: 'runContract', run: RUN });
    expect(contract?.contract).toEqual(new Uint8Array(200_000).fill(7));
    const items = await link.fetch({ type: 'advertised', run: RUN, round: 0, attempt: 0 });
    expect(items.map((item) => item.message[5])).toEqual(Array.from({ length: 255 }, (_, i) => i));
  });

  it('brings an error of the coordinator with code and message, not with its hint, and nothing of a defect', async () => {
    const link = connection();
    const refuse = { type: 'refuse', run: RUN, round: 0, attempt: 0, stage: 'r1', code: 'E_POLICY' } as const;
    await expect(link.exchange(refuse)).rejects.toMatchObject({
      code: 'E_POLICY',
      message: 'the coordinator says: refused on purpose – “ü”',
      hint: registry.E_POLICY.next,
    });
    const beat = link.exchange({ type: 'beat', run: RUN, round: 0, step: 'x', note: '' });
    await expect(beat).rejects.toMatchObject({
      ...{ code: 'E_INTERNAL', message: 'the coordinator says: the coordinator met a defect' },
    });
    expect(coordinator.defects).toMatchObject([{ message: expect.stringContaining('secret') as unknown }]);
    await expect(link.fetch({ type: 'manifest', run: RUN, round: 0 })).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
    });
  });

  it('takes no more items than a query can have, and goes on', async () => {
    const link = connection();
    coordinator.gateway.sites = 1_000_000;
    const endless = link.fetch({ type: 'advertised', run: RUN, round: 0, attempt: 0 });
    await expect(endless).rejects.toMatchObject({
      code: 'E_MESSAGE',
      message: expect.stringContaining('255') as unknown,
    });
    await expect(link.connect()).resolves.toMatchObject({ protocolVersion: 1 });
  });

  it('goes on after a restart of the coordinator: new box key, new watch stream with the current state', async () => {
    const link = connection();
    const notices: Notice[] = [];
    const states: string[] = [];
    link.onState((state) => states.push(state));
    link.onNotice((notice) => notices.push(notice));
    await until(() => notices.length === 1);
    const asked = coordinator.restart().then(() => link.connect());
    await expect(asked).resolves.toMatchObject({ protocolVersion: 1 });
    await until(() => notices.length === 2);
    for (const emit of coordinator.gateway.listeners)
      emit({ type: 'stage', run: RUN, round: 1, attempt: 0, stage: 'r3' });
    await until(() => notices.length === 3);
    expect(notices[1]).toEqual({ type: 'run', run: RUN, state: 'running' });
    expect(states).toEqual(expect.arrayContaining(['connected', 'reconnecting']));
    await link.close();
    await until(() => coordinator.gateway.listeners.size === 0);
  });
});

describe('who may connect', () => {
  it('refuses a certificate of another authority, and says on which side', async () => {
    const other = await TestAuthority.make('CN=somebody else');
    const stranger = await other.site(1, MEMBERS[0].key);
    const ourAuthority = connection({ tls: { ...stranger, ca: site.ca } });
    await expect(ourAuthority.connect()).rejects.toMatchObject({
      code: 'E_CERTIFICATE',
      message: expect.stringContaining('refuses the certificate of this site'),
    });
    const theirAuthority = connection({ tls: { ...site, ca: stranger.ca } });
    await expect(theirAuthority.connect()).rejects.toMatchObject({
      code: 'E_CERTIFICATE',
      message: expect.stringContaining('of the coordinator at 127.0.0.1'),
    });
  });

  it('refuses a certificate that has run out, on either side', async () => {
    const over = connection({ tls: await authority.site(1, MEMBERS[0].key, -1) });
    await expect(over.connect()).rejects.toMatchObject({
      code: 'E_CERTIFICATE',
      message: expect.stringContaining('refuses the certificate of this site'),
    });
    await expect(connection().connect()).resolves.toMatchObject({ protocolVersion: 1 });
    const old = new FakeCoordinator(await authority.coordinator(-1), folder);
    await expect(old.start()).rejects.toMatchObject({ code: 'E_CONNECTION' });
    const { control } = old;
    const toOld = connection({ controlPort: control.port });
    await expect(toOld.connect()).rejects.toMatchObject({
      code: 'E_CERTIFICATE',
      message: expect.stringContaining('CERT_HAS_EXPIRED'),
    });
    await control.close();
  });

  it('does not speak with a coordinator of another protocol version', async () => {
    coordinator.gateway.protocolVersion = 2;
    await expect(connection().connect()).rejects.toMatchObject({ code: 'E_VERSION' });
    coordinator.gateway.protocolVersion = 1;
  });

  it('refuses a site that is not in the roster, and one with another identity key', async () => {
    const unknown = connection({ tls: await authority.site(9, MEMBERS[0].key) });
    await expect(unknown.connect()).rejects.toMatchObject({ code: 'E_CERTIFICATE' });
    const rekeyed = connection({ tls: await authority.site(1, MEMBERS[1].key) });
    await expect(rekeyed.connect()).rejects.toMatchObject({
      code: 'E_CERTIFICATE',
      message: expect.stringContaining('another identity key'),
    });
  });

  it('refuses a coordinator that does not hold the statement key of the roster', async () => {
    const link = connection({ coordinatorKey: publicKeyOf(randomBytes(32)) });
    await expect(link.connect()).rejects.toMatchObject({ code: 'E_ROSTER' });
  });

  it('names an unreachable coordinator with its address', async () => {
    const link = connection({ controlPort: 1 });
    await expect(link.connect({ timeoutMs: 3_000 })).rejects.toMatchObject({
      code: 'E_CONNECTION',
      message: 'the coordinator at 127.0.0.1:1 cannot be reached (ECONNREFUSED)',
    });
  });
});
