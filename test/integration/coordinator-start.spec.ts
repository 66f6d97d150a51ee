import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InlineAggregator } from '@regulon/coordinator/aggregation';
import { startCoordinator } from '@regulon/coordinator/app';
import { type BulkOptions, InlineBulkChannel } from '@regulon/coordinator/bulk';
import type { Settings } from '@regulon/coordinator/config';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';
import { type Material, TestAuthority } from '../support/transport/certificates.js';

describe('start of a coordinator', () => {
  let folder: string;
  let tls: Material;
  let occupant: Server;
  let taken: number;
  const fatal: unknown[] = [];
  const environment = {
    aggregator: new InlineAggregator(),
    newBulk: (options: BulkOptions) => new InlineBulkChannel(options),
    fatal: (error: unknown) => void fatal.push(error),
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-start-'));
    tls = await (await TestAuthority.make()).coordinator();
    occupant = createServer();
    await new Promise<void>((resolve) => occupant.listen(0, '127.0.0.1', resolve));
    const address = occupant.address();
    taken = typeof address === 'object' && address !== null ? address.port : 0;
  });
  afterEach(() => {
    occupant.close();
    expect(fatal).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  it.each(['httpPort', 'bulkPort', 'controlPort'] as const)(
    'names a %s that is taken, and leaves nothing open: the next start succeeds',
    async (port) => {
      const { settings } = new SimulatedFederation(folder);
      const withPort = (number: number): Settings => {
        const listen = { ...settings.config.listen, [port]: number };
        return { ...settings, tls, config: { ...settings.config, listen } };
      };
      await expect(startCoordinator(withPort(taken), environment)).rejects.toMatchObject({
        code: 'E_ENVIRONMENT',
        message: expect.stringContaining(String(taken)) as unknown,
      });
      const running = await startCoordinator(withPort(0), environment);
      const ready = await fetch(`http://127.0.0.1:${running.http}/readyz`);
      expect(await ready.json()).toEqual({ status: 'ready' });
      await running.close();
      await expect(fetch(`http://127.0.0.1:${running.http}/readyz`)).rejects.toThrow();
    },
  );
});
