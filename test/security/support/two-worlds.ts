import { rmSync } from 'node:fs';
import { hex, sha256, u32 } from '@regulon/shared/crypto';
import {
  type ConsistencySignature,
  decodeMessage,
  hashOfSurvivors,
  type SiteId,
  type SurvivorEntry,
  vectorLength,
} from '@regulon/shared/secagg';
import type { Attempt } from '../../../client/src/rounds/attempt/attempt.js';
import { signTagged } from '../../../shared/src/secagg/hashing.js';
import { copyFolder } from './copy-folder.js';
import { DaemonSite } from './daemon-site.js';
import { coordinatorOf, OWN, privateRun } from './private-run.js';
import { Dice } from './dice.js';
import type { LyingCoordinator } from './lying-coordinator.js';

const agreement = privateRun();
const all: SiteId[] = [1, 2, 3, 4, 5];
const others = all.filter((id) => id !== OWN);
const never = new AbortController().signal;
const forward = ['share', 'contribute', 'confirm', 'answer'] as const;
const any = [...forward, 'die', 'again'] as const;

/** Distinct messages of each kind that left the daemon, in hexadecimal. */
export interface Left {
  readonly shares: Set<string>;
  readonly uploads: Set<string>;
  readonly confirmations: Set<string>;
  readonly answers: Set<string>;
  /** `site kind` of every share that it revealed */
  readonly kinds: Set<string>;
  /** how often the daemon died and came back */
  readonly deaths: number;
}

/**
 * A coordinator whose other four sites say whatever it likes, in two worlds with keys of their own: each world is valid
 * by itself. It shows the daemon this or that at random, in any order, and the daemon dies and comes back in between.
 */
export class TwoWorlds {
  private readonly dice: Dice;
  private readonly daemon = new DaemonSite();
  private readonly worlds = [coordinatorOf(agreement), coordinatorOf(agreement)] as const;
  private readonly world: () => LyingCoordinator;
  private readonly u3: () => readonly SiteId[];
  private readonly uploads = new Set<string>();
  private attempt: Attempt | undefined;
  private deaths = 0;

  /** @param forgetful the daemon comes back with its whole folder as it was after R0: the control */
  constructor(
    seed: number,
    private readonly forgetful = false,
  ) {
    this.dice = new Dice(seed);
    this.world = this.mostly(this.worlds);
    this.u3 = this.mostly([all, all.slice(0, 4), [1, 2, 3, 5]]);
    this.attempt = this.daemon.join(agreement, this.worlds[0]);
    this.worlds[1].sites.set(OWN, this.worlds[0].site(OWN));
    if (!forgetful) return;
    this.daemon.state.db.pragma('wal_checkpoint(TRUNCATE)');
    copyFolder(this.daemon.folder, this.backup);
  }

  async play(): Promise<Left> {
    for (let turn = 0; turn < 24 && this.attempt; turn++) {
      const name = this.dice.chance(4) ? this.dice.pick(any) : (forward[turn >> 2] ?? 'die');
      try {
        await this[name](this.attempt);
      } catch (error) {
        if ((error as Error).name !== 'RegulonError') throw error;
        // the driver wipes an attempt that its site refuses
        if (this.attempt?.client.ended !== undefined) break;
      }
      const { commit } = this.worlds[0].site(OWN);
      if (commit) this.uploads.add(hex(commit.root));
    }
    this.daemon.stop();
    return this.left();
  }

  private left(): Left {
    const sent = (type: string): Set<string> =>
      new Set(this.daemon.sent.flatMap((r) => (r.type === type && 'message' in r ? [hex(r.message)] : [])));
    const entries = this.daemon.sent.flatMap((r) =>
      r.type === 'unmask' ? decodeMessage('answer', r.message).entries : [],
    );
    return {
      ...{ shares: sent('shareKeys'), confirmations: sent('consistency'), answers: sent('unmask') },
      ...{ uploads: this.uploads, kinds: new Set(entries.map(({ about, kind }) => `${about} ${kind}`)) },
      deaths: this.deaths,
    };
  }

  private share(at: Attempt): Promise<void> {
    this.daemon.show('advertised', this.world().keys(all));
    return at.share(never);
  }

  private contribute(at: Attempt): Promise<void> {
    const world = this.world();
    const { shares } = this.worlds[0].site(OWN);
    if (shares) {
      this.worlds[1].sites.set(OWN, { ...this.worlds[1].site(OWN), shares });
      if (!world.site(others[0] ?? 0).shares) world.deal(others, all);
      this.daemon.show('deliveries', world.deliveries(OWN, all));
    }
    return at.contribute(never);
  }

  private confirm(at: Attempt): Promise<void> {
    this.daemon.show('survivors', this.survivorsFor(at, this.u3()));
    return at.confirm(never);
  }

  private answer(at: Attempt): Promise<void> {
    this.daemon.show('signatures', this.signaturesFor(at, this.u3()));
    return at.answer(never);
  }

  private async die(): Promise<void> {
    this.daemon.stop();
    if (this.forgetful) {
      rmSync(this.daemon.folder, { recursive: true });
      copyFolder(this.backup, this.daemon.folder);
    }
    this.daemon.start();
    this.attempt = this.daemon.restore(agreement, this.worlds[0]);
    this.attempt?.resend();
    this.deaths += 1;
  }

  private async again(at: Attempt): Promise<void> {
    at.resend();
  }

  /** What the other four sign as their uploads, under whatever U2 the daemon has seen. */
  private survivorsFor(at: Attempt, ids: readonly SiteId[]): SurvivorEntry[] {
    return ids.flatMap((id) => {
      const { commit } = this.worlds[0].site(OWN);
      if (id === OWN) return commit ? [commit] : [];
      const root = sha256(u32(id));
      const fields = [h2Of(at), u32(id), u32(vectorLength(at.manifest)), root];
      return [{ id, root, sig: signTagged(this.seedOf(id), at.ctx, 'R2', ...fields) }];
    });
  }

  private signaturesFor(at: Attempt, ids: readonly SiteId[]): ConsistencySignature[] {
    const h3 = hashOfSurvivors(at.ctx, h2Of(at), this.survivorsFor(at, ids));
    const own = this.daemon.sent.findLast(({ type }) => type === 'consistency');
    const signed = others.map((id) => ({ id, sig: signTagged(this.seedOf(id), at.ctx, 'R3', h3, u32(id)) }));
    return own && 'message' in own ? [...signed, decodeMessage('consistency', own.message)] : signed;
  }

  /** Mostly the same: a daemon that always hears something else ends at once. */
  private mostly<T>(list: readonly T[]): () => T {
    const usual = this.dice.pick(list);
    return () => (this.dice.chance(10) ? this.dice.pick(list) : usual);
  }

  private seedOf(id: SiteId): Uint8Array {
    return this.worlds[0].cohort.seeds.get(id) ?? new Uint8Array();
  }

  private get backup(): string {
    return `${this.daemon.folder}.backup`;
  }
}

/** h2 of the daemon once it has opened its shares. */
function h2Of(at: Attempt): Uint8Array {
  try {
    return at.client.h2();
  } catch {
    return new Uint8Array(32);
  }
}
