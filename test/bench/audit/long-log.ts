import { createHash, verify } from 'node:crypto';
import { leafHashOf, publicKeyOf, utf8 } from '@regulon/shared/crypto';
import { formatTlogProof, LogTree, parseEntry, TILE_WIDTH } from '@regulon/shared/transparency';
import { SampleLog } from '@regulon/shared/transparency-samples';
import { ed25519KeyObject } from './native-key.js';
import { cpuSecondsOf } from '../best-of.js';

const body = { nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration: null };

/** A log of so many entries, signed by its sites in turn. */
export function longLog(count: number): SampleLog {
  const log = new SampleLog();
  const names = log.federation.roster.members.map(({ name }) => name);
  while (log.entries.length < count)
    log.write(['site', names[log.entries.length % names.length] ?? ''], 'config.start', {}, body);
  return log;
}

/** Where in a bundle of a log some bytes of entries are: one of each of so many entry bundles, evenly spread. */
export function placesOfEntries(
  log: SampleLog,
  bundle: Uint8Array,
  count: number,
): { readonly index: number; readonly at: number }[] {
  const whole = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.length);
  const tiles = Math.floor(log.entries.length / TILE_WIDTH);
  let from = 0;
  return Array.from({ length: Math.min(count, tiles) }, (_, k) => {
    const tile = Math.floor((k * tiles) / Math.min(count, tiles));
    // never entry 0: without its keys no signature would be looked at
    const index = tile * TILE_WIDTH + 1 + ((k * 97) % (TILE_WIDTH - 1));
    const entry = log.entries[index] ?? new Uint8Array(0);
    const start = whole.indexOf(entry, from);
    from = start;
    return { index, at: start + ((k * 131) % entry.length) };
  });
}

/** Processor seconds of hashing some entries and verifying one signature over each, by `node:crypto` alone. */
export async function bareSeconds(log: SampleLog, count: number): Promise<number> {
  const keys = new Map(
    log.federation.roster.members.map(({ name }) => [
      name,
      ed25519KeyObject(publicKeyOf(log.federation.seedOf('site', name))),
    ]),
  );
  const sample = log.entries.slice(1, 1 + count).map((bytes) => {
    const { actor, sigs } = parseEntry(bytes);
    return { bytes, key: keys.get(actor.id), sig: Buffer.from(sigs[0]?.sig ?? '', 'base64') };
  });
  return cpuSecondsOf(() => {
    for (const { bytes, key, sig } of sample) {
      createHash('sha256').update(bytes).digest();
      // the signature covers a few bytes less, which costs the same: whether it holds is not asked here
      if (key) verify(null, bytes, key, sig);
    }
  });
}

/** Bytes of the proof of an entry without the entry itself: hashes, and the checkpoint with its signature. */
export function proofBytes(log: SampleLog): { readonly bytes: number; readonly hashes: number } {
  const tree = new LogTree();
  log.entries.forEach((entry) => tree.append(leafHashOf(entry)));
  const index = Math.floor(log.entries.length / 3);
  const hashes = tree.inclusion(index);
  const proof = { entry: new Uint8Array(0), index, hashes, checkpoint: log.note() };
  return { bytes: utf8(formatTlogProof(proof)).length, hashes: hashes.length };
}
