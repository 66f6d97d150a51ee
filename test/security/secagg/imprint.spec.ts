import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { hex, rootOfBytes, sha256, utf8 } from '@regulon/shared/crypto';
import { RunProgram } from '@regulon/shared/program';
import {
  encodeFixed,
  encodeManifest,
  encodeMessage,
  packIntegers,
  signTranscript,
  type SiteId,
} from '@regulon/shared/secagg';
import type { Query } from '@regulon/shared/wire';
import { verifyAgreement } from '@regulon/client/policy';
import { AnsweredTable, AttemptJournal, RunJournal, SiteState } from '@regulon/client/state';
import { contractBytes, run, testPlan, testSite } from '../../../client/src/policy/site.support.js';
import { closeRound } from '../../../client/src/rounds/run/closing.js';
import type { SiteContext } from '../../../client/src/rounds/context.js';
import { modelOutOf } from '../../../client/src/rounds/run/model-out.js';
import { RunSession } from '../../../client/src/rounds/run/run-session.js';
import { temporaryFolder } from '../../../client/src/state/temporary-folder.support.js';
import { coordinatorOf, federation } from '../support/private-run.js';
import { refused } from '../support/refused.js';
import { Spoils } from '../support/spoils.js';

const imprint = sha256(utf8('a model that copies a row into its gradient'));
const ids: SiteId[] = [1, 2, 3, 4, 5];
const now = Date.parse('2026-11-21T00:00:00Z');
const agreement = verifyAgreement(contractBytes(testPlan()), run, federation, testSite(federation), now);

let state: SiteState;
beforeEach(() => {
  const pins = { site: 'a', federationId: 'fed_test', rosterHash: 'ab', identityKey: 'cd' };
  state = SiteState.open(join(temporaryFolder('imprint'), 'state'), pins);
});
afterEach(() => state.close());

/** Ten units of a site, five of each class, every gene in every unit: its vector of the count round. */
const counted = (length: number): Float64Array =>
  Float64Array.from({ length }, (_, k) => (k === 0 ? 10 : ([5, 5, 1, 1][k - 1] ?? (k <= 16 ? 10 : 1))));

/** Round 0 of an open run has closed at site 1, and the coordinator announces what follows from its sum. */
async function closed(announce: (honest: Uint8Array) => Uint8Array): Promise<boolean> {
  const coordinator = coordinatorOf(agreement);
  const { manifest, coordinatorSeed } = coordinator.cohort;
  const values = counted(manifest.d);
  const { words } = encodeFixed(values, manifest.fractionBits, manifest.C);
  const vector = new Uint8Array([...words, ...packIntegers([2 ** 20, 0], 64)]);
  ids.forEach((id) => coordinator.join(id, vector));
  const sum = new Spoils(coordinator, ids, 4).take(...coordinator.run(ids)).sumOf(ids);
  const { client } = coordinator.site(1);
  const transcript = sha256();
  const end = {
    ...{ type: 'closed', attempt: 0, outcome: 'closed', transcript, aggregateRoot: rootOfBytes(sum) },
    signature: signTranscript(coordinatorSeed, client.ctx, 'CLOSE', transcript),
    modelHash: announce(honestResult(values)),
    groupRoots: [],
  };
  const shown: Partial<Record<Query['type'], object[]>> = {
    closed: [end],
    survivors: coordinator.survivors(ids).map((s) => ({ message: encodeMessage('survivor', s) })),
  };
  const [runs, attempts] = [new RunJournal(state), new AttemptJournal(state)];
  runs.begin(run, contractBytes(testPlan()));
  const peers = ids.map((id) => {
    const { advertised, shares } = coordinator.site(id);
    return { id, sPk: hex(advertised.sPk), cb: hex(shares?.cb ?? new Uint8Array()) };
  });
  attempts.save({
    ...{
      run,
      round: 0,
      attempt: 0,
      step: 6,
      manifest: encodeManifest(manifest),
      signature: new Uint8Array(64),
    },
    ...{ snapshot: client.snapshot(), facts: { h2: hex(client.h2()), h3: hex(client.h3()), peers, u1: 5 } },
  });
  const context = {
    ...{ federation, site: testSite(federation), state, runs, attempts, answered: new AnsweredTable(state) },
    link: {
      fetch: ({ type }: Query) => (shown[type] ? Promise.resolve(shown[type]) : new Promise(() => undefined)),
      download: async ({ path }: { path: string }) => writeFileSync(path, sum),
    },
    ...{ config: { training: {}, testing: { skipTraining: true } }, logger: pino({ level: 'silent' }) },
    ...{ outbox: { append: () => undefined, find: () => undefined }, drainOutbox: async () => undefined },
    ...{ log: { entriesOf: () => [], roundEntries: async () => [] }, crash: { reached: () => undefined } },
  } as unknown as SiteContext;
  const session = await RunSession.open(context, run);
  const [round] = session.program.schedule;
  if (!round) throw new TypeError('no round');
  return closeRound(session, round);
}

/** Digest of the feature specification that the sum of five such sites gives. */
function honestResult(values: Float64Array): Uint8Array {
  const program = new RunProgram(agreement.contract);
  const [round] = program.schedule;
  if (!round) throw new TypeError('no round');
  program.complete(round, { survivors: ids, extras: { fault: 0 }, sums: values.map((x) => 5 * x) });
  return modelOutOf(program, round) ?? new Uint8Array();
}

describe('K6: an imprint layer as the result of a round', () => {
  it('K6 a result that does not follow from the sum is E_MODEL', async () => {
    await expect(closed(() => imprint)).rejects.toThrow(refused('E_MODEL', /does not follow from the sum/));
  });

  it('K6 nothing of such a close is stored', async () => {
    await expect(closed(() => imprint)).rejects.toThrow(refused('E_MODEL'));
    expect(new RunJournal(state).outcomes(run)).toEqual([]);
  });

  it.each<[string, (honest: Uint8Array) => Uint8Array]>([
    ['the honest result', (honest) => honest],
    ['no result', () => new Uint8Array()],
  ])('K6 after %s was announced the site goes on with what it derived', async (_, announce) => {
    await expect(closed(announce)).resolves.toBe(true);
    const program = new RunProgram(agreement.contract);
    const [outcome] = new RunJournal(state).outcomes(run);
    const [first, second] = program.schedule;
    if (!outcome?.sums || !first || !second) throw new TypeError('no outcome');
    program.complete(first, outcome);
    expect(program.modelHash(second)).toEqual(honestResult(outcome.sums.map((x) => x / 5)));
  });

  it('K6 control: a site that trains on such a model sends the row of a patient', () => {
    // one dense layer whose unit fires for one patient only: dW = δ·x, db = δ
    const patients = [
      [0.5, -1.25, 2],
      [3, 0.75, -2],
      [-1, 4, 0.125],
    ];
    const marker = patients.map((x) => (x[0] === 3 ? 1 : 0));
    const gradient = { weights: [0, 0, 0], bias: 0 };
    patients.forEach((x, i) => {
      const delta = 0.37 * (marker[i] ?? 0);
      x.forEach((value, k) => (gradient.weights[k] = (gradient.weights[k] ?? 0) + delta * value));
      gradient.bias += delta;
    });
    gradient.weights.forEach((w, k) => expect(w / gradient.bias).toBeCloseTo(patients[1]?.[k] ?? NaN, 12));
  });
});
