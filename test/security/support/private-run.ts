import { type Manifest, signManifest, type SiteId } from '@regulon/shared/secagg';
import { sha256 } from '@regulon/shared/crypto';
import { Purpose, type RunContract, RunProgram, runName } from '@regulon/shared/program';
import type { Plan } from '@regulon/shared/plan';
import { type Agreement, type Federation, verifyAgreement } from '@regulon/client/policy';
import {
  contractBytes,
  seedOf,
  testFederation,
  testPlan,
  testSite,
} from '../../../client/src/policy/site.support.js';
import { LyingCoordinator } from './lying-coordinator.js';

export const federation: Federation = testFederation();
/** site 1 is the daemon */
export const OWN: SiteId = 1;
const now = Date.parse('2026-11-21T00:00:00Z');

/** A run as it would be agreed on over data that are not public. */
export function privateRun(plan: Plan = testPlan(), id = 7): Agreement {
  const run = runName(new Uint8Array(16).fill(7));
  const agreement = verifyAgreement(contractBytes(plan), run, federation, testSite(federation), now);
  const contract: RunContract = {
    ...agreement.contract,
    runId: new Uint8Array(16).fill(id),
    isPublic: false,
  };
  return { ...agreement, contract };
}

/** The program of a run; one that begins with training knows its first weights. */
export function programOf(contract: RunContract): RunProgram {
  const program = new RunProgram(contract);
  if (program.next()?.purpose === Purpose.train) program.setInitialModel(0, sha256());
  return program;
}

/** What an honest coordinator announces of round 0. @param prevTranscriptHash T of the attempt before, 32 bytes */
export function manifestOf(
  { contract }: Agreement,
  attempt = 0,
  prevTranscriptHash: Uint8Array = new Uint8Array(32),
): Manifest {
  const program = programOf(contract);
  const [round] = program.schedule;
  if (!round) throw new TypeError('no round');
  const deadlines = [1, 2, 3, 4, 5].map((m) => now + m * 60_000);
  return program.manifest(round, { attempt, prevTranscriptHash, deadlines });
}

/** The other sites and the coordinator of round 0 of a run. */
export function coordinatorOf(
  agreement: Agreement,
  attempt = 0,
  prevTranscriptHash?: Uint8Array,
): LyingCoordinator {
  const manifest = manifestOf(agreement, attempt, prevTranscriptHash);
  const coordinatorSeed = seedOf('coordinator');
  const coordinator = new LyingCoordinator({
    seeds: new Map(manifest.roles.map(({ id }) => [id, seedOf('site', id)])),
    ...{ coordinatorSeed, roster: federation.rosterView, manifest },
    coordinatorSignature: signManifest(coordinatorSeed, manifest),
  });
  manifest.roles.filter(({ id }) => id !== OWN).forEach(({ id }) => coordinator.join(id));
  return coordinator;
}
