import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hex } from '@regulon/shared/crypto';
import { encodeMessage, type SiteId } from '@regulon/shared/secagg';
import { entryHash, LogTree, signCheckpoint } from '@regulon/shared/transparency';
import { Outbox } from '@regulon/client/state';
import { LogFollower } from '@regulon/client/witness';
import { origin, seedOf } from '../../../client/src/policy/site.support.js';
import type { Attempt } from '../../../client/src/rounds/attempt/attempt.js';
import { showing } from '../../../client/src/witness/witness.support.js';
import { copyFolder as copy } from '../support/copy-folder.js';
import { DaemonSite } from '../support/daemon-site.js';
import { coordinatorOf, federation, OWN, privateRun } from '../support/private-run.js';
import type { LyingCoordinator } from '../support/lying-coordinator.js';
import { refused } from '../support/refused.js';
import { Spoils } from '../support/spoils.js';

const all: SiteId[] = [1, 2, 3, 4, 5];
const victim = 5;
const smaller = all.filter((id) => id !== victim);
const never = new AbortController().signal;

describe('K8: a daemon restored from a backup', () => {
  const agreement = privateRun();
  let daemon: DaemonSite;
  let coordinator: LyingCoordinator;
  beforeEach(() => {
    daemon = new DaemonSite();
    coordinator = coordinatorOf(agreement);
  });
  afterEach(() => daemon.stop());
  const database = (): string => join(daemon.folder, 'daemon.sqlite');
  const backup = (): string => `${daemon.folder}.backup`;
  const copyDatabase = (): void => {
    daemon.state.db.pragma('wal_checkpoint(TRUNCATE)');
    copyFileSync(database(), backup());
  };
  /** The process ends, the old database is put back, the process starts. */
  const restoreDatabase = (): void => {
    daemon.stop();
    for (const suffix of ['-wal', '-shm']) rmSync(`${database()}${suffix}`, { force: true });
    copyFileSync(backup(), database());
    daemon.start();
  };
  /** The process of the daemon and everything that belongs to it start anew on the other state. */
  const reopened = (attempt = daemon.restore(agreement, coordinator)): Attempt => {
    if (!attempt) throw new TypeError('no attempt');
    return attempt;
  };

  it.each(['R0', 'R1', 'R2', 'R3', 'R4'] as const)(
    'K8 the database of before %s is E_QUARANTINE: nothing is sent a second time',
    async (stage) => {
      const steps: Record<typeof stage, () => Promise<unknown>> = {
        R0: async () => daemon.join(agreement, coordinator),
        R1: async () => {
          daemon.show('advertised', coordinator.keys(all));
          await reopened().share(never);
        },
        R2: async () => {
          coordinator.deal([2, 3, 4, 5], all);
          daemon.show('deliveries', coordinator.deliveries(OWN, all));
          await reopened().contribute(never);
        },
        R3: async () => {
          coordinator.upload([2, 3, 4, 5], all);
          daemon.show('survivors', coordinator.survivors(all));
          await reopened().confirm(never);
        },
        R4: async () => daemon.released(reopened(), coordinator, all),
      };
      for (const [name, take] of Object.entries(steps)) {
        if (name === stage) copyDatabase();
        await take();
        if (name === stage) break;
      }
      // one counted step may be the crash between database and counter; a restored copy is behind
      expect(restoreDatabase).toThrow(refused('E_QUARANTINE'));
    },
  );

  it('K8 without a restore the same daemon goes on and sends the same answer again', async () => {
    await daemon.released(await daemon.contributed(agreement, coordinator), coordinator, all);
    const before = hex(encodeMessage('answer', daemon.last('answer')));
    daemon.stop();
    daemon.start();
    const again = daemon.restore(agreement, coordinator);
    daemon.show('survivors', coordinator.survivors(smaller));
    await again?.confirm(never);
    await again?.answer(never);
    expect(hex(encodeMessage('answer', daemon.last('answer')))).toBe(before);
    expect(daemon.sent.filter(({ type }) => type === 'unmask')).toHaveLength(2);
  });

  /** The folder with database and counter is kept, or put back under a process that starts anew. */
  const copyFolder = (): void => {
    daemon.state.db.pragma('wal_checkpoint(TRUNCATE)');
    copy(daemon.folder, backup());
  };
  const restoreFolder = (): void => {
    daemon.stop();
    rmSync(daemon.folder, { recursive: true });
    copy(backup(), daemon.folder);
    daemon.start();
  };

  /** A site that has answered comes back as it was after R2; all others too. */
  async function twice(): Promise<Spoils> {
    const attempt = await daemon.contributed(agreement, coordinator);
    const before = new Map([2, 3, 4, 5].map((id) => [id, coordinator.site(id).client.snapshot()]));
    copyFolder();
    await daemon.released(attempt, coordinator, all);
    const spoils = new Spoils(coordinator, all, 4).take(daemon.last('answer'));
    spoils.take(...coordinator.answers([2, 3, 4, 5], coordinator.confirm(all.slice(1), all)));
    restoreFolder();
    for (const [id, snapshot] of before) coordinator.restart(id, snapshot);
    await daemon.released(reopened(), coordinator, smaller);
    spoils.take(daemon.last('answer'));
    const others = smaller.filter((id) => id !== OWN);
    const signatures = [...coordinator.confirm(others, smaller), daemon.last('consistency')];
    return spoils.take(...coordinator.answers(others, signatures));
  }

  it('K8 control: with the counter beside the database restored too, a second answer opens the vector of a site', async () => {
    const spoils = await twice();
    expect(hex(spoils.vectorOf(victim))).toBe(hex(coordinator.site(victim).vector));
  });

  it('K8 such a daemon is E_QUARANTINE once the log shows its own lost entry', async () => {
    const attempt = await daemon.contributed(agreement, coordinator);
    copyFolder();
    await daemon.released(attempt, coordinator, all);
    const entries = daemon.entries();
    expect(entries).toHaveLength(3);
    restoreFolder();
    const log = [federation.genesis, ...entries];
    const tree = new LogTree();
    log.forEach((entry) => tree.append(entryHash(entry)));
    const note = signCheckpoint(
      { origin, size: log.length, root: tree.root() },
      { keyName: origin, seed: seedOf('log') },
    );
    const outbox = new Outbox(daemon.state, () => {
      throw new Error('nothing is written');
    });
    const source = showing(log);
    const follower = new LogFollower(daemon.state, outbox, { ...federation, site: 'a' }, source);
    await expect(follower.follow(note)).rejects.toThrow(refused('E_QUARANTINE'));
  });

  it('K8 with the counter restored too, a lost R3 is not noticed: the site signs other survivors, and answers for one set only', async () => {
    const attempt = await daemon.contributed(agreement, coordinator);
    copyFolder();
    daemon.show('survivors', coordinator.survivors(all));
    await attempt.confirm(never);
    const first = daemon.last('consistency');
    restoreFolder();
    const again = reopened();
    daemon.show('survivors', coordinator.survivors(smaller));
    await again.confirm(never);
    expect(daemon.last('consistency')).not.toEqual(first);
    const others = smaller.filter((id) => id !== OWN);
    daemon.show('signatures', [...coordinator.confirm(others, smaller), daemon.last('consistency')]);
    await again.answer(never).catch(() => undefined);
    expect(daemon.sent.filter(({ type }) => type === 'unmask')).toHaveLength(1);
  });
});
