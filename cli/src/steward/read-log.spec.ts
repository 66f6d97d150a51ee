import { describe, expect, it } from '@jest/globals';
import { concatBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  digestText,
  entryHash,
  keysOfGenesis,
  parseEntry,
  signCheckpoint,
} from '@regulon/shared/transparency';
import type { QueryOf } from '@regulon/shared/wire';
import { pruneLog, SampleLog } from '@regulon/shared/transparency-samples';
import { readLog } from './read-log.js';

/** A log with so many entries behind entry 0. */
function logOf(entries: number): SampleLog {
  const log = new SampleLog();
  const { body } = log.federation.policyBody('site-1');
  for (let i = 0; i < entries; i++) log.write(['steward', 'site-1'], 'policy.set', {}, body);
  return log;
}

function reading(log: SampleLog, shown = log.entries, minimum = 0) {
  const genesis = log.federation.genesisEntry;
  const keys = keysOfGenesis(parseEntry(genesis), (digest) => log.attachments.get(digest));
  const pages: number[] = [];
  const fetch = async (query: QueryOf<'logEntries' | 'logHashes' | 'attachment'>) => {
    if (query.type === 'attachment') return [{ bytes: log.attachments.get(digestText(query.digest)) }];
    const range = shown.slice(query.from, query.to);
    if (query.type === 'logHashes') return [{ minimum, hashes: concatBytes(...range.map(entryHash)) }];
    if (query.from < minimum) throw new RegulonError('E_PRUNED', `entry ${query.from} was pruned`);
    pages.push(query.from);
    return range.map((entry) => ({ entry }));
  };
  return { pages, link: { fetch } as never, federation: { keys, versions: [keys], genesis } };
}
const stateOf = (log: SampleLog, size: number) => ({ size, root: log.rootAt(size) });

describe('the log that a steward reads', () => {
  it('is taken when it goes on from what the daemon of the site has followed', async () => {
    const log = logOf(5);
    const { link, federation } = reading(log);
    expect(await readLog(link, federation, log.note(4), stateOf(log, 3))).toHaveLength(6);
  });

  it('is refused when it is older than that, or another one', async () => {
    const log = logOf(5);
    const { link, federation } = reading(log, log.entries.slice(0, 4));
    const old = readLog(link, federation, log.note(4), stateOf(log, 6));
    await expect(old).rejects.toMatchObject({ code: 'E_FORK', message: expect.stringContaining('followed') });
    const other = readLog(link, federation, log.note(4), { size: 3, root: log.rootAt(2) });
    await expect(other).rejects.toMatchObject({ code: 'E_FORK' });
  });

  it('is read no further than some pages behind its checkpoint, however long it is', async () => {
    const log = logOf(16 * 256 + 300);
    const { link, federation, pages } = reading(log);
    const read = await readLog(link, federation, log.note(2));
    expect(pages.at(-1)).toBe(16 * 256);
    expect(read).toHaveLength(17 * 256);
  });

  it('is not begun when its checkpoint claims more entries than anybody reads', async () => {
    const log = logOf(2);
    const { link, federation, pages } = reading(log);
    const { origin } = log.federation.genesis;
    const claim = { origin, size: 2 ** 24, root: log.rootAt(2) };
    const note = signCheckpoint(claim, { keyName: origin, seed: log.federation.logSeed });
    await expect(readLog(link, federation, note)).rejects.toMatchObject({ code: 'E_VERIFY' });
    expect(pages).toEqual([]);
  });

  it('begins at the baseline that a quorum signed where entries were pruned', async () => {
    const log = new SampleLog({ retention: [{ class: 'brief', days: 0 }] });
    const [first, second] = [0, 1].map(() => log.federation.policyBody('site-1').body);
    log.write(['steward', 'site-1'], 'policy.set', {}, first!);
    pruneLog(log);
    log.write(['steward', 'site-1'], 'policy.set', {}, second!);
    const { link, federation } = reading(log, log.entries, 256);
    const end = log.entries.length;
    for (const followed of [undefined, 3, 256, 258].map((size) => size && stateOf(log, size))) {
      const read = await readLog(link, federation, log.note(), followed || undefined);
      expect(read.slice(0, 3).map(({ index }) => index)).toEqual([0, 1, 256]);
      expect(read.at(-1)).toMatchObject({ index: end - 1, entry: { kind: 'policy.set', seq: 1 } });
    }
    for (const size of [3, 256, 258]) {
      const other = readLog(link, federation, log.note(), { size, root: log.rootAt(size - 1) });
      await expect(other).rejects.toMatchObject({ code: 'E_FORK' });
    }
    await expect(readLog(link, federation, log.note(200))).rejects.toMatchObject({ code: 'E_FORK' });
  });
});
