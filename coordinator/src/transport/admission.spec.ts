import { describe, expect, it, jest } from '@jest/globals';
import { hex, randomBytes } from '@regulon/shared/crypto';
import { MessageQuota } from './message-quota.js';
import { SessionLimit } from './session-limit.js';
import { siteOfCertificate } from './site-identity.js';
import { StreamGuard } from './stream-guard.js';
import type { ServerSession } from './tls.js';

const members = [1, 2].map((id) => ({ id, key: randomBytes(32) }));
const nameOf = (id: number): string => `URI:regulon:site:${id}:${hex(members[id - 1]!.key)}`;

describe('siteOfCertificate', () => {
  it('finds the member among other names', () => {
    expect(siteOfCertificate(`DNS:hospital.example, ${nameOf(2)}`, members)).toBe(2);
  });

  it.each([
    ['no name', undefined],
    ['two site names', `${nameOf(1)}, ${nameOf(2)}`],
    ['a quoted name', `"${nameOf(1)}"`],
    ['an unknown id', nameOf(1).replace('site:1', 'site:3')],
    ['a leading zero', nameOf(1).replace('site:1', 'site:01')],
    ['another key', nameOf(1).slice(0, -1) + (nameOf(1).endsWith('0') ? '1' : '0')],
    ['something after the key', `${nameOf(1)}0`],
  ])('refuses %s', (_name, subjectAltName) => {
    expect(() => siteOfCertificate(subjectAltName, members)).toThrow(
      expect.objectContaining({ code: 'E_CERTIFICATE' }),
    );
  });
});

describe('a site that the federation removed', () => {
  const key = randomBytes(32);
  const former = [{ id: 3, key, removal: 'west is no member since then', ask: 'ask east' }];

  it('is told so, and whom to ask; who only claims to have been it is not', () => {
    expect(() => siteOfCertificate(`URI:regulon:site:3:${hex(key)}`, members, former)).toThrow(
      expect.objectContaining({ code: 'E_CERTIFICATE', message: former[0]?.removal, hint: 'ask east' }),
    );
    expect(() => siteOfCertificate(`URI:regulon:site:3:${'0'.repeat(64)}`, members, former)).toThrow(
      'site 3 is not in the roster',
    );
  });
});

describe('MessageQuota', () => {
  it('allows a burst, then the sustained rate, for each site on its own', () => {
    let now = 0;
    const quota = new MessageQuota(60, () => now);
    const take = (count: number, site = 1): void => {
      for (let i = 0; i < count; i++) quota.take(site);
    };
    take(15);
    expect(() => take(1)).toThrow(expect.objectContaining({ code: 'E_BUSY', retryable: true }));
    take(15, 2);
    now += 3_000;
    take(3);
    expect(() => take(1)).toThrow('60 messages a minute');
  });

  it('serves a site that asks twice as often every other time', () => {
    let now = 0;
    const quota = new MessageQuota(60, () => now);
    for (let i = 0; i < 15; i++) quota.take(1);
    let served = 0;
    for (let i = 0; i < 20; i++) {
      now += 500;
      try {
        quota.take(1);
        served += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: 'E_BUSY' });
      }
    }
    expect(served).toBe(10);
  });
});

describe('StreamGuard', () => {
  const watch = () => {
    jest.useFakeTimers();
    const expired: string[] = [];
    const guard = new StreamGuard((error) => expired.push(error.message));
    return { guard, expired };
  };
  const advance = (seconds: number): void => void jest.advanceTimersByTime(seconds * 1000);

  it('ends a stream that is silent for 30 s', () => {
    const { guard, expired } = watch();
    advance(25);
    guard.message(1);
    advance(30);
    expect(expired).toEqual([]);
    advance(10);
    expect(expired).toEqual(['the upload is too slow: no complete message for 30 s']);
  });

  it('ends a stream below 64 KiB/s over a minute, and lets a faster one live', () => {
    const { guard, expired } = watch();
    const minute = (bytesPerSecond: number): void => {
      for (let second = 0; second < 61; second++) {
        guard.message(bytesPerSecond);
        advance(1);
      }
    };
    minute(70 * 1024);
    minute(70 * 1024);
    expect(expired).toEqual([]);
    minute(10 * 1024);
    minute(10 * 1024);
    expect(expired).toEqual(['the upload is too slow: less than 64 KiB/s over a minute']);
    guard.stop();
  });
});

describe('SessionLimit', () => {
  class Session {
    destroyed = false;
    closed = false;
    private readonly closers: (() => void)[] = [];
    readonly socket;
    constructor(subjectaltname: string | undefined) {
      this.socket = { getPeerCertificate: () => (subjectaltname === undefined ? {} : { subjectaltname }) };
    }
    setLocalWindowSize(): void {}
    settings(): void {}
    once(_event: 'close', listener: () => void): void {
      this.closers.push(listener);
    }
    destroy(): void {
      this.destroyed = true;
      this.closers.splice(0).forEach((close) => close());
    }
  }
  const admit = (limit: SessionLimit, name: string | undefined): Session => {
    const session = new Session(name);
    limit.admit(session satisfies ServerSession);
    return session;
  };

  it('keeps the two newest connections of a site', () => {
    const limit = new SessionLimit(members);
    const [first, second, third] = [1, 1, 1].map((id) => admit(limit, nameOf(id)));
    expect([first, second, third].map((session) => session!.destroyed)).toEqual([true, false, false]);
  });

  it('closes as many as came too much when they come at once and their ends are told later', () => {
    class SlowSession extends Session {
      override destroy(): void {
        this.destroyed = true;
      }
    }
    const limit = new SessionLimit(members);
    const sessions = Array.from({ length: 5 }, () => new SlowSession(nameOf(1)));
    sessions.forEach((session) => limit.admit(session satisfies ServerSession));
    expect(sessions.map(({ destroyed }) => destroyed)).toEqual([true, true, true, false, false]);
  });

  it('caps all connections at the roster and eight more', () => {
    const limit = new SessionLimit(members);
    const strangers = Array.from({ length: 11 }, () => admit(limit, undefined));
    expect(strangers.map((session) => session.destroyed)).toEqual([...Array<boolean>(10).fill(false), true]);
    strangers[0]!.destroy();
    expect(admit(limit, nameOf(1)).destroyed).toBe(false);
  });
});
