import { describe, expect, it } from '@jest/globals';
import type { ServerSession } from './tls.js';
import { WindowShare } from './window-share.js';

const MiB = 1 << 20;

class Session implements ServerSession {
  readonly socket = {};
  closed = false;
  /** windows that it was told, in order */
  readonly told: number[] = [];
  setLocalWindowSize(): void {}
  settings({ initialWindowSize }: { readonly initialWindowSize: number }): void {
    this.told.push(initialWindowSize / MiB);
  }
  destroy(): void {}
  once(): void {}
}

describe('the windows of uploads', () => {
  const withSites = (count: number): { sessions: Session[]; share: WindowShare } => {
    const sessions = Array.from({ length: count }, () => new Session());
    return { sessions, share: new WindowShare((site) => sessions.slice(site, site + 1)) };
  };

  it('are whole for one or two, and shrink in halves as more begin', () => {
    const { sessions, share } = withSites(20);
    for (let site = 0; site < 20; site++) share.begin(site);
    expect(sessions[0]?.told).toEqual([8, 4, 2, 1]);
    expect(sessions[10]?.told).toEqual([2, 1]);
    expect(sessions[19]?.told).toEqual([1]);
  });

  it('never add up to more than the budget, but for the least that an upload has', () => {
    const { sessions, share } = withSites(200);
    for (let site = 0; site < 200; site++) {
      share.begin(site);
      const windows = sessions.slice(0, site + 1).map(({ told }) => told.at(-1) ?? 16);
      expect(windows.reduce((sum, window) => sum + window)).toBeLessThanOrEqual(Math.max(32, (site + 1) / 2));
    }
  });

  it('grow again with the next upload, when others have ended', () => {
    const { sessions, share } = withSites(4);
    const ends = [0, 1, 2, 3].map((site) => share.begin(site));
    ends.forEach((end) => end());
    share.begin(1);
    expect(sessions.map(({ told }) => told)).toEqual([[8], [8, 16], [8], [8]]);
  });

  it('count a site once, whatever its streams, until the last one ends', () => {
    const { sessions, share } = withSites(3);
    const [first, second] = [share.begin(0), share.begin(0)];
    share.begin(1);
    expect(sessions[0]?.told).toEqual([]);
    first();
    share.begin(2);
    expect(sessions[0]?.told).toEqual([8]);
    second();
  });

  it('leave sessions alone that have closed', () => {
    const { sessions, share } = withSites(3);
    if (sessions[0]) sessions[0].closed = true;
    [0, 1, 2].forEach((site) => share.begin(site));
    expect(sessions[0]?.told).toEqual([]);
  });
});
