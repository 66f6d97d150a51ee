import { describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes } from '@regulon/shared/crypto';
import { keysOfGenesis, LogTree, parseEntry } from '@regulon/shared/transparency';
import { SampleLog, writeBaseline } from '@regulon/shared/transparency-samples';
import { entryHash } from '@regulon/shared/transparency';
import { Outbox } from '../state/index.js';
import { opened } from '../state/state.support.js';
import { entrySealer } from '../rounds/attempt/entries.js';
import { Baselines } from './baselines.js';

const refused = (code: string): object => expect.objectContaining({ code });

/** A site that has verified a log with one proposal, and what its coordinator shows now. */
function site(
  spoil: Parameters<typeof writeBaseline>[2] = {},
  change: (log: SampleLog) => void = () => undefined,
) {
  const log = new SampleLog();
  const at = writeBaseline(log, [], spoil);
  const tree = new LogTree();
  log.entries.forEach((bytes) => tree.append(entryHash(bytes)));
  const head = { origin: 'x', size: tree.size, root: tree.root() };
  const entry = parseEntry(log.entries[at] ?? new Uint8Array(0));
  if (entry.kind !== 'log.baseline') throw new TypeError(entry.kind);
  const proposed = entry.body;
  change(log);
  const keys = keysOfGenesis(parseEntry(log.federation.genesisEntry), (digest) =>
    log.attachments.get(digest),
  );
  const state = opened();
  const seed = log.federation.seedOf('site', 'site-1');
  const outbox = new Outbox(state, entrySealer(keys, keys.fed, 'site-1', seed));
  const follower = { latest: head, proposedBaselines: () => [proposed] };
  const read = (from: number, to: number): Promise<Uint8Array[]> =>
    Promise.resolve(log.entries.slice(from, to));
  const baselines = new Baselines(state, outbox, follower, read);
  const said = (): unknown[] => outbox.unsent().map(({ bytes }) => parseEntry(bytes).body);
  return { baselines, said, proposed };
}

describe('the baselines that a site signs', () => {
  it('are those that the verified log gives, each once', async () => {
    const { baselines, said, proposed } = site();
    expect([await baselines.sign(), await baselines.sign()]).toEqual([1, 0]);
    expect(said()).toEqual([proposed]);
  });

  it('are none that state anything else', async () => {
    const { baselines, said } = site({ state: (s) => ({ ...s, heads: [] }) });
    await expect(baselines.sign()).rejects.toThrow(refused('E_VERIFY'));
    expect(await baselines.sign()).toBe(0);
    expect(said()).toEqual([]);
  });

  it('are none from entries other than the verified ones, and are judged again later', async () => {
    const other = canonicalJsonBytes({});
    const { baselines, said } = site({}, (log) => void (log.entries[256] = other));
    await expect(baselines.sign()).rejects.toThrow(refused('E_VERIFY'));
    await expect(baselines.sign()).rejects.toThrow('other entries than the 257');
    expect(said()).toEqual([]);
  });

  it('are none when the coordinator shows fewer entries', async () => {
    const { baselines, said } = site({}, (log) => void log.entries.splice(100));
    await expect(baselines.sign()).rejects.toThrow(refused('E_VERIFY'));
    expect(said()).toEqual([]);
  });
});
