import { beforeAll, describe, expect, it } from '@jest/globals';
import { RunProgram, type ScheduledRound } from '@regulon/shared/program';
import {
  abortTranscript,
  ctxOf,
  type Manifest,
  signManifest,
  signTranscript,
  type TranscriptLink,
} from '@regulon/shared/secagg';
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
    ['quorumRule', 1, 'E_POLICY'],
  ];
  it.each(changes)('with another %s is refused', async (field, value, code) => {
    await expect(check({ ...honest, [field]: value })).rejects.toThrow(refused(code));
  });

  it('for training that early stopping has ended is refused', async () => {
    const evaluation = { split: 'holdout', every: 1, earlyStopping: { patience: 1, minDelta: 100 } };
    const training = { rounds: 4, optimizer: { name: 'adam' } };
    const plan = testPlan({ prepare: [], training, evaluation });
    const now = deadlines[0] ?? 0;
    const { contract } = verifyAgreement(contractBytes(plan), run, federation, testSite(federation), now);
    const stopped = new RunProgram(contract);
    const rest = [...stopped.schedule];
    for (let next = stopped.next(); next && next.stepId !== 'evaluate'; next = stopped.next()) {
      const sums = new Float64Array(stopped.vectorLength(next)).fill(40);
      const modelHash = new Uint8Array(32).fill(next.round);
      const extras = { count: 40, weight: 1 };
      stopped.complete(next, { survivors: next.contributors, extras, sums, modelHash });
    }
    const [due] = stopped.schedule.slice(-1);
    const saved = rest[due?.round ?? 0];
    if (!due || saved?.stepId !== 'train') throw new TypeError('it did not stop');
    const open = { attempt: 0, prevTranscriptHash: zeros, deadlines };
    const known = { program: stopped, round: due };
    await expect(check(stopped.manifest(due, open), known)).resolves.toBeUndefined();
    await expect(check(stopped.manifest(saved, open), known)).rejects.toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^E_(POLICY|MODEL)$/) as unknown }),
    );
  });

  it('with another role for a site is refused', async () => {
    const roles = honest.roles.map((r, i) => (i === 2 ? { ...r, role: 1 as const } : r));
    await expect(check({ ...honest, roles })).rejects.toThrow(refused('E_POLICY'));
  });

  it('carries the quorum rule that the roster pinned, in both directions', async () => {
    const majority = testFederation('signed', 'majority');
    const bytes = contractBytes(testPlan());
    const now = deadlines[0] ?? 0;
    const { contract } = verifyAgreement(bytes, run, majority, testSite(majority), now);
    const other = new RunProgram(contract);
    const opened = { attempt: 0, prevTranscriptHash: zeros, deadlines };
    const manifest = other.manifest(round, opened);
    expect(manifest.quorumRule).toBe(1);
    const known = { roster: majority.rosterView, program: other };
    await expect(check(manifest, known)).resolves.toBeUndefined();
    await expect(check({ ...manifest, quorumRule: 0 }, known)).rejects.toThrow(/quorum rule/);
    await expect(check({ ...honest, quorumRule: 1 })).rejects.toThrow(/quorum rule/);
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
    await expect(check(honest, { lastJoined: honest })).rejects.toThrow(refused('E_REPLAY'));
  });

  it('whose history is not the known one is a fork', async () => {
    await expect(check({ ...honest, prevTranscriptHash: new Uint8Array(32).fill(1) })).rejects.toThrow(
      refused('E_FORK'),
    );
  });

  describe('of a further attempt', () => {
    const endOf = (manifest: Manifest, key = seedOf('coordinator')): TranscriptLink => {
      const T = abortTranscript(ctxOf(manifest), 'E_DEADLINE', zeros);
      return { manifest, tag: 'ABORT', T, sig: signTranscript(key, ctxOf(manifest), 'ABORT', T) };
    };
    const after = (attempt: number, prevTranscriptHash: Uint8Array): Manifest =>
      program.manifest(round, { attempt, prevTranscriptHash, deadlines });
    const fork = refused('E_FORK');

    it('needs the signed abort of the one in which this site dealt', async () => {
      const [dealt, first] = [{ lastJoined: honest }, endOf(honest)];
      const next = after(1, first.T);
      await expect(check(next, { ...dealt, links: async () => [first] })).resolves.toBeUndefined();
      await expect(check(next, { ...dealt, links: async () => [] })).rejects.toThrow(fork);
      const forged = endOf(honest, seedOf('site', 2));
      await expect(check(next, { ...dealt, links: async () => [forged] })).rejects.toThrow(fork);
    });

    it('may not name the history before that one, as if it had never been', async () => {
      const hidden = after(1, zeros);
      await expect(check(hidden, { lastJoined: honest })).rejects.toThrow(fork);
      const first = endOf(honest);
      await expect(check(hidden, { lastJoined: honest, links: async () => [first] })).rejects.toThrow(fork);
      // nor for a site that did not deal in it, once the log knows it
      await expect(check(hidden, { links: async () => [first] })).rejects.toThrow(fork);
      await expect(check(hidden)).resolves.toBeUndefined();
    });

    it('may not skip the last attempts that the log knows', async () => {
      const first = endOf(honest);
      const second = endOf(after(1, first.T));
      const links = async () => [first, second];
      await expect(check(after(2, first.T), { links })).rejects.toThrow(fork);
      const beside = async () => [first, endOf(after(1, zeros))];
      await expect(check(after(2, first.T), { links: beside })).rejects.toThrow(/hides the end of attempt 1/);
      await expect(check(after(2, second.T), { links })).resolves.toBeUndefined();
    });

    it('may not put another attempt in its place', async () => {
      const other = { ...honest, deadlines: deadlines.map((at) => at + 1) };
      const end = endOf(other);
      const known = { lastJoined: honest, links: async () => [end] };
      await expect(check(after(1, end.T), known)).rejects.toThrow(fork);
    });

    it('may follow on several that ended, the one of this site among them', async () => {
      const first = endOf(honest);
      const second = endOf(after(1, first.T));
      const third = endOf(after(2, second.T));
      const links = async () => [first, second, third];
      for (const lastJoined of [honest, second.manifest, third.manifest])
        await expect(check(after(3, third.T), { lastJoined, links })).resolves.toBeUndefined();
      const gap = async () => [first, third];
      await expect(check(after(3, third.T), { lastJoined: honest, links: gap })).rejects.toThrow(fork);
    });
  });
});
