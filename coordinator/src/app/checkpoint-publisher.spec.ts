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
});
