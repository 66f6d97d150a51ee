import { describe, expect, it } from '@jest/globals';
import { RunProgram } from '@regulon/shared/program';
import {
  type Manifest,
  SecAggClient,
  SecAggServer,
  signManifest,
  vectorLength,
} from '@regulon/shared/secagg';
import { verifyAgreement } from '../policy/index.js';
import { contractBytes, run, seedOf, testFederation, testPlan, testSite } from '../policy/site.support.js';
import { Attempt } from './attempt.js';
import type { RunSession } from './run-session.js';

const federation = testFederation();
const site = testSite(federation);

/** The attempt of site a in the first round of a plan, with the machines of the other sites and of the coordinator. */
function attemptOf(plan: ReturnType<typeof testPlan>) {
  const now = Date.parse('2026-11-21T00:00:00Z');
  const agreement = verifyAgreement(contractBytes(plan), run, federation, site, now);
  const program = new RunProgram(agreement.contract);
  const [round] = program.schedule;
  if (!round) throw new TypeError('no round');
  const open = { attempt: 0, prevTranscriptHash: new Uint8Array(32), deadlines: [1, 2, 3, 4, 5] };
  const manifest: Manifest = program.manifest(round, open);
  const signature = signManifest(seedOf('coordinator'), manifest);
  const known = { coordinatorSignature: signature, roster: federation.rosterView };
  const session = {
    ...{ run, agreement },
    site: {
      ...{ federation, site, keys: { identity: seedOf('site', 1) } },
      ...{ attempts: { save: () => undefined }, crash: { reached: () => undefined } },
    },
  } as unknown as RunSession;
  const own = Attempt.join(session, round, manifest, signature, []).client;
  const others = [2, 3, 4, 5].map((id) =>
    SecAggClient.join({ manifest, id, seed: seedOf('site', id), ...known }),
  );
  return {
    own,
    clients: [own, ...others],
    server: new SecAggServer({ manifest, roster: federation.rosterView }),
  };
}

describe('an attempt at a site', () => {
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
