import { sha256, utf8, canonicalJsonBytes } from '../crypto/index.js';
import {
  BaselineBuilder,
  type BaselineState,
  type BodyOf,
  digestText,
  MediaType,
} from '../transparency/index.js';
import type { SampleLog } from './sample-log.js';

/** Entries that a baseline of a sample log is about. */
export const BASELINE_SIZE = 256;

/** What a spec changes in a baseline before it is signed. */
export interface SpoiledBaseline {
  readonly state?: (state: BaselineState) => object;
  readonly body?: Partial<BodyOf<'log.baseline'>>;
}

/** Fill a log with starts of the coordinator up to the size of a baseline. */
export function fillLog(log: SampleLog): void {
  const body = { nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration: null };
  while (log.entries.length < BASELINE_SIZE)
    log.write(['coordinator', 'coordinator'], 'config.start', {}, body);
}

/** Have the coordinator propose the baseline of a log's first entries, and sites sign it. @returns index of the proposal */
export function writeBaseline(log: SampleLog, sites: readonly string[], spoil: SpoiledBaseline = {}): number {
  fillLog(log);
  const builder = new BaselineBuilder();
  log.entries.slice(0, BASELINE_SIZE).forEach((bytes) => builder.add(bytes));
  const { state, root, size } = builder.baseline();
  const attached = log.attach(canonicalJsonBytes(spoil.state?.(state) ?? state), MediaType.json);
  const body = { size, root: digestText(root), state: attached, ...spoil.body };
  const index = log.write(['coordinator', 'coordinator'], 'log.baseline', {}, body);
  for (const site of sites) log.write(['site', site], 'log.baseline', {}, body);
  return index;
}

/** A root of no log. */
export const noRoot = digestText(sha256(utf8('no log')));
