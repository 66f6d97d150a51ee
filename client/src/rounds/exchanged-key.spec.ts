import { describe, expect, it } from '@jest/globals';
import { type BodyOf, FederationKeys, parseEntry } from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { resealWaiting, type ResealParts } from './exchanged-key.js';

const federation = new SampleFederation();
const genesis = parseEntry(federation.genesisEntry);
const keys = new FederationKeys(genesis.fed, genesis.body as BodyOf<'federation.genesis'>);
const config = { nonce: '00'.repeat(32), version: '1', software: null, configuration: null };
const current = federation.entry(['site', 'site-1'], 'config.start', {}, config);

/** A site whose log shows the exchange after so many checkpoints; entries of its outbox are these. */
function siteOf(waiting: Uint8Array[], shownAfter: number) {
  let followed = 0;
  const resealedAt: number[] = [];
  const parts: ResealParts = {
    keys,
    tell: () => undefined,
    link: { connect: async () => ({ checkpointNote: 'note', nowMs: Date.now() }) as never },
    log: {
      latest: { origin: '', size: 1, root: new Uint8Array(32) },
      follow: async () => {
        followed += 1;
        return undefined;
      },
      coversRosters: () => followed >= shownAfter,
    },
    outbox: {
      hasStale: (isCurrent) => !waiting.every(isCurrent),
      reseal: (isCurrent) => {
        resealedAt.push(followed);
        return waiting.filter((bytes) => !isCurrent(bytes)).length;
      },
    },
  };
  return { parts, resealedAt };
}

describe('entries that wait when an identity key was exchanged', () => {
  const stale = Uint8Array.from(
    Buffer.from(
      Buffer.from(current)
        .toString()
        .replace(/"sig":"../, '"sig":"AA'),
    ),
  );

  it('stay as they are under the key in force', async () => {
    const { parts, resealedAt } = siteOf([current], 9);
    expect(await resealWaiting(parts)).toBe(0);
    expect(resealedAt).toEqual([]);
  });

  it('are signed anew only once the verified log shows the exchange', async () => {
    const { parts, resealedAt } = siteOf([current, stale], 2);
    expect(await resealWaiting(parts)).toBe(1);
    expect(resealedAt).toEqual([2]);
  });
});
