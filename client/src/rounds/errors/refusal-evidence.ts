import { readdirSync } from 'node:fs';
import type { Logger } from 'pino';
import type { ErrorCode } from '@regulon/shared/errors';
import { isSaidByCoordinator } from '@regulon/shared/wire';
import { namedError } from '../../errors/index.js';
import { evidenceName, writeEvidence } from '../../state/index.js';
import type { StageNotice } from './refusals.js';

/** Messages of others as the coordinator relayed them, encoded. */
export interface Broadcast {
  readonly type: 'advertised' | 'deliveries' | 'survivors' | 'signatures';
  readonly messages: readonly Uint8Array[];
}

/** What the coordinator showed of an attempt. */
export interface Shown {
  readonly manifest: Uint8Array;
  /** Sig_C("MANIFEST"), 64 bytes */
  readonly signature: Uint8Array;
  /** the last one, if there was one */
  readonly broadcast: Broadcast | undefined;
}

/** Where records go. */
interface Place {
  readonly run: string;
  /** folder of the run */
  readonly folder: string;
  readonly logger: Pick<Logger, 'info'>;
}

/** Checks of what the coordinator shows; the others are about this site and its data. */
const CHECKS: ReadonlySet<ErrorCode> = new Set([
  ...(['E_SIG_MANIFEST', 'E_ROSTER', 'E_POLICY', 'E_REPLAY', 'E_MODEL', 'E_FORK', 'E_RING_BOUND'] as const),
  ...(['E_COHORT', 'E_SIG_R0', 'E_SIG_R1', 'E_SIG_R2', 'E_SIG_R3', 'E_LOW_ORDER', 'E_SHARE'] as const),
  ...(['E_U3', 'E_CONSISTENCY', 'E_STATE', 'E_MESSAGE', 'E_UPLOAD'] as const),
]);
/** A coordinator can offer attempts without end; the first records of a run say enough. */
const MOST_RECORDS = 16;

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/**
 * Keep what failed a check at this site: the manifest with the coordinator's signature, and the broadcast that was
 * refused. Nothing in it is secret, as all of it came from the coordinator. The first record of an attempt stays.
 */
export function keepRefusal(
  { run, folder, logger }: Place,
  { round, attempt, stage }: StageNotice,
  error: unknown,
  { manifest, signature, broadcast }: Shown,
): void {
  const { code, message } = namedError(error);
  if (!CHECKS.has(code) || isSaidByCoordinator(error)) return;
  const name = evidenceName(round, attempt, 'refusal');
  const known = readdirSync(folder).filter((file) => file.startsWith('evidence-refusal-'));
  if (known.includes(name) || known.length >= MOST_RECORDS) return;
  const path = writeEvidence(folder, name, {
    ...{ schema: 'regulon.refusal/1', run, round, attempt, stage, code, why: message },
    ...{ at: new Date().toISOString(), manifest: base64(manifest), signature: base64(signature) },
    broadcast: broadcast ? { type: broadcast.type, messages: broadcast.messages.map(base64) } : null,
  });
  logger.info({ run, round, code, path }, `round ${round}: what was refused is kept`);
}
