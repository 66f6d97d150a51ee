import { describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  type Manifest,
  MaskEngine,
  type RingSampler,
  SecAggClient,
  SecAggServer,
  signManifest,
  TILE_BYTES,
} from '@regulon/shared/secagg';
import { makeCohort } from '../../../../shared/src/secagg/secagg.support.js';
import { Ledger, SiteState } from '../../state/index.js';
import { temporaryFolder } from '../../state/temporary-folder.support.js';
import { chargeOf } from './charge.js';
import { noiseOf } from './ring-noise.js';
import { storeUpload, type UploadPlace } from './stored-upload.js';

const D = 700;
const noisy = { mechanism: 1, z: 2, d: D } as const;

/** Draws 1, 2, 3 … in place of noise, so that what was added can be told; never the same twice. */
class CountingSampler implements RingSampler {
  readonly name = 'counting/1';
  readonly variances: number[] = [];
  private next = 1;

  add(words: Int32Array, variance: number): void {
    this.variances.push(variance);
    for (let k = 0; k < words.length; k++) words[k] = (words[k] ?? 0) + this.next++;
  }
}

/** Site 10 of six in R2 of an attempt, with what a session gives it. */
function placeIn(
  folder: string,
  attempt: number,
  sampler: RingSampler,
  change: Partial<Manifest> = {},
): UploadPlace {
  const cohort = makeCohort(6, { ...noisy, attempt, ...change });
  const { manifest, roster, seeds, coordinatorSeed } = cohort;
  const server = new SecAggServer(cohort);
  const samplers = new Map([[1 as const, sampler]]);
  const clients = [...seeds].map(([id, seed]) => {
    const coordinatorSignature = signManifest(coordinatorSeed, manifest);
    return SecAggClient.join({ manifest, coordinatorSignature, roster, id, seed, samplers });
  });
  clients.forEach((client) => server.addAdvertise(client.advertise()));
  const keys = server.closeU1();
  clients.forEach((client) => server.addShares(client.shareKeys(keys)));
  server.closeU2();
  const [client] = clients;
  if (!client) throw new TypeError('no site');
  client.maskPlan(server.deliveriesFor(10));
  const session = {
    ...{ folder, runId: manifest.runId, roundingSecret: new Uint8Array(32), engine: new MaskEngine() },
    ...{ run: 'run_1', agreement: { contract: { plan: {} } } },
    site: {
      ...{ site: { samplers, dataset: { name: 'd' } }, ledger: { list: () => [] } },
      ...{ crash: { reached: () => undefined }, logger: { warn: () => undefined } },
    },
  };
  const round = { round: manifest.round, arm: 0, purpose: 0, stepId: 'train' };
  return { session, round, manifest, client } as unknown as UploadPlace;
}

/** The words of a stored upload without their masks. */
async function wordsOf(place: UploadPlace, deltaPath: string | null): Promise<Int32Array> {
  const contribution = { kind: 'update', deltaPath } as const;
  const extras = { loss: 0, correct: 0, count: 0 };
  const { file } = await storeUpload(place, { contribution, weight: 1, extras });
  const bytes = new Uint8Array(readFileSync(join(place.session.folder, file)));
  const inverse = place.client.maskPlan().masks.map(({ key, sign }) => ({ key, sign: -sign as 1 | -1 }));
  for (let at = 0; at < bytes.length; at += TILE_BYTES)
    place.session.engine.maskTile(bytes.subarray(at, at + TILE_BYTES), at, inverse, 32);
  return new Int32Array(bytes.buffer, 0, D);
}

describe('noise in the ring, at a site', () => {
  const folder = temporaryFolder('ring-noise');
  const deltaPath = join(folder, 'delta.f32');
  writeFileSync(
    deltaPath,
    Float32Array.from({ length: D }, (_, k) => Math.sin(k) / 1000),
  );
  const counted = (from: number): number[] => Array.from({ length: D }, (_, k) => from + k);
  const minus = (a: Int32Array, b: Int32Array): number[] => Array.from(a, (word, k) => word - (b[k] ?? 0));

  it('is added to the rounded words before the masks, and drawn afresh for each attempt', async () => {
    const sampler = new CountingSampler();
    const plain = await wordsOf(placeIn(folder, 0, sampler, { mechanism: 0, z: 0 }), deltaPath);
    expect(sampler.variances).toEqual([]);
    const first = await wordsOf(placeIn(folder, 1, sampler), deltaPath);
    const second = await wordsOf(placeIn(folder, 2, sampler), deltaPath);
    // the rounding is the same in all attempts, the noise is not
    expect(minus(first, plain)).toEqual(counted(1));
    expect(minus(second, plain)).toEqual(counted(1 + D));
    // n = 6, c = 2: h = 3 of uMin = 5
    expect(new Set(sampler.variances)).toEqual(new Set([(2 * 2 ** 20) ** 2 / 3]));
  });

  it('goes out also where training gave no numbers: a contributor without noise would weaken the sum', async () => {
    const words = await wordsOf(placeIn(folder, 3, new CountingSampler()), null);
    expect([...words]).toEqual(counted(1));
  });

  it('is charged for each attempt, with what was added, and once for the same attempt', () => {
    const pins = { site: 'a', federationId: 'fed_test', rosterHash: 'ab', identityKey: 'cd' };
    const state = SiteState.open(join(folder, 'state'), pins);
    const ledger = new Ledger(state);
    const charge = (attempt: number): string => {
      const place = placeIn(folder, attempt, new CountingSampler());
      const event = chargeOf(place);
      expect(event).toEqual({
        ...{ mechanism: 'discrete-gaussian', z: '2', Q: 2 ** 20, h: 3, d: D },
        ...{ unit: 'hospital', adjacency: 'add-or-remove-one', sampler: 'discrete-gaussian/1' },
        ...{ purpose: 0, step: 'train' },
      });
      const { round } = place.manifest;
      return ledger.charge({ dataset: 'd', run: 'run_1', round, attempt, event }).hash;
    };
    expect(charge(1)).toBe(charge(1));
    expect(charge(2)).not.toBe(charge(1));
    expect(ledger.size()).toBe(2);
    state.close();
  });

  it('stops a site that has lost its sampler before anything is written', async () => {
    const place = placeIn(folder, 4, new CountingSampler());
    const bare = { ...place, session: { ...place.session, site: { site: { samplers: new Map() } } } };
    expect(() => noiseOf(bare)).toThrow(expect.objectContaining({ code: 'E_POLICY' }));
  });
});
