import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { enc, fromHex, hex, sha256, u32, verifyEd25519, wipe } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { ScheduledRound } from '@regulon/shared/program';
import { type Manifest, type MaskKey, roundingKey, type SecAggClient } from '@regulon/shared/secagg';
import { rootOfFile } from '../../files/index.js';
import type { AttemptFacts } from '../../state/index.js';
import { prepareUpdate } from '../../update/index.js';
import { SitsOut } from '../errors/failures.js';
import type { LocalResult } from '../run/local-work.js';
import { noiseOf } from './ring-noise.js';
import type { RunSession } from '../run/run-session.js';

/** The masked vector of an attempt on disk: only these bytes may ever leave. */
export type StoredUpload = NonNullable<AttemptFacts['upload']>;

/** Whose upload it is: the run at this site, its round, the manifest and the protocol machine of the attempt. */
export interface UploadPlace {
  readonly session: RunSession;
  readonly round: ScheduledRound;
  readonly manifest: Manifest;
  readonly client: SecAggClient;
}

/**
 * Mask what this site contributes, write it, and sign its root.
 *
 * @throws E_DISK_FULL with nothing half-written
 */
export async function storeUpload(
  { session, round, manifest, client }: UploadPlace,
  local: LocalResult,
): Promise<StoredUpload> {
  const file = `y-${round.round}-${manifest.attempt}.bin`;
  const noise = noiseOf({ session, manifest, client });
  const { masks } = client.maskPlan();
  const { root, length, exceeded } = await prepareUpdate({
    ...{ manifest, contribution: local.contribution, weight: local.weight, extras: local.extras },
    path: join(session.folder, file),
    roundingKey: roundingKey(session.roundingSecret, session.runId, round.round, round.arm),
    ...{ masks, engine: session.engine },
    ...(noise ? { noise } : {}),
  }).finally(() => wipeMasks(masks));
  if (exceeded) warnFault(session, round);
  client.commit(root, length);
  session.site.crash.reached('y-written', round.round);
  return { root: hex(root), length, file };
}

/** Mask keys are derived again when they are needed: what a step has used it overwrites. */
export function wipeMasks(masks: readonly MaskKey[]): void {
  wipe(...masks.map(({ key }) => key));
}

/** The vector that was written before a restart, never another one. @throws E_UPLOAD (`SitsOut`) when it is damaged */
export async function verifyStored(
  { session, manifest }: UploadPlace,
  stored: StoredUpload,
): Promise<StoredUpload> {
  const path = join(session.folder, stored.file);
  const size = (stored.length * manifest.ringBits) / 8;
  let cause: unknown;
  try {
    if (existsSync(path) && hex(await rootOfFile(path, size)) === stored.root) return stored;
  } catch (error) {
    cause = error;
  }
  throw new SitsOut(
    'E_UPLOAD',
    `${path} is damaged: this site sits the attempt out, nothing else is sent for it`,
    {
      cause,
    },
  );
}

/** @throws E_UPLOAD when the receipt is not the coordinator's signature over this upload */
export function verifyReceipt(
  { site }: RunSession,
  receipt: Uint8Array,
  upload: { readonly ctx: Uint8Array; readonly h2: Uint8Array; readonly root: string },
): void {
  const { ctx, h2, root } = upload;
  const signed = sha256(enc('regulon/secagg/v1/RCPT', ctx, h2, u32(site.site.own.id), fromHex(root, 32)));
  if (verifyEd25519(site.federation.rosterView.coordinatorKey, signed, receipt)) return;
  throw new RegulonError('E_UPLOAD', 'the receipt of the upload is not signed by the coordinator', {
    retryable: false,
  });
}

function warnFault({ site, run }: RunSession, { round, stepId }: ScheduledRound): void {
  site.logger.warn(
    { run, round, code: 'E_FAULT' },
    `round ${round} (${stepId}): a value of this site exceeds the bound that the plan declares; ` +
      'next: tell the researcher to raise secureAggregation.clipNorm or weightCap',
  );
}
