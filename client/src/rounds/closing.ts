import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { equalBytes, fromHex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { specificationDigest } from '@regulon/shared/genomics';
import { Purpose, type RunProgram, type ScheduledRound } from '@regulon/shared/program';
import {
  ctxOf,
  decodeFixed,
  decodeManifest,
  decodeMessage,
  hashOfSurvivors,
  type Manifest,
  type SurvivorEntry,
  unpackIntegers,
  vectorLength,
  verifyManifest,
  verifyTranscript,
} from '@regulon/shared/secagg';
import { digestText } from '@regulon/shared/transparency';
import type { OutcomeRow } from '../state/index.js';
import { consequenceOf } from './failures.js';
import { readFully } from './model-files.js';
import { type Audited, type AuditedClose, auditRound } from './round-audit.js';
import type { RunSession } from './run-session.js';

/** How a closed attempt was announced. */
interface Close extends AuditedClose {
  readonly transcript: Uint8Array;
  /** what the coordinator says followed from the sum */
  readonly modelHash: Uint8Array;
}

/**
 * Step 8 of a round: fetch the sum, verify it, derive what follows from it, and acknowledge.
 *
 * @returns false when the coordinator has not closed the round
 * @throws E_FORK, E_DIGEST, E_MODEL when the close does not follow; E_FAULT, E_UNITS when the plan cannot go on
 */
export async function closeRound(session: RunSession, round: ScheduledRound): Promise<boolean> {
  const close = await announcedClose(session, round);
  if (!close) return false;
  const survivors = await survivorsOf(session, round, close);
  const aggregate = join(session.folder, `aggregate-${round.round}.bin`);
  const { manifest } = close;
  const size = (vectorLength(manifest) * manifest.ringBits) / 8;
  await session.site.link.download({ digest: close.aggregateRoot, path: aggregate, size });
  const outcome = await derive(session, round, close, survivors, aggregate);
  session.record(round, outcome);
  const modelOut = modelOutOf(session.program, round) ?? close.modelHash;
  if (close.modelHash.length === 32 && !equalBytes(modelOut, close.modelHash)) {
    throw new RegulonError(
      'E_MODEL',
      `round ${round.round}: the announced result does not follow from the sum`,
    );
  }
  session.audit = auditAndAcknowledge(session, round, { ...close, modelHash: modelOut }, survivors);
  session.audit.catch(() => undefined);
  await session.ensureModel();
  return true;
}

async function announcedClose(session: RunSession, round: ScheduledRound): Promise<Close | undefined> {
  const { site, run, runId } = session;
  const items = await site.link.fetch({ type: 'closed', run: runId, round: round.round });
  const item = items.findLast((i) => i.outcome === 'closed');
  if (!item) return undefined;
  const own = site.attempts.find(run, round.round, item.attempt);
  const manifest = own ? decodeManifest(own.manifest) : await missedManifest(session, round, item.attempt);
  const ctx = ctxOf(manifest);
  const signed = { ctx, tag: 'CLOSE' as const, T: item.transcript, sig: item.signature };
  verifyTranscript(site.federation.rosterView.coordinatorKey, signed);
  const { transcript, aggregateRoot, modelHash } = item;
  return { manifest, ctx, own, transcript, aggregateRoot, modelHash };
}

/** Manifest of an attempt that this site did not join. @throws E_FORK when it is not what the plan implies */
async function missedManifest(
  session: RunSession,
  round: ScheduledRound,
  attempt: number,
): Promise<Manifest> {
  const { link, federation } = session.site;
  const items = await link.fetch({ type: 'manifest', run: session.runId, round: round.round });
  const item = items.find((i) => i.attempt === attempt);
  if (!item)
    throw new RegulonError('E_FORK', `round ${round.round}: the manifest of attempt ${attempt} is missing`);
  const manifest = decodeManifest(item.manifest);
  verifyManifest(federation.rosterView.coordinatorKey, manifest, item.signature);
  const expected = ctxOf(session.program.manifest(round, manifest));
  if (manifest.attempt !== attempt || !equalBytes(expected, ctxOf(manifest))) {
    throw new RegulonError('E_FORK', `round ${round.round}: its manifest is not what the plan implies`);
  }
  return manifest;
}

async function survivorsOf(
  session: RunSession,
  round: ScheduledRound,
  close: Close,
): Promise<SurvivorEntry[]> {
  const { attempt } = close.manifest;
  const items = await session.site.link.fetch({
    type: 'survivors',
    run: session.runId,
    round: round.round,
    attempt,
  });
  const survivors = items.map((i) => decodeMessage('survivor', i.message)).sort((a, b) => a.id - b.id);
  const answered = session.site.answered.find(session.run, round.round);
  const h2 = close.own?.facts.h2;
  if (answered?.attempt === attempt && h2 !== undefined) {
    const h3 = hashOfSurvivors(close.ctx, fromHex(h2, 32), survivors);
    if (!equalBytes(h3, answered.h3))
      throw new RegulonError('E_FORK', `round ${round.round}: other survivors than before`);
  }
  return survivors;
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
  return { ...base, modelHash: await models.step(job, program.serverStep(extras.weight)) };
}

/** Digest of what followed from a round: model, feature specification, or the models that were scored. */
export function modelOutOf(program: RunProgram, round: ScheduledRound): Uint8Array | null {
  if (round.purpose === Purpose.statistics) return specificationDigest(program.specification(round.arm));
  return round.purpose === Purpose.train ? program.model(round.arm) : program.modelHash(round);
}

/** Recompute some tiles beside the next round, then acknowledge the round in the log. @throws E_MODEL when one differs */
async function auditAndAcknowledge(
  session: RunSession,
  round: ScheduledRound,
  close: Close,
  survivors: readonly SurvivorEntry[],
): Promise<void> {
  const { audited, failure } = await auditRound(session, round, close, survivors);
  const { attempt } = close.manifest;
  await acknowledge(session, round.round, { ...close, attempt, receipt: close.own?.facts.receipt, audited });
  if (audited.result === 'differ') throw failure;
}

interface Acknowledgement {
  readonly ctx: Uint8Array;
  readonly attempt: number;
  /** hexadecimal */
  readonly receipt: string | undefined;
  readonly modelHash: Uint8Array;
  readonly audited: Audited;
}

/** Say in the log what this site derived from a closed round; once. */
async function acknowledge(session: RunSession, round: number, ack: Acknowledgement): Promise<void> {
  const { site, run } = session;
  const { ctx, attempt, receipt, modelHash, audited } = ack;
  site.outbox.append(
    'round.ack',
    { run, round, attempt },
    {
      context: digestText(ctx),
      modelOut: digestText(modelHash),
      receipt: receipt === undefined ? null : Buffer.from(receipt, 'hex').toString('base64'),
      audited,
    },
  );
  site.crash.reached('acked', round);
  try {
    await site.drainOutbox();
  } catch (error) {
    // the entry is durable: it leaves with the next one
    if (consequenceOf(error) !== 'retry') throw error;
  }
}

/** After a restart: acknowledge the last round if the crash came before it; its audit is not repeated. */
export async function acknowledgeLast(session: RunSession): Promise<void> {
  const last = session.lastOutcome;
  if (!last) return;
  const place = { run: session.run, round: last.round, attempt: last.attempt };
  const own = session.site.attempts.find(session.run, last.round, last.attempt);
  if (!own || session.site.outbox.find('round.ack', place)) return;
  const modelHash = modelOutOf(session.program, session.scheduled(last.round));
  if (!modelHash) return;
  await acknowledge(session, last.round, {
    ctx: ctxOf(decodeManifest(own.manifest)),
    ...{ attempt: last.attempt, receipt: own.facts.receipt, modelHash },
    audited: { tiles: [], count: 0, result: 'none' },
  });
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
