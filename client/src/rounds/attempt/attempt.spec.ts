import { describe, expect, it } from '@jest/globals';
import { RegulonError } from '@regulon/shared/errors';
import { RunProgram } from '@regulon/shared/program';
import {
  encodeMessage,
  type Manifest,
  SecAggClient,
  SecAggServer,
  signManifest,
  vectorLength,
} from '@regulon/shared/secagg';
import { verifyAgreement } from '../../policy/index.js';
import { contractBytes, run, seedOf, testFederation, testPlan, testSite } from '../../policy/site.support.js';
import { Attempt } from './attempt.js';
import type { RunSession } from '../run/run-session.js';
import { untilAborted } from './until-aborted.js';

const federation = testFederation();
const site = testSite(federation);

/** The attempt of site a in the first round of a plan, with the machines of the other sites and of the coordinator. */
function attemptOf(plan: ReturnType<typeof testPlan>, verifyAffordable = (): void => undefined) {
  const now = Date.parse('2026-11-21T00:00:00Z');
  const agreement = verifyAgreement(contractBytes(plan), run, federation, site, now);
  const program = new RunProgram(agreement.contract);
  const [round] = program.schedule;
  if (!round) throw new TypeError('no round');
  const open = { attempt: 0, prevTranscriptHash: new Uint8Array(32), deadlines: [1, 2, 3, 4, 5] };
  const manifest: Manifest = program.manifest(round, open);
  const signature = signManifest(seedOf('coordinator'), manifest);
  const known = { coordinatorSignature: signature, roster: federation.rosterView };
  const sent: string[] = [];
  const answers = new Map<string, readonly Uint8Array[]>();
  const covering = { start: true };
  const otherRun = { began: 0 };
  const session = {
    ...{ run, agreement },
    site: {
      ...{ federation, site, keys: { identity: seedOf('site', 1) } },
      attempts: { save: () => undefined, lastContributed: () => otherRun.began },
      ...{ crash: { reached: () => undefined }, ledger: { verifyAffordable } },
      // a log whose last checkpoint covers the start of this process, or not yet
      log: {
        until: (_: unknown, signal: AbortSignal) =>
          covering.start ? undefined : untilAborted(never, signal),
      },
      startIndex: () => 0,
      link: {
        exchange: async ({ type }: { type: string }) => void sent.push(type),
        fetch: async ({ type }: { type: string }) =>
          (answers.get(type) ?? []).map((message) => ({ message })),
      },
      ...{ answered: { exact: () => [] }, drainOutbox: async () => undefined },
    },
  } as unknown as RunSession;
  const attempt = Attempt.join(session, round, manifest, signature, []);
  const own = attempt.client;
  const others = [2, 3, 4, 5].map((id) =>
    SecAggClient.join({ manifest, id, seed: seedOf('site', id), ...known }),
  );
  return {
    ...{ attempt, own, sent, answers, covering, otherRun },
    clients: [own, ...others],
    server: new SecAggServer({ manifest, roster: federation.rosterView }),
  };
}

const never = new Promise<never>(() => undefined);

describe('an attempt at a site', () => {
  it('makes no key for a round that the privacy budget of the site does not afford', () => {
    const spent = (): never => {
      throw new RegulonError('E_BUDGET', 'spent');
    };
    expect(() => attemptOf(testPlan(), spent)).toThrow(expect.objectContaining({ code: 'E_BUDGET' }));
  });

  it('reveals nothing after a restart before a checkpoint covers the start of the process', async () => {
    const { attempt, clients, server, sent, answers, covering } = attemptOf(testPlan());
    const life = new AbortController();
    clients.forEach((client) => server.addAdvertise(client.advertise()));
    const keys = server.closeU1();
    answers.set(
      'advertised',
      keys.map((k) => encodeMessage('advertise', k)),
    );
    await attempt.share(life.signal);
    clients.forEach((client) => server.addShares(client.shareKeys(keys)));
    server.closeU2();
    const dealt = (id: number) => server.deliveriesFor(id);
    answers.set(
      'deliveries',
      dealt(1).map((d) => encodeMessage('delivery', d)),
    );
    clients.forEach((client, i) => {
      client.maskPlan(dealt(i + 1));
      const commit = client.commit(new Uint8Array(32), vectorLength(server.manifest));
      server.addCommit(commit);
    });
    const survivors = server.closeU3();
    answers.set(
      'survivors',
      survivors.map((entry) => encodeMessage('survivor', entry)),
    );
    await attempt.confirm(life.signal);
    clients.forEach((client) => server.addConsistency(client.consistency(survivors)));
    answers.set(
      'signatures',
      server.signatures().map((entry) => encodeMessage('consistency', entry)),
    );
    covering.start = false;
    const answered = attempt.answer(life.signal);
    setTimeout(() => life.abort(new Error('the attempt has ended')), 50);
    await expect(answered).rejects.toThrow('the attempt has ended');
    expect(sent).toEqual(['shareKeys', 'consistency']);
  });

  it('sends no masked input when a round of another run came since it was joined', async () => {
    site.policy.minInterval = 3600;
    const { attempt, sent, otherRun } = attemptOf(testPlan());
    otherRun.began = Date.now();
    const { signal } = new AbortController();
    await expect(attempt.contribute(signal)).rejects.toMatchObject({ code: 'E_GATE' });
    site.policy.minInterval = 0;
    expect(sent).toEqual([]);
  });

  it.each([
    [undefined, true],
    [5, false],
  ])('holds minSurvivors %p of the plan when an upload is lost', (minSurvivors, accepted) => {
    const deadlines = minSurvivors === undefined ? {} : { minSurvivors };
    const { own, clients, server } = attemptOf(testPlan({ deadlines }));
    clients.forEach((client) => server.addAdvertise(client.advertise()));
    const keys = server.closeU1();
    clients.forEach((client) => server.addShares(client.shareKeys(keys)));
    server.closeU2().forEach((id, i) => {
      const client = clients[i];
      client?.maskPlan(server.deliveriesFor(id));
      if (id !== 5 && client)
        server.addCommit(client.commit(new Uint8Array(32), vectorLength(server.manifest)));
    });
    const survivors = server.closeU3();
    const confirm = () => own.consistency(survivors);
    if (accepted) expect(confirm).not.toThrow();
    else expect(confirm).toThrow(expect.objectContaining({ code: 'E_U3' }));
  });
});
