import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { randomBytes } from '@regulon/shared/crypto';
import { type Material, TestAuthority } from '../support/transport/certificates.js';
import { FakeCoordinator, MEMBERS } from '../support/transport/fake-coordinator.js';

const includeDirs = [fileURLToPath(new URL('../../proto', import.meta.url))];
const same = (bytes: Buffer): Buffer => bytes;

/** Every method that the protocol files define, by the port that serves it. */
const routes = (['control', 'bulk'] as const).flatMap((port) => {
  const services = loadSync(`regulon/${port}/v1/${port}.proto`, { includeDirs });
  return Object.values(services).flatMap((service) =>
    Object.values(service as Record<string, MethodDefinition<object, object>>).flatMap((method) =>
      typeof method === 'object' && 'requestStream' in method ? [{ port, method, path: method.path }] : [],
    ),
  );
});

describe('access to the gRPC services', () => {
  let folder: string;
  let coordinator: FakeCoordinator;
  let authority: TestAuthority;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regulon-grpc-access-'));
    authority = await TestAuthority.make();
    coordinator = await new FakeCoordinator(await authority.coordinator(), folder).start();
  });
  afterAll(async () => {
    await coordinator.stop();
    await rm(folder, { recursive: true });
  });

  /** Status with which a call of garbage ends. */
  async function call(
    { port, method }: (typeof routes)[number],
    { ca, key, cert }: Material,
  ): Promise<number> {
    const [a, b, c] = [ca, key, cert].map((pem) => Buffer.from(pem));
    const tls = { 'grpc.ssl_target_name_override': 'localhost' };
    const address = `127.0.0.1:${coordinator.ports[port]}`;
    const client = new Client(address, credentials.createSsl(a, b, c), tls);
    const garbage = Buffer.from(randomBytes(64));
    const { path, requestStream, responseStream } = method;
    const deadline = { deadline: Date.now() + 20_000 };
    try {
      return await new Promise((resolve) => {
        const end = (error: ServiceError | null): void => resolve(error?.code ?? status.OK);
        if (responseStream) {
          const stream = client.makeServerStreamRequest(path, same, same, garbage, deadline);
          stream
            .on('error', end)
            .on('data', () => resolve(status.OK))
            .on('end', () => resolve(status.OK));
        } else if (requestStream) {
          const stream = client.makeClientStreamRequest(path, same, same, deadline, end);
          stream.on('error', () => undefined);
          stream.end(garbage);
        } else client.makeUnaryRequest(path, same, same, garbage, deadline, end);
      });
    } finally {
      client.close();
    }
  }

  it('is looked at for every method of the protocol', () => {
    expect(routes.map(({ path }) => path).sort()).toEqual([
      '/regulon.bulk.v1.BulkService/Get',
      '/regulon.bulk.v1.BulkService/Put',
      ...['Exchange', 'Fetch', 'GetBoxKey', 'Watch'].map(
        (name) => `/regulon.control.v1.ControlService/${name}`,
      ),
    ]);
  });

  it.each(routes)('$path: nobody but a member, with the identity key of the roster', async (route) => {
    const strangers = [
      await authority.site(9, MEMBERS[0].key),
      await authority.site(1, MEMBERS[1].key),
      await authority.coordinator(),
    ];
    for (const stranger of strangers) expect(await call(route, stranger)).toBe(status.UNAUTHENTICATED);
    const member = await call(route, await authority.site(1, MEMBERS[0].key));
    expect(member).not.toBe(status.UNAUTHENTICATED);
    expect(member).not.toBe(status.DEADLINE_EXCEEDED);
    expect(member).not.toBe(status.UNAVAILABLE);
  });

  it.each(routes)('$path: no certificate of another authority', async (route) => {
    const other = await TestAuthority.make('CN=somebody else');
    const { ca } = await authority.coordinator();
    const stranger = await other.site(1, MEMBERS[0].key);
    expect(await call(route, { ...stranger, ca })).toBe(status.UNAVAILABLE);
  });
});
