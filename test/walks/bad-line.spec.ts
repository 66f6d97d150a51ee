import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { compiled } from '../support/real-federation.js';
import { calmRun, roughRun, type Weather } from '../faults/support/bad-line-run.js';

/**
 * `npm run soak` with time running faster: 300 ms become 30, six minutes 6 s, and what waits for them is as much
 * shorter. Handshakes are spared: grpc-js may take a connection that dies as it becomes ready for a living one, and
 * finds out by keep-alive 40 s later.
 */
const scaled: Weather = {
  faults: { bytesPerSecond: 500_000, roundTripMs: 30, resetsPerSecond: 0.4, graceMs: 1_000 },
  outageMs: 6_000,
  outageAfterBytes: 400_000,
  rounds: 2,
  units: 8,
  patience: { departureSeconds: 2, gatherSeconds: 5, leaseSeconds: 5 },
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-bad-line-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a bad line is a pause', () => {
  (compiled ? it : it.skip)(
    'slow, far away, reset at random, and gone for longer than a site may be missing: the model of the undisturbed run (needs the compiled programs)',
    async () => {
      const calm = await calmRun(root, scaled);
      expect(calm).toMatchObject({ status: 'COMPLETED' });
      const rough = await roughRun(root, scaled);
      expect(rough.document).toMatchObject({
        status: 'COMPLETED',
        reason: null,
        modelDigest: calm.modelDigest,
      });
      expect(rough.document.rounds.map((r) => r.survivors.length)).toEqual(calm.rounds.map(() => 5));
      expect(rough).toMatchObject({ outageSeconds: 6 });
      expect(rough.resets).toBeGreaterThan(10);
    },
    600_000,
  );
});
