import { beforeAll, describe, expect, it } from '@jest/globals';
import { RunProgram, type ScheduledRound } from '@regulon/shared/program';
import { type Manifest, signManifest } from '@regulon/shared/secagg';
import { verifyAgreement } from './agreement.js';
import { verifyAgainstPlan } from './manifest-rules.js';
import { contractBytes, run, seedOf, testFederation, testPlan, testSite } from './site.support.js';

const federation = testFederation();
const zeros = new Uint8Array(32);
const deadlines = [1, 2, 3, 4, 5].map((m) => Date.parse('2026-11-21T00:00:00Z') + m * 60_000);
let program: RunProgram;
let round: ScheduledRound;
let honest: Manifest;

beforeAll(() => {
  const plan = testPlan();
  const now = Date.parse('2026-11-21T00:00:00Z');
  const { contract } = verifyAgreement(contractBytes(plan), run, federation, testSite(federation), now);
  program = new RunProgram(contract);
  const [first] = program.schedule;
  if (!first) throw new TypeError('no round');
  round = first;
  honest = program.manifest(round, { attempt: 0, prevTranscriptHash: zeros, deadlines });
});

const check = (manifest: Manifest, known: object = {}) =>
  verifyAgainstPlan(manifest, signManifest(seedOf('coordinator'), manifest), {
    ...{ roster: federation.rosterView, program, round, lastTranscript: zeros, links: async () => [] },
    ...known,
  });
const refused = (code: string): object => expect.objectContaining({ code });

describe('a manifest', () => {
  it('is accepted when it is what the plan implies', async () => {
    await expect(check(honest)).resolves.toBeUndefined();
  });

  const changes: [keyof Manifest, unknown, string][] = [
    ['modelHash', new Uint8Array(32).fill(7), 'E_MODEL'],
    ['planHash', new Uint8Array(32).fill(7), 'E_POLICY'],
    ['rosterHash', new Uint8Array(32).fill(7), 'E_ROSTER'],
    ['federationId', 'fed_other', 'E_ROSTER'],
    ['stepId', 'other', 'E_POLICY'],
    ['d', 13, 'E_POLICY'],
    ['nMin', 3, 'E_POLICY'],
    ['gammaNum', 0, 'E_POLICY'],
    ['C', 5, 'E_POLICY'],
    ['fractionBits', 20, 'E_POLICY'],
    ['purpose', 2, 'E_POLICY'],
    ['arm', 1, 'E_POLICY'],
    ['round', 1, 'E_POLICY'],
  ];
  it.each(changes)('with another %s is refused', async (field, value, code) => {
    await expect(check({ ...honest, [field]: value })).rejects.toThrow(refused(code));
  });

  it('with another role for a site is refused', async () => {
    const roles = honest.roles.map((r, i) => (i === 2 ? { ...r, role: 1 as const } : r));
    await expect(check({ ...honest, roles })).rejects.toThrow(refused('E_POLICY'));
  });

  it('must be signed by the coordinator', async () => {
    const context = {
      roster: federation.rosterView,
      program,
      round,
      lastTranscript: zeros,
      links: async () => [],
    };
    await expect(verifyAgainstPlan(honest, signManifest(seedOf('site', 1), honest), context)).rejects.toThrow(
      refused('E_SIG_MANIFEST'),
    );
  });

  it('of an answered round or a joined attempt is a replay', async () => {
    await expect(check(honest, { lastAnswered: 0 })).rejects.toThrow(refused('E_REPLAY'));
    await expect(check(honest, { lastJoined: { round: 0, attempt: 0 } })).rejects.toThrow(
      refused('E_REPLAY'),
    );
  });

  it('whose history is not the known one is a fork', async () => {
    await expect(check({ ...honest, prevTranscriptHash: new Uint8Array(32).fill(1) })).rejects.toThrow(
      refused('E_FORK'),
    );
  });
});
