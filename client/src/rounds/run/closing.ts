import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { fedAvgStep, Purpose, type ScheduledRound } from '@regulon/shared/program';
import {
  ctxOf,
  decodeFixed,
  decodeManifest,
  type Manifest,
  type SurvivorEntry,
  unpackIntegers,
  vectorLength,
  verifyTranscript,
} from '@regulon/shared/secagg';
import { readFully } from '../../files/index.js';
import type { AttemptRow, OutcomeRow } from '../../state/index.js';
import { missedManifest } from './missed-manifest.js';
import type { RunSession } from './run-session.js';
import { verifyRecomputed } from '../audits/recomputed-close.js';
import { survivorsOf } from '../audits/survivors.js';

/** How a closed attempt was announced. */
interface Close {
  readonly manifest: Manifest;
  readonly own: AttemptRow | undefined;
  readonly aggregateRoot: Uint8Array;
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
 * @throws E_FORK, E_DIGEST, E_MODEL when the close does not follow; E_FAULT, E_UNITS when the plan cannot go on
 */
export async function closeRound(session: RunSession, round: ScheduledRound): Promise<boolean> {
  const close = await announcedClose(session, round);
  if (!close) return false;
  const { manifest, own } = close;
  const survivors = await survivorsOf(session, { round: round.round, manifest, own });
  const aggregate = join(session.folder, 'aggregate.bin');
  const size = (vectorLength(manifest) * manifest.ringBits) / 8;
  await session.site.link.download({ digest: close.aggregateRoot, path: aggregate, size });
  const outcome = await derive(session, round, close, survivors, aggregate);
  const { modelOut, advance } = session.program.closing(round, outcome);
  verifyAnnounced(round, modelOut, close);
  await verifyRecomputed(session, { ...close, round: round.round, survivors, modelOut });
  session.record(round, outcome);
  advance();
  await rm(aggregate, { force: true });
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
  const { transcript, signature, aggregateRoot, modelHash } = item;
  return { manifest, own, transcript, signature, aggregateRoot, modelHash };
}

/** Decode the sum; for training apply the server step. */
async function derive(
  session: RunSession,
  round: ScheduledRound,
  close: Close,
  survivors: readonly SurvivorEntry[],
  aggregate: string,
): Promise<OutcomeRow> {
  const { program, models } = session;
  const { manifest, transcript, aggregateRoot } = close;
  const { d, ringBits, fractionBits } = manifest;
  const integers = unpackIntegers(
    await tailOf(aggregate, (d * ringBits) / 8, 1 + manifest.extras.length, ringBits),
    ringBits,
  );
  const extras = program.decodeExtras(round, integers);
  const base = {
    ...{ round: round.round, attempt: manifest.attempt, survivors: survivors.map((s) => s.id) },
    ...{ extras, transcript, aggregateRoot },
  };
  if (round.purpose !== Purpose.train) {
    const body = await tailOf(aggregate, 0, d, ringBits);
    return { ...base, sums: decodeFixed(body, fractionBits) };
  }
  if ((extras['fault'] ?? 0) > 0) return { ...base, modelHash: manifest.modelHash };
  const job = {
    arm: round.arm,
    round: round.round,
    from: session.modelPath(round.arm),
    aggregate,
    parameters: d,
  };
  return { ...base, modelHash: await models.step(job, fedAvgStep(program.stepTerms(round.arm, extras))) };
}

async function tailOf(path: string, start: number, words: number, ringBits: 32 | 64): Promise<Uint8Array> {
  const bytes = new Uint8Array((words * ringBits) / 8);
  const file = await open(path, 'r');
  try {
    await readFully(file, bytes, start);
  } finally {
    await file.close();
  }
  return bytes;
}
