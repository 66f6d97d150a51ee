import { beforeEach, describe, expect, it } from '@jest/globals';
import { HandClock } from '../rounds/hand-clock.support.js';
import { Presence } from '../sites/index.js';
import { CheckpointPublisher, type PublishedLog } from './checkpoint-publisher.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('publisher of checkpoints', () => {
  let clock: HandClock;
  let size: number;
  let publisher: CheckpointPublisher;
  const heard: number[] = [];
  const unexpected = (): never => {
    throw new Error('not part of publishing');
  };
  const log: PublishedLog = {
    checkpoint: async () => ({ size, note: 'note', root: new Uint8Array(32) }),
    consistency: () => [],
    appendOwn: unexpected,
    putAttachment: unexpected,
    cosign: unexpected,
    cosigned: () => undefined,
  };

  beforeEach(() => {
    clock = new HandClock();
    size = 1;
    heard.length = 0;
    const presence = new Presence([1], clock, 1e9);
    presence.add(1, (notice) => void (notice.type === 'checkpoint' && heard.push(notice.oldSize)));
    publisher = new CheckpointPublisher(log, presence, [1], clock, (error) => {
      throw error;
    });
  });

  it('does not put a wanted checkpoint off, however many ask for one', async () => {
    for (let asked = 0; asked < 10; asked++) {
      publisher.publishSoon();
      clock.move(5);
    }
    await turn();
    expect(heard).toEqual([0]);
  });

  it('takes a wish that comes while a checkpoint is being cut', async () => {
    publisher.publishSoon();
    clock.move(20);
    publisher.publishSoon();
    await turn();
    size = 2;
    clock.move(20);
    await turn();
    expect(heard).toEqual([0, 1]);
  });

  it('announces each size once', async () => {
    await Promise.all([publisher.publish(), publisher.publish()]);
    await publisher.publish();
    expect(heard).toEqual([0]);
  });

  it('leaves no timer behind when it is closed, also while a checkpoint is being cut', async () => {
    clock.move(60_000);
    await publisher.close();
    await turn();
    publisher.publishSoon();
    expect(clock.waiting).toBe(0);
  });

  describe('in gate mode cosigned', () => {
    const whole = { size: 0, note: 'cosigned', root: new Uint8Array(32) };
    let answer: typeof whole | undefined;
    let cosigned: typeof whole | undefined;

    beforeEach(async () => {
      [answer, cosigned] = [undefined, undefined];
      const presence = new Presence([1], clock, 1e9);
      presence.add(1, (notice) => void (notice.type === 'checkpoint' && heard.push(notice.oldSize)));
      const cosign = async (): Promise<typeof whole | undefined> => (cosigned = answer);
      const witnessed: PublishedLog = { ...log, cosign, cosigned: () => cosigned };
      const fatal = (error: unknown): void => {
        throw error;
      };
      publisher = new CheckpointPublisher(witnessed, presence, [1], clock, fatal, 'cosigned');
      await publisher.publish();
      size = 2;
    });

    it('keeps the next checkpoint back until a quorum has cosigned the last', async () => {
      await publisher.publish();
      await publisher.cosign('a', 1, new Uint8Array(72));
      expect(heard).toEqual([0]);
      answer = { ...whole, size: 1 };
      await publisher.cosign('b', 1, new Uint8Array(72));
      await turn();
      // the cosigned note of size 1, then the checkpoint of size 2
      expect(heard).toEqual([0, 1, 1]);
    });

    it('goes on without a quorum after a while', async () => {
      await publisher.publish();
      clock.move(2_000);
      await turn();
      expect(heard).toEqual([0, 1]);
    });

    it('asks for new cosignatures of a log that does not grow, and shows them to the sites', async () => {
      answer = { ...whole, size: 1 };
      await publisher.cosign('a', 1, new Uint8Array(72));
      await turn();
      const after = async (ms: number): Promise<void> => {
        clock.move(ms);
        await turn();
      };
      // the publisher in gate mode signed, beside this one, speaks once
      await after(60_000);
      heard.length = 0;
      await after(5 * 3_600_000);
      expect(heard).toEqual([]);
      await after(3_600_000);
      expect(heard).toEqual([2]);
      await after(2_000);
      expect(heard).toEqual([2, 1]);
      await after(5 * 3_600_000);
      expect(heard).toEqual([2, 1]);
    });

    it('settles when everything is cosigned, or when waiting is in vain', async () => {
      let settled = 0;
      const settle = (): Promise<void> => publisher.settle().then(() => void (settled += 1));
      answer = { ...whole, size: 2 };
      const first = settle();
      await turn();
      expect(settled).toBe(0);
      await publisher.cosign('a', 2, new Uint8Array(72));
      await first;
      expect(settled).toBe(1);
      size = 3;
      const second = settle();
      await turn();
      clock.move(10_000);
      await second;
      expect(settled).toBe(2);
    });
  });
});
