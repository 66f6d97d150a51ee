import { leafHashOf, utf8 } from '@regulon/shared/crypto';
import { formatTlogProof, LogTree, verifyBundle, type VerifyReport } from '@regulon/shared/transparency';
import { SampleLog, sampleRun } from '@regulon/shared/transparency-samples';
import { secondsOf } from '../best-of.js';

const body = { nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration: null };
/** A day after the last entry. */
const DAY = 24 * 3600;

/** A log of so many entries, signed by its sites in turn. */
export function longLog(count: number): SampleLog {
  const log = new SampleLog();
  const names = log.federation.roster.members.map(({ name }) => name);
  while (log.entries.length < count)
    log.write(['site', names[log.entries.length % names.length] ?? ''], 'config.start', {}, body);
  return log;
}

/** The report on a bundle, and how long it took. */
async function verified(
  log: SampleLog,
  bundle: Uint8Array,
): Promise<{ report: VerifyReport; seconds: number }> {
  const asOf = new Date((SampleLog.timeOf(log.entries.length) + DAY) * 1000);
  let report: VerifyReport | undefined;
  const seconds = await secondsOf(() => (report = verifyBundle({ bundle, policy: log.policy, asOf })));
  if (report === undefined) throw new Error('no report');
  return { report, seconds };
}

/**
 * Flip one bit of some entries, one after the other, and let the verifier look for it.
 *
 * @param turns how many entries, evenly spread
 * @returns share of them that the first line of the report named, and seconds of a search
 */
export async function locating(log: SampleLog, turns: number): Promise<{ named: number; seconds: number }> {
  let [named, seconds] = [0, 0];
  const bundle = log.bundle();
  for (let turn = 0; turn < turns; turn++) {
    const index = Math.floor(((turn + 0.5) * log.entries.length) / turns);
    const entry = Buffer.from(log.entries[index] ?? new Uint8Array(0));
    const at = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.length).indexOf(entry);
    const byte = at + ((turn * 131) % entry.length);
    bundle[byte] = (bundle[byte] ?? 0) ^ 1;
    const { report, seconds: spent } = await verified(log, bundle);
    bundle[byte] = (bundle[byte] ?? 0) ^ 1;
    if (report.status === 'fail' && new RegExp(`entry ${index}\\b`).test(report.firstLine)) named += 1;
    seconds += spent / turns;
  }
  return { named: named / turns, seconds };
}

/** Bytes of the proof of an entry without the entry itself: hashes, and the checkpoint with its signature. */
export function proofBytes(log: SampleLog): number {
  const tree = new LogTree();
  log.entries.forEach((entry) => tree.append(leafHashOf(entry)));
  const index = Math.floor(log.entries.length / 3);
  const proof = { entry: new Uint8Array(0), index, hashes: tree.inclusion(index), checkpoint: log.note() };
  return utf8(formatTlogProof(proof)).length;
}

/** Verify a run at evidence level 1. @returns entries, bytes of the bundle and seconds @throws if a row fails */
export async function longRun(
  sites: number,
  rounds: number,
): Promise<{ entries: number; bytes: number; seconds: number }> {
  // one statistics round, then training
  const log = sampleRun({ sites, trainingRounds: rounds - 1 });
  const bundle = log.bundle();
  const { report, seconds } = await verified(log, bundle);
  if (report.status !== 'pass') throw new Error(report.firstLine);
  return { entries: log.entries.length, bytes: bundle.length, seconds };
}
