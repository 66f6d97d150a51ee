import { sha256, utf8, canonicalJsonBytes } from '../crypto/index.js';
import {
  attachmentsOf,
  BaselineBuilder,
  type BodyOf,
  digestText,
  isRepeated,
  MediaType,
  parseEntry,
  TILE_WIDTH,
  tilePath,
} from '../transparency/index.js';
import type { SampleLog } from './sample-log.js';
import type { SpoiledBaseline, SpoiledPruning } from './sample-options.js';

/** Entries that a baseline of a sample log is about. */
export const BASELINE_SIZE = 256;

/** Fill a log with starts of the coordinator up to a size. */
export function fillLog(log: SampleLog, size = BASELINE_SIZE): void {
  const body = { nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration: null };
  while (log.entries.length < size) log.write(['coordinator', 'coordinator'], 'config.start', {}, body);
}

/** Have the coordinator propose the baseline of a log's first entries, and sites sign it. @returns index of the proposal */
export function writeBaseline(
  log: SampleLog,
  sites: readonly string[],
  spoil: SpoiledBaseline = {},
  entries = BASELINE_SIZE,
): number {
  fillLog(log, entries);
  const builder = new BaselineBuilder();
  log.entries.slice(0, entries).forEach((bytes) => builder.add(bytes));
  const { state, root, size } = builder.baseline();
  const attached = log.attach(canonicalJsonBytes(spoil.state?.(state) ?? state), MediaType.json);
  const body = { size, root: digestText(root), state: attached, ...spoil.body };
  const index = log.write(['coordinator', 'coordinator'], 'log.baseline', {}, body);
  for (const site of sites) log.write(['site', site], 'log.baseline', {}, body);
  return index;
}

/** A root of no log. */
export const noRoot = digestText(sha256(utf8('no log')));

/** Have the first entries of a log go, under a baseline that all sites sign unless a spec says other ones. */
export function pruneLog(log: SampleLog, spoil: SpoiledPruning = {}): void {
  const baseline = writeBaseline(log, spoil.sites ?? log.federation.roster.members.map((m) => m.name), spoil);
  writePrune(log, baseline, spoil.prune);
}

/** Write that entries go under a baseline. @returns index of the entry */
export function writePrune(
  log: SampleLog,
  baseline: number,
  changes: Partial<BodyOf<'log.prune'>> = {},
): number {
  const [first] = log.federation.roster.policy.retention ?? [];
  const body = { size: BASELINE_SIZE, baseline, class: first?.class ?? 'none', ...changes };
  return log.write(['coordinator', 'coordinator'], 'log.prune', {}, body);
}

/** Files of a bundle without the first entries, and without what only these refer to. */
export function prunedFiles(log: SampleLog, below = BASELINE_SIZE): Map<string, Uint8Array> {
  const files = log.files();
  for (let index = 0; index * TILE_WIDTH < below; index++)
    files.delete(tilePath({ level: 'entries', index, width: TILE_WIDTH }));
  const left = log.entries.map(parseEntry).filter(({ kind }, index) => index >= below || isRepeated(kind));
  const used = new Set(left.flatMap(attachmentsOf).map(({ digest }) => digest));
  for (const digest of log.attachments.keys())
    if (!used.has(digest)) files.delete(`attachments/sha256/${digest.slice('sha256:'.length)}`);
  return files;
}
