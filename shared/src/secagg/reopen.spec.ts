import { describe, expect, it } from '@jest/globals';
import { hex, randomBytes, rootOf, sha256, u32 } from '../crypto/index.js';
import { verifyDealerProof } from './dealer-proof.js';
import { signTagged } from './hashing.js';
import type { SiteId } from './manifest.js';
import type { ShareKeys } from './messages.js';
import { type BurntAttempt, type Reopen, reopenDigest, reopenEvidence, verifyReopen } from './reopen.js';
import { type AttemptState, joinSite, makeCohort, runUntil } from './secagg.support.js';
import { SecAggServer } from './server.js';
import { seedCommitment } from './transcript.js';

const code = (name: string): unknown => expect.objectContaining({ code: name });
const DEALER = 20;

/** An attempt in which one dealer commits to another seed than it deals; every share opens as its digest says. */
function burntBy(dealer: SiteId): AttemptState {
  const cohort = makeCohort(6);
  const { manifest, roster, seeds } = cohort;
  const server = new SecAggServer({ manifest, roster });
  const clients = new Map([...seeds.keys()].map((id) => [id, joinSite(cohort, id)]));
  for (const client of clients.values()) server.addAdvertise(client.advertise());
  const keys = server.closeU1();
  for (const [id, client] of clients) {
    const honest = client.shareKeys(keys);
    const cb = seedCommitment(server.ctx, id, randomBytes(32));
    const fields = [server.h1, u32(id), cb, rootOf(honest.leaves)];
    const sig = signTagged(seeds.get(id) ?? new Uint8Array(), server.ctx, 'R1', ...fields);
    const lying: ShareKeys = { ...honest, cb, sig };
    server.addShares(id === dealer ? lying : honest);
  }
  for (const id of server.closeU2()) {
    const client = clients.get(id);
    client?.maskPlan(server.deliveriesFor(id));
    if (client) server.addCommit(client.commit(sha256(u32(id)), 702));
  }
  const survivors = server.closeU3();
  for (const client of clients.values()) server.addConsistency(client.consistency(survivors));
  for (const client of clients.values()) server.addAnswer(client.unmask(server.signatures()));
  return { cohort, server, clients, vectors: new Map(), uploads: new Map() };
}

const burntOf = ({ cohort, server }: AttemptState): BurntAttempt => ({
  ...{ manifest: cohort.manifest, roster: cohort.roster, h3: server.h3, survivors: server.u3 },
});
const reopenOf = ({ manifest, h3, survivors }: BurntAttempt, more: Partial<Reopen> = {}): Reopen => {
  const { runId, round, attempt, modelHash, planHash } = manifest;
  const usual = { runId, round, attempt: attempt + 1, modelHash, planHash, contributors: survivors };
  return { ...usual, evidence: reopenEvidence(h3), ...more };
};

describe('a proof against a dealer', () => {
  const state = burntBy(DEALER);
  const { cohort, server } = state;
  const { manifest, roster } = cohort;

  it('follows from t answers, and holds without the coordinator', () => {
    expect(() => server.unmaskKeys()).toThrow(code('E_DEALER'));
    const proof = server.dealerProof(DEALER) ?? new Uint8Array();
    expect(verifyDealerProof(manifest, roster, proof)).toBe(DEALER);
  });

  it('does not exist against an honest dealer, and holds in no other attempt', () => {
    for (const id of server.u1.filter((other) => other !== DEALER))
      expect(server.dealerProof(id)).toBeUndefined();
    const proof = server.dealerProof(DEALER) ?? new Uint8Array();
    const other = makeCohort(6, { attempt: 2 }).manifest;
    expect(() => verifyDealerProof(other, roster, proof)).toThrow(code('E_SIG_R1'));
  });

  it('does not survive any flipped bit', () => {
    const proof = server.dealerProof(DEALER) ?? new Uint8Array();
    for (let at = 0; at < proof.length; at += 7) {
      const changed = proof.with(at, (proof[at] ?? 0) ^ 1);
      expect(() => verifyDealerProof(manifest, roster, changed)).toThrow(
        expect.objectContaining({
          code: expect.stringMatching(/^E_(MESSAGE|ROSTER|SIG_R1|SHARE)$/) as unknown,
        }),
      );
    }
  });
});

describe('a Reopen', () => {
  const honest = burntOf(runUntil(makeCohort(6), 'r4', { r2: [60] }));

  it('names the contributors of the burnt attempt', () => {
    expect(() => verifyReopen(reopenOf(honest), undefined, honest)).not.toThrow();
  });

  it.each<[string, Partial<Reopen>, string]>([
    ['one contributor less', { contributors: [10, 20, 30, 40] }, 'E_U3'],
    ['one contributor more', { contributors: [10, 20, 30, 40, 50, 60] }, 'E_U3'],
    ['another one instead', { contributors: [10, 20, 30, 40, 60] }, 'E_U3'],
    ['another run', { runId: new Uint8Array(16) }, 'E_POLICY'],
    ['another round', { round: 5 }, 'E_POLICY'],
    ['the burnt attempt itself', { attempt: 1 }, 'E_POLICY'],
    ['another model', { modelHash: new Uint8Array(32) }, 'E_POLICY'],
    ['another plan', { planHash: new Uint8Array(32) }, 'E_POLICY'],
    ['other evidence', { evidence: new Uint8Array(32) }, 'E_POLICY'],
  ])('with %s is refused', (_, more, name) => {
    expect(() => verifyReopen(reopenOf(honest, more), undefined, honest)).toThrow(code(name));
  });

  it('is refused for a round with sub-cohorts', () => {
    const burnt = { ...honest, manifest: { ...honest.manifest, subCohort: 5 } };
    expect(() => verifyReopen(reopenOf(burnt), undefined, burnt)).toThrow(/sub-cohorts is not reopened/);
  });

  it('leaves out a dealer only with its proof', () => {
    const state = burntBy(DEALER);
    const burnt = burntOf(state);
    const contributors = burnt.survivors.filter((id) => id !== DEALER);
    const proof = state.server.dealerProof(DEALER) ?? new Uint8Array();
    const proven = reopenOf(burnt, { contributors, evidence: reopenEvidence(burnt.h3, proof) });
    expect(() => verifyReopen(proven, proof, burnt)).not.toThrow();
    expect(() => verifyReopen(reopenOf(burnt, { contributors }), undefined, burnt)).toThrow(code('E_U3'));
    // the proof must not serve against somebody else, nor be kept back
    const other = burnt.survivors.filter((id) => id !== 30);
    expect(() => verifyReopen({ ...proven, contributors: other }, proof, burnt)).toThrow(code('E_U3'));
    expect(() => verifyReopen({ ...proven, contributors: burnt.survivors }, proof, burnt)).toThrow(
      code('E_U3'),
    );
  });

  it('is another digest with any other field', () => {
    const digests = [
      reopenOf(honest),
      reopenOf(honest, { round: 5 }),
      reopenOf(honest, { attempt: 3 }),
      reopenOf(honest, { contributors: [10, 20, 30, 40] }),
      reopenOf(honest, { evidence: new Uint8Array(32) }),
    ].map((reopen) => hex(reopenDigest(reopen)));
    expect(new Set(digests).size).toBe(digests.length);
  });
});
