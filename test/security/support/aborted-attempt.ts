import {
  abortTranscript,
  ctxOf,
  encodeManifest,
  type Manifest,
  signManifest,
  signTranscript,
} from '@regulon/shared/secagg';
import { sha256 } from '@regulon/shared/crypto';
import { runName } from '@regulon/shared/program';
import { attachmentOf, digestText, type LogEntry, MediaType, parseEntry } from '@regulon/shared/transparency';
import { seedOf, signedEntry } from '../../../client/src/policy/site.support.js';

const seed = seedOf('coordinator');
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** What an honest coordinator logs of a statistics attempt that it opened and ended before R1. @returns also T, 32 bytes */
export function abortedAttempt(manifest: Manifest): { T: Uint8Array; entries: LogEntry[] } {
  const { runId, round, attempt } = manifest;
  const T = abortTranscript(ctxOf(manifest), 'E_DEADLINE', new Uint8Array(32));
  const place = { run: runName(runId), round, attempt };
  const entry = (kind: string, body: object): LogEntry =>
    parseEntry(signedEntry(kind, 'coordinator', 0, body, place));
  return {
    T,
    entries: [entry('round.open', openingOf(manifest)), entry('round.abort', abortOf(manifest, T))],
  };
}

const openingOf = (manifest: Manifest): object => ({
  ...{ purpose: 'statistics', stepId: manifest.stepId, arm: manifest.arm },
  manifest: attachmentOf(encodeManifest(manifest), MediaType.manifest),
  manifestSignature: base64(signManifest(seed, manifest)),
  ...{ context: digestText(ctxOf(manifest)), modelIn: digestText(manifest.modelHash) },
  ...{ invited: manifest.roles.map(({ id }) => id), rosterHash: digestText(manifest.rosterHash) },
  previousTranscript: digestText(manifest.prevTranscriptHash),
  deadlines: manifest.deadlines.map((ms) => new Date(ms).toISOString()),
  ...{ chain: digestText(sha256()), size: 1 },
});
const abortOf = (manifest: Manifest, T: Uint8Array): object => ({
  ...{ context: digestText(ctxOf(manifest)), stage: 'r0', code: 'E_DEADLINE', reason: 'E_DEADLINE' },
  ...{ lastHash: null, transcript: digestText(T), complaint: null, answersSent: false },
  abortSignature: base64(signTranscript(seed, ctxOf(manifest), 'ABORT', T)),
});
