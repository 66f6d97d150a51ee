import { describe, expect, it } from '@jest/globals';
import { randomBytes, rootOf, u32 } from '../crypto/index.js';
import { encodeDealerProof, verifyDealerProof, type DealerProof, type OpenedLeaf } from './dealer-proof.js';
import { signTagged } from './hashing.js';
import { runUntil, makeCohort } from './secagg.support.js';
import { seedCommitment } from './transcript.js';

const DEALER = 20;
const { server, clients, cohort } = runUntil(makeCohort(6), 'r4');
const { manifest, roster, seeds } = cohort;
const dealt = clients.get(DEALER)?.shareKeys();
if (!dealt) throw new Error('no dealer');
const { t } = server.thresholds;

/** Every share of the dealer's seed, as its holder answers with it; sorted by rank. */
const openings: OpenedLeaf[] = [...clients.values()].flatMap((client, rank) => {
  const { id, entries } = client.unmask();
  const entry = entries.find(({ about }) => about === DEALER);
  return entry ? [{ rank, holder: id, share: entry.share, r: entry.r }] : [];
});

/** The dealer's shares beside a commitment to another seed, signed by it: a lie that t openings prove. */
function proof(change: Partial<DealerProof> = {}): Uint8Array {
  const cb = change.cb ?? seedCommitment(server.ctx, DEALER, randomBytes(32));
  const leaves = change.leaves ?? dealt?.leaves ?? [];
  const fields = [server.h1, u32(DEALER), cb, rootOf(leaves.length === 0 ? [randomBytes(96)] : leaves)];
  const sig = signTagged(seeds.get(DEALER) ?? new Uint8Array(), server.ctx, 'R1', ...fields);
  const opened = openings.slice(0, t);
  return encodeDealerProof({ dealer: DEALER, h1: server.h1, cb, sig, leaves, opened, ...change });
}
const verify = (bytes: Uint8Array) => (): number => verifyDealerProof(manifest, roster, bytes);
const refused = (words: string): unknown =>
  expect.objectContaining({ code: 'E_SHARE', message: expect.stringContaining(words) as unknown });

describe('a proof against a dealer', () => {
  it('is any t of its shares that give another seed than it committed to', () => {
    expect([openings.length, t]).toEqual([6, 5]);
    expect(verify(proof())()).toBe(DEALER);
    expect(verify(proof({ opened: openings.slice(1) }))()).toBe(DEALER);
  });

  it('proves nothing against shares that give the seed', () => {
    expect(verify(proof({ cb: dealt.cb }))).toThrow(refused('give what it committed to'));
  });

  it('opens neither fewer shares than t, which give any seed, nor more', () => {
    expect(verify(proof({ cb: dealt.cb, opened: openings.slice(0, t - 1) }))).toThrow(
      refused('4 shares are open, 5 are needed'),
    );
    expect(verify(proof({ opened: openings }))).toThrow(refused('6 shares are open, 5 are needed'));
  });

  it('opens every share once, in order', () => {
    const [first, ...others] = openings as [OpenedLeaf, ...OpenedLeaf[]];
    for (const opened of [
      [first, first, ...others.slice(0, 3)],
      [...others.slice(0, 4), others[3]],
      [...others.slice(0, 4), first],
    ] as OpenedLeaf[][])
      expect(verify(proof({ opened }))).toThrow(refused('the ranks do not ascend'));
  });

  it('opens shares as they were dealt', () => {
    const change = (k: number, to: Partial<OpenedLeaf>): OpenedLeaf[] =>
      openings.slice(0, t).map((o, i) => (i === k ? { ...o, ...to } : o));
    for (const opened of [
      change(0, { share: randomBytes(32) }),
      change(2, { r: randomBytes(16) }),
      change(4, { holder: 60 }),
      change(4, { rank: 5 }),
      change(4, { rank: 6 }),
    ])
      expect(verify(proof({ opened }))).toThrow(refused('is not the one that was dealt'));
  });

  it('has leaves, a version and an end', () => {
    expect(verify(Uint8Array.of(...proof(), 0))).toThrow(expect.objectContaining({ code: 'E_MESSAGE' }));
    expect(verify(proof({ leaves: [] }))).toThrow(refused('no leaves'));
    const other = proof();
    other[4] = (other[4] ?? 0) ^ 1;
    expect(verify(other)).toThrow(
      expect.objectContaining({ code: 'E_MESSAGE', message: expect.stringContaining('version') as unknown }),
    );
  });
});
