import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { origin } from '../policy/site.support.js';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { followedHead } from './followed-head.js';
import { FollowingSite, note, start } from './witness.support.js';

describe('the last state of the log that a daemon has verified', () => {
  let site: FollowingSite;
  const head = () => followedHead(site.state.paths.folder, origin);
  beforeEach(() => {
    site = new FollowingSite();
  });
  afterEach(() => site.state.close());

  it('is read beside the daemon that runs, as far as it has come', async () => {
    expect(head()).toBeUndefined();
    for (const entry of [start(), note(2)]) {
      await site.follower.follow(site.log.add(entry).note());
      const { size, root } = site.follower.latest;
      expect(head()).toEqual({ size, root });
    }
    expect(head()?.size).toBe(3);
  });

  it('is none of another log, and of a site whose daemon never ran', async () => {
    await site.follower.follow(site.log.add(start()).note());
    expect(followedHead(site.state.paths.folder, 'localhost/fed/fed_other')).toBeUndefined();
    expect(followedHead(temporaryFolder('never'), origin)).toBeUndefined();
  });

  it('stays what it was when a checkpoint was refused', async () => {
    await site.follower.follow(site.log.add(start(), note(2)).note());
    site.log.entries.splice(1, 1, note(3));
    await expect(site.follower.follow(site.log.add(note(4)).note())).rejects.toMatchObject({
      code: 'E_FORK',
    });
    expect(head()?.size).toBe(3);
  });

  it('is not guessed from a database that is damaged', () => {
    const folder = temporaryFolder('damaged');
    writeFileSync(
      join(folder, 'daemon.sqlite'),
      'no database at all, but longer than one page header'.repeat(99),
    );
    expect(() => followedHead(folder, origin)).toThrow(expect.objectContaining({ code: 'E_STATE_DB' }));
  });
});
