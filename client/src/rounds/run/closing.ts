import { open } from 'node:fs/promises';
import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { Purpose, type RunProgram, type ScheduledRound, serverStepOf } from '@regulon/shared/program';
import {
  ctxOf,
  decodeFixed,
  decodeManifest,
  type SurvivorEntry,
  unpackIntegers,
  verifyTranscript,
} from '@regulon/shared/secagg';
import { readFully } from '../../files/index.js';
import type { AttemptRow, OutcomeRow } from '../../state/index.js';
import { type AnnouncedSums, type ClosedSums, fetchSums, removeSums } from './closed-sums.js';
import { missedManifest } from './missed-manifest.js';
import type { RunSession } from './run-session.js';
import { verifyRecomputed } from '../audits/recomputed-close.js';
import { survivorsOf } from '../audits/survivors.js';

/** How a closed attempt was announced. */
interface Close extends AnnouncedSums {
  readonly own: AttemptRow | undefined;
  readonly transcript: Uint8Array;
  /** of the coordinator under `transcript`, 64 bytes */
  readonly signature: Uint8Array;
  /** what the coordinator says followed from the sum, 32 bytes; it may be empty where no model did */
  readonly modelHash: Uint8Array;
}

/**
 * Fetch the sum of a round, derive what follows from it and compare that with what was announced; then it is remembered,
 * and its audit begins.
 *
 * @returns false when the coordinator has not closed the round
 * @throws E_FORK, E_DIGEST, E_MODEL when the close does not follow; E_FAULT, E_UNITS when the plan cannot go on; E_CEILING,
 *   E_OUTLIER when the coordinator applied a sum that honest sites cannot have made, or hardly
 */
export async function closeRound(session: RunSession, round: ScheduledRound): Promise<boolean> {
  const close = await announcedClose(session, round);
  if (!close) return false;
  const { manifest, own } = close;
  const survivors = await survivorsOf(session, { round: round.round, manifest, own });
  const sums = await fetchSums(session, round, close);
  const outcome = await derive(session, round, close, survivors, sums);
  const { modelOut, advance } = session.program.closing(round, outcome);
  verifyAnnounced(round, modelOut, close);
  await verifyRecomputed(session, { ...close, round: round.round, survivors, modelOut });
  session.record(round, outcome);
  advance();
  await removeSums(sums);
  const { attempt } = manifest;
  session.audits.add({ round, attempt, aggregateRoot: close.aggregateRoot, modelOut, manifest, own });
  await session.ensureModel();
  return true;
}

/** @param modelOut digest of what follows from the sum, 32 bytes @throws E_MODEL when the coordinator says otherwise */
function verifyAnnounced(round: ScheduledRound, modelOut: Uint8Array, { modelHash }: Close): void {
  const saysNothing = modelHash.length === 0 && round.purpose !== Purpose.train;
  if (saysNothing || equalBytes(modelOut, modelHash)) return;
  throw new RegulonError(
    'E_MODEL',
    `round ${round.round}: the announced result does not follow from the sum`,
  );
}

async function announcedClose(session: RunSession, round: ScheduledRound): Promise<Close | undefined> {
  const { site, run, runId } = session;
  const items = await site.link.fetch({ type: 'closed', run: runId, round: round.round });
  const item = items.findLast((i) => i.outcome === 'closed');
  if (!item) return undefined;
  const own = site.attempts.find(run, round.round, item.attempt);
  const manifest = own ? decodeManifest(own.manifest) : await missedManifest(session, round, item.attempt);
  const signed = { ctx: ctxOf(manifest), tag: 'CLOSE' as const, T: item.transcript, sig: item.signature };
  verifyTranscript(site.federation.rosterView.coordinatorKey, signed);
  const { transcript, signature, aggregateRoot, groupRoots, modelHash } = item;
  return { manifest, own, transcript, signature, aggregateRoot, groupRoots, modelHash };
}

/** Decode the sums; for training apply the server step. */
async function derive(
  session: RunSession,
  round: ScheduledRound,
  close: Close,
  survivors: readonly SurvivorEntry[],
  { aggregate, combined, groupRoots }: ClosedSums,
): Promise<OutcomeRow> {
  const { program, models } = session;
  const { manifest, transcript, aggregateRoot } = close;
  const { d, ringBits, fractionBits } = manifest;
  const extrasOf = async (path: string): Promise<ReturnType<RunProgram['decodeExtras']>> => {
    const tail = await wordsOf(path, (d * ringBits) / 8, 1 + manifest.extras.length, ringBits);
    return program.decodeExtras(round, unpackIntegers(tail, ringBits));
  };
  const extras = await extrasOf(aggregate);
  const base = {
    ...{ round: round.round, attempt: manifest.attempt, survivors: survivors.map((s) => s.id) },
    ...{ extras, transcript, aggregateRoot, ...(groupRoots ? { groupRoots } : {}) },
  };
  if (round.purpose !== Purpose.train) {
    const body = await wordsOf(aggregate, 0, d, ringBits);
    return { ...base, sums: decodeFixed(body, fractionBits) };
  }
  if ((extras['fault'] ?? 0) > 0) return { ...base, modelHash: manifest.modelHash };
  const groups = groupRoots ? await Promise.all(combined.map(extrasOf)) : [];
  const terms = program.stepTerms(round.arm, { all: extras, groups, survivors: survivors.length });
  const job = {
    ...{ arm: round.arm, round: round.round, from: session.modelPath(round.arm) },
    ...{ sums: combined, parameters: d },
  };
  const { modelHash, measured } = await models.step(job, serverStepOf(terms));
  return { ...base, modelHash, ...(measured.tiles ? { tiles: measured.tiles } : {}) };
}

async function wordsOf(path: string, start: number, words: number, ringBits: 32 | 64): Promise<Uint8Array> {
  const bytes = new Uint8Array((words * ringBits) / 8);
  const file = await open(path, 'r');
  try {
    await readFully(file, bytes, start);
  } finally {
    await file.close();
  }
  return bytes;
}
