import { describe, expect, it } from '@jest/globals';
import { keysOfGenesis, parseEntry, signCheckpoint } from '@regulon/shared/transparency';
import { SampleLog } from '@regulon/shared/transparency-samples';
import { readLog } from './read-log.js';

/** A log with so many entries behind entry 0. */
function logOf(entries: number): SampleLog {
  const log = new SampleLog();
  const { body } = log.federation.policyBody('site-1');
  for (let i = 0; i < entries; i++) log.write(['steward', 'site-1'], 'policy.set', {}, body);
  return log;
}

function reading(log: SampleLog, shown = log.entries) {
  const genesis = log.federation.genesisEntry;
  const keys = keysOfGenesis(parseEntry(genesis), (digest) => log.attachments.get(digest));
  const pages: number[] = [];
  const fetch = async ({ from, to }: { from: number; to: number }) => {
    pages.push(from);
    return shown.slice(from, to).map((entry) => ({ entry }));
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
});
