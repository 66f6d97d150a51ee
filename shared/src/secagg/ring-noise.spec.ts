import { describe, expect, it } from '@jest/globals';
import { SecAggClient } from './client.js';
import type { Manifest } from './manifest.js';
import { noiseVariance, samplerFor, type RingSampler, type RingSamplers } from './ring-noise.js';
import { makeCohort, runUntil } from './secagg.support.js';
import { SecAggServer } from './server.js';

const code = (expected: string): object => expect.objectContaining({ code: expected });
const quiet: RingSampler = { name: 'test/1', add: () => undefined };
const gaussian: RingSamplers = new Map([[1, quiet]]);
/** One site of ten joins a round with noise. */
const join = (change: Partial<Manifest>, samplers?: RingSamplers): SecAggClient => {
  const { manifest, coordinatorSignature, roster, seeds } = makeCohort(10, {
    ...{ mechanism: 1, z: 2, ...change },
  });
  const seed = seeds.get(10) ?? new Uint8Array();
  const input = { manifest, coordinatorSignature, roster, id: 10, seed };
  return SecAggClient.join(samplers ? { ...input, samplers } : input);
};

describe('noise in the ring', () => {
  it('is refused by a site without a sampler for the mechanism', () => {
    expect(() => join({})).toThrow(code('E_POLICY'));
    expect(() => join({}, new Map([[2, quiet]]))).toThrow(/no sampler for the mechanism discrete-gaussian/);
    expect(() => join({ mechanism: 2 }, gaussian)).toThrow(/skellam/);
    expect(() => join({}, gaussian)).not.toThrow();
    expect(samplerFor({ round: 1, mechanism: 0 }, gaussian)).toBeUndefined();
  });

  it.each<[string, Partial<Manifest>]>([
    ['a mechanism without noise', { z: 0 }],
    ['noise without a mechanism', { mechanism: 0 }],
    ['noise in a statistic', { purpose: 1 }],
    ['noise in the 64-bit ring', { ringBits: 64, fractionBits: 24, Q: 1 }],
  ])('is refused by both sides where it means nothing: %s', (_, change) => {
    expect(() => join(change, gaussian)).toThrow(code('E_POLICY'));
    expect(() => new SecAggServer(makeCohort(10, { mechanism: 1, z: 2, ...change }))).toThrow(
      code('E_POLICY'),
    );
  });

  // ten sites, γ = 1/3: κ = √(8/3) = 1.633, at n = 8 of which h = 3 are honest for sure
  it('has room in the ring at both sides: N·Q + 12·κ·z·Q < 2³¹, and every extra likewise', () => {
    const open = (change: Partial<Manifest>) => () => {
      new SecAggServer(makeCohort(10, { mechanism: 1, z: 8, ...change }));
      join({ z: 8, ...change }, gaussian);
    };
    const extra = (max: number) => [{ name: 'loss', scale: 2 ** 16, min: 0, max }];
    expect(open({ Q: 2 ** 23 })).not.toThrow();
    expect(open({ Q: 2 ** 24 })).toThrow(code('E_RING_BOUND'));
    expect(() => join({ z: 8, Q: 2 ** 24 }, gaussian)).toThrow(code('E_RING_BOUND'));
    expect(open({ extras: extra(128) })).not.toThrow();
    expect(open({ extras: extra(256) })).toThrow(code('E_RING_BOUND'));
    expect(() => join({ z: 8, extras: extra(256) }, gaussian)).toThrow(code('E_RING_BOUND'));
    expect(() => new SecAggServer(makeCohort(10, { extras: extra(256) }))).not.toThrow();
  });

  it('has the variance z²Q²/h of the sites that came, not of those that the plan names', () => {
    const { clients } = runUntil(makeCohort(20), 'r1', { r0: [10, 20, 30, 40] });
    const limits = clients.get(50)?.limits();
    expect(limits).toMatchObject({ n: 16, c: 6, uMin: 12, h: 6 });
    if (!limits) throw new TypeError('no site');
    const { manifest } = makeCohort(20, { z: 3, Q: 2 ** 10 });
    expect(noiseVariance(manifest, limits)).toBe((9 * 2 ** 20) / 6);
    // whoever may survive, the h honest contributors among them reach the variance that is accounted for
    expect(limits.h * noiseVariance(manifest, limits)).toBe((3 * 2 ** 10) ** 2);
  });
});
