import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hex } from '@regulon/shared/crypto';
import { entryHash, LogTree, verifyCheckpoint } from '@regulon/shared/transparency';
import { seedOf, testFederation } from '../policy/site.support.js';
import { type Cosignature, Cosigner } from './cosigner.js';
import { FollowingSite, note, TestLog } from './witness.support.js';

const { keys } = testFederation('cosigned');

/** What happens to a witness whose coordinator has two logs, which part after their first entries. */
type Event =
  | { readonly kind: 'grow'; readonly fork: boolean; readonly by: number }
  | { readonly kind: 'clock'; readonly hours: number }
  /** a checkpoint of so many entries before the end; the site then dies before it answers */
  | { readonly kind: 'show' | 'death'; readonly fork: boolean; readonly back: number }
  /** two checkpoints at a time, the newer one first or last */
  | { readonly kind: 'race'; readonly fork: boolean; readonly back: number; readonly last: boolean };

const fork = fc.integer({ min: 0, max: 7 }).map((dice) => dice === 0);
const back = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 6 }));
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant('grow' as const), fork, by: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('clock' as const), hours: fc.integer({ min: -30, max: 30 }) }),
  fc.record({ kind: fc.constantFrom('show' as const, 'death' as const), fork, back }),
  fc.record({ kind: fc.constant('race' as const), fork, back, last: fc.boolean() }),
);

/** A witness, the two logs it is shown, and all that it ever signed. */
class World {
  readonly site = new FollowingSite();
  /** checkpoints that it signed: size, root, seconds */
  readonly signed: { readonly size: number; readonly root: string; readonly time: number }[] = [];
  private now = Date.UTC(2026, 10, 21, 12);
  private readonly forked = new TestLog();

  constructor() {
    this.restart();
    for (const log of [this.site.log, this.forked]) log.add(note(2), note(3));
    this.site.log.add(note(2));
    this.forked.add(note(3));
  }

  private restart(): void {
    this.site.cosigner = new Cosigner(this.site.state, keys, 'a', seedOf('cosigner', 1), () => this.now);
    this.site.restart(undefined, { entries: async (from, to) => this.shown.entries.slice(from, to) });
  }

  private shown: TestLog = this.site.log;

  private log(isFork: boolean): TestLog {
    this.shown = isFork ? this.forked : this.site.log;
    return this.shown;
  }

  /** Follow one checkpoint; @returns whether it was signed */
  private async follow(log: TestLog, size: number, isAnswered = true): Promise<boolean> {
    const text = log.note(size);
    const answer = await this.site.follower.follow(text).catch(() => undefined);
    if (answer !== undefined && isAnswered) this.keep(text, answer);
    return answer !== undefined;
  }

  private keep(text: string, { size, cosignature }: Cosignature): void {
    const checkpoint = verifyCheckpoint(text, keys.logKey);
    expect(checkpoint.size).toBe(size);
    const time = Number(Buffer.from(cosignature).readBigUInt64BE());
    this.signed.push({ size, root: hex(checkpoint.root), time });
  }

  async play(event: Event): Promise<void> {
    if (event.kind === 'clock') {
      this.now += 3_600_000 * event.hours;
      return;
    }
    const log = this.log(event.fork);
    const before = this.site.follower.latest.size;
    if (event.kind === 'grow') {
      log.add(...Array.from({ length: event.by }, (_, i) => note(event.fork ? 3 : 2 + (i % 2))));
      return;
    }
    const newest = log.entries.length;
    const older = Math.max(1, newest - event.back);
    if (event.kind === 'race') {
      const sizes = event.last ? [older, newest] : [newest, older];
      await Promise.all(sizes.map((size) => this.follow(log, size)));
    } else {
      await this.follow(log, older, event.kind === 'show');
      if (event.kind === 'death') this.restart();
    }
    expect(this.site.follower.latest.size).toBeGreaterThanOrEqual(before);
  }

  /** Root of a log at a size. */
  private static rootOf(log: TestLog, size: number): string {
    const tree = new LogTree();
    log.entries.slice(0, size).forEach((entry) => tree.append(entryHash(entry)));
    return hex(tree.root());
  }

  /** What must hold of everything that it signed, whatever happened. */
  verify(): void {
    const isOf = (log: TestLog): boolean =>
      this.signed.every(({ size, root }) => size <= log.entries.length && World.rootOf(log, size) === root);
    expect(isOf(this.site.log) || isOf(this.forked)).toBe(true);
    const inOrder = [...this.signed].sort((a, b) => a.size - b.size);
    for (const [i, { size, time }] of inOrder.entries())
      for (const later of inOrder.slice(i + 1))
        if (later.size > size) expect(later.time).toBeGreaterThanOrEqual(time);
  }

  /** Whether it signs the next checkpoint of a log that it has followed so far. */
  async goesOn(): Promise<boolean> {
    const { size, root } = this.site.follower.latest;
    const isFork = World.rootOf(this.site.log, size) !== hex(root);
    const log = this.log(isFork).add(note(isFork ? 3 : 2));
    return this.follow(log, log.entries.length);
  }
}

describe('a witness, whatever it is shown and however often it dies', () => {
  it('signs one log only, at times that never fall with the size, and goes on with that log', async () => {
    let signed = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 4, maxLength: 14 }), async (events) => {
        const world = new World();
        try {
          for (const event of events) await world.play(event);
          expect(await world.goesOn()).toBe(true);
          world.verify();
          signed += world.signed.length;
        } finally {
          world.site.state.close();
        }
      }),
      { numRuns: 60 },
    );
    expect(signed).toBeGreaterThan(100);
  });
});
