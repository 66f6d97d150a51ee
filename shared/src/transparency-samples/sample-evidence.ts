import { sha256, utf8 } from '../crypto/index.js';
import {
  type ActorType,
  type Attachment,
  type BodyOf,
  checkpointBody,
  digestText,
  type Kind,
  MediaType,
  type NamedSeed,
  type ScopeOf,
  signCheckpoint,
} from '../transparency/index.js';
import { SampleFederation } from './sample-federation.js';
import type { SampleLog } from './sample-log.js';

/** A note over a log of this size that never was, signed by the log key or by another one. */
export function forkedNote(log: SampleLog, size: number, seed = log.federation.logSeed): string {
  const { origin } = log.federation.genesis;
  return signCheckpoint({ origin, size, root: sha256(utf8('fork')) }, { keyName: origin, seed });
}

/** Put a note beside the log. */
export const attachNote = (log: SampleLog, note: string): Attachment =>
  log.attach(utf8(note), MediaType.text);

/** A refusal by `site-3`. @returns its index */
export function writeRefusal(log: SampleLog, held: string | null, offered: string): number {
  const body: BodyOf<'witness.refusal'> = {
    code: 'E_FORK',
    held: held === null ? null : attachNote(log, held),
    offered: attachNote(log, offered),
    shown: null,
  };
  return log.write(['site', 'site-3'], 'witness.refusal', {}, body);
}

/** Evidence by `site-2`. @returns its index */
export function writeEvidence(
  log: SampleLog,
  about: 'notes' | 'entries',
  pair: readonly [Uint8Array, Uint8Array],
): number {
  const type = about === 'notes' ? MediaType.text : MediaType.json;
  const [first, second] = [log.attach(pair[0], type), log.attach(pair[1], type)];
  return log.write(['site', 'site-2'], 'fork.evidence', {}, { about, first, second });
}

/** Another `policy.set` of the steward of site-1, with the number of the one at index 1. */
export const twinOfFirstPolicy = (): Uint8Array =>
  new SampleFederation(5, SampleFederation.ticking(Date.UTC(2026, 10, 20, 11))).policy('site-1').entry;

/** A report over the first `size` entries. @returns its index */
export function writeReport(log: SampleLog, size: number, root = log.rootAt(size)): number {
  const checkpoint = { size, root: digestText(root) };
  const body = { report: digestText(sha256(utf8('report'))), checkpoint, verifier: 'regulon-0.1.0' };
  return log.write(['coordinator', 'coordinator'], 'report.issued', {}, body);
}

/** An anchor of the first `size` entries, whose token is about those of `dated`. @returns its index */
export function writeAnchor(log: SampleLog, size: number, dated = size): number {
  const { origin } = log.federation.genesis;
  const digest = sha256(utf8(checkpointBody({ origin, size: dated, root: log.rootAt(dated) })));
  const token = log.attach(Uint8Array.from([48, 130, 4, 32, ...digest, 2, 1]), 'application/timestamp-reply');
  const checkpoint = { size, root: digestText(log.rootAt(size)) };
  const body = { checkpoint, form: 'rfc3161', token } as const;
  return log.write(['coordinator', 'coordinator'], 'anchor', {}, body);
}

/** The first entry that an actor of the sample federation would sign at another time, under its first key. */
export function firstEntryOf<K extends Kind>(
  actor: readonly [ActorType, string],
  kind: K,
  scope: ScopeOf<K>,
  body: BodyOf<K>,
  others: NamedSeed[] = [],
  at = Date.UTC(2026, 10, 20, 11),
): Uint8Array {
  return new SampleFederation(5, SampleFederation.ticking(at)).entry(actor, kind, scope, body, others);
}
