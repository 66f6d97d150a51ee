import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RegulonError } from '@regulon/shared/errors';
import { Secret, TOTP } from 'otpauth';
import { coordinatorMigrations, query, Store } from '../storage/index.js';
import { AccountRows } from './account-rows.js';
import { Accounts, type DoneByPerson } from './accounts.js';
import { LogPeople } from './log-people.js';
import { Passwords } from './password.js';
import { stepOfCode } from './second-factor.js';

const PASSWORD = 'a heron on one leg';
const refused = (code: string): object => expect.objectContaining({ code });

describe('accounts', () => {
  let now = Date.parse('2026-11-22T12:00:00Z');
  let store: Store;
  let accounts: Accounts;
  let people: LogPeople;
  let done: string[] = [];
  const note: DoneByPerson = ({ id }, action, outcome) => void done.push(`${action} ${id} ${outcome}`);
  beforeEach(() => {
    now = Date.parse('2026-11-22T12:00:00Z');
    store = Store.open(':memory:', coordinatorMigrations);
    done = [];
    people = new LogPeople(store);
    accounts = new Accounts(new AccountRows(store), people, 'fed_test', note, () => now);
  });

  const active = async (name: string, role: 'researcher' | 'steward'): Promise<string | null> =>
    accounts.activate(name, accounts.add(name, role).setupCode, PASSWORD);
  const codeOf = (uri: string | null, at = now): string => {
    const secret = new URL(uri ?? '').searchParams.get('secret') ?? '';
    return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: at });
  };

  it('tells of who chose a password and who logged in, in the transaction in which it happens', async () => {
    await active('ada', 'researcher');
    const id = accounts.idOf('ada');
    await accounts.login({ name: 'ada', password: PASSWORD });
    await expect(accounts.login({ name: 'ada', password: 'another' })).rejects.toThrow();
    expect(done).toEqual([
      `account.activate ${id} done`,
      `session.open ${id} done`,
      `session.open ${id} refused`,
    ]);
    const silent = new Accounts(
      new AccountRows(store),
      people,
      'fed_test',
      () => {
        throw new Error('disk full');
      },
      () => now,
    );
    await expect(silent.login({ name: 'ada', password: PASSWORD })).rejects.toThrow('disk full');
    expect(store.all(query.selectFrom('sessions').selectAll())).toHaveLength(1);
  });

  it('tells of logins that fail, of accounts only: by password, by second factor, at the provider', async () => {
    const uri = await active('grace', 'steward');
    const id = accounts.idOf('grace');
    done = [];
    const tries = [
      { name: 'grace', password: 'another' },
      { name: 'grace', password: PASSWORD, code: '000000' },
      { name: 'nobody', password: PASSWORD },
    ];
    for (const credentials of tries)
      await expect(accounts.login(credentials)).rejects.toThrow(refused('E_AUTH'));
    expect(done).toEqual(Array(2).fill(`session.open ${id} refused`));
    expect(new AccountRows(store).failures('grace').count).toBe(2);
    expect(new AccountRows(store).failures('nobody').count).toBe(1);
    await accounts.login({ name: 'grace', password: PASSWORD, code: codeOf(uri) });
    accounts.addOfProvider('mary', 'operator', 'https://provider.example subject');
    const mary = accounts.idOf('mary');
    const identity = { subject: 'https://provider.example subject', hasSecondFactor: false };
    expect(() => accounts.loginOfProvider(identity)).toThrow(refused('E_ROLE'));
    expect(done.slice(2)).toEqual([`session.open ${id} done`, `session.open ${mary} refused`]);
  });

  it('is not told that a login failed before that is written down', async () => {
    await active('ada', 'researcher');
    const full = (): void => {
      throw new Error('disk full');
    };
    const silent = new Accounts(new AccountRows(store), people, 'fed_test', full, () => now);
    await expect(silent.login({ name: 'ada', password: 'another' })).rejects.toThrow('disk full');
  });

  it('gives each person an opaque id for the log, and another one to who has the name later', () => {
    accounts.add('ada', 'researcher');
    accounts.add('grace', 'auditor');
    const [ada, grace] = [accounts.idOf('ada'), accounts.idOf('grace')];
    expect(ada).toMatch(/^p-[a-p]{16}$/);
    expect(grace).not.toBe(ada);
    expect(accounts.list().map(({ id }) => id)).toEqual([ada, grace]);
    accounts.remove('ada');
    expect(() => accounts.idOf('ada')).toThrow(refused('E_NOT_FOUND'));
    accounts.add('ada', 'researcher');
    expect(accounts.idOf('ada')).not.toBe(ada);
    expect(store.all(query.selectFrom('log_people').select('id').where('name', '=', 'ada'))).toHaveLength(2);
  });

  it('opens a session with the password, until it ends or is closed', async () => {
    expect(await active('ada', 'researcher')).toBeNull();
    const { token, expires } = await accounts.login({ name: 'ada', password: PASSWORD });
    expect(accounts.callerOf(token)).toEqual({ name: 'ada', role: 'researcher', id: accounts.idOf('ada') });
    now = expires;
    expect(accounts.callerOf(token)).toBeUndefined();
    const again = await accounts.login({ name: 'ada', password: PASSWORD });
    accounts.logout(again.token);
    expect(accounts.callerOf(again.token)).toBeUndefined();
  });

  it('keeps neither passwords, codes nor tokens', async () => {
    const { setupCode } = accounts.add('ada', 'researcher');
    await accounts.activate('ada', setupCode, PASSWORD);
    const { token } = await accounts.login({ name: 'ada', password: PASSWORD });
    const kept = Buffer.from(store.raw.serialize()).toString('latin1');
    for (const secret of [PASSWORD, setupCode, token]) expect(kept).not.toContain(secret);
    expect(kept).toContain('$argon2id$v=19$m=65536,t=3,p=4$');
  });

  it('says the same of a wrong password, a wrong code, no password yet and no account', async () => {
    await active('ada', 'researcher');
    await active('grace', 'steward');
    accounts.add('new', 'auditor');
    const tries = [
      ...[
        { name: 'ada', password: 'another password' },
        { name: 'nobody', password: PASSWORD },
      ],
      ...[
        { name: 'grace', password: PASSWORD, code: '000000' },
        { name: 'grace', password: PASSWORD },
      ],
      { name: 'new', password: PASSWORD },
    ];
    const said = await Promise.all(tries.map((one) => accounts.login(one).catch((e: Error) => e.message)));
    expect(new Set(said)).toEqual(new Set(['the name, the password or the code is wrong']));
  });

  it('asks stewards for a code of this time, which works once', async () => {
    const uri = await active('grace', 'steward');
    const login = (code: string): Promise<unknown> =>
      accounts.login({ name: 'grace', password: PASSWORD, code });
    await expect(login(codeOf(uri, now - 90_000))).rejects.toThrow(refused('E_AUTH'));
    await expect(login(codeOf(uri))).resolves.toMatchObject({ role: 'steward' });
    await expect(login(codeOf(uri))).rejects.toThrow(refused('E_AUTH'));
    now += 30_000;
    await expect(login(codeOf(uri))).resolves.toMatchObject({ role: 'steward' });
  });

  it('lets a setup code work once, for a day, and for its own name', async () => {
    const { setupCode } = accounts.add('ada', 'researcher');
    accounts.add('eve', 'researcher');
    const activate = (name: string, code = setupCode): Promise<unknown> =>
      accounts.activate(name, code, PASSWORD);
    await expect(activate('eve')).rejects.toThrow(refused('E_AUTH'));
    const both = await Promise.allSettled([activate('ada'), activate('ada')]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const late = accounts.reset('ada').setupCode;
    now += 24 * 3_600_000;
    await expect(activate('ada', late)).rejects.toThrow(refused('E_AUTH'));
  });

  it.each(['short', 'x'.repeat(201), 'the long name is ada-lovelace'])(
    'refuses the weak password %#',
    async (weak) => {
      const { setupCode } = accounts.add('ada-lovelace', 'researcher');
      await expect(accounts.activate('ada-lovelace', setupCode, weak)).rejects.toThrow(refused('E_ARGUMENT'));
      await expect(accounts.activate('ada-lovelace', setupCode, PASSWORD)).resolves.toBeNull();
    },
  );

  it('ends sessions and the password of an account that is reset or removed', async () => {
    await active('ada', 'researcher');
    const first = await accounts.login({ name: 'ada', password: PASSWORD });
    accounts.reset('ada');
    expect(accounts.callerOf(first.token)).toBeUndefined();
    await expect(accounts.login({ name: 'ada', password: PASSWORD })).rejects.toThrow(refused('E_AUTH'));
    accounts.remove('ada');
    expect(accounts.list()).toEqual([]);
    expect(() => accounts.reset('ada')).toThrow(refused('E_NOT_FOUND'));
  });

  it('makes a name wait after five failures, those at once among them, with or without an account', async () => {
    await active('ada', 'researcher');
    for (const name of ['ada', 'nobody']) {
      const guess = (): Promise<string> =>
        accounts.login({ name, password: 'guess guess guess' }).then(
          () => 'in',
          (error: { code: string }) => error.code,
        );
      const seen = await Promise.all([1, 2, 3, 4, 5, 6, 7].map(guess));
      expect(seen.filter((code) => code === 'E_AUTH')).toHaveLength(5);
      expect(seen.filter((code) => code === 'E_BUSY')).toHaveLength(2);
      now += 29_000;
      expect(await guess()).toBe('E_BUSY');
      now += 1_000;
      expect(await guess()).toBe('E_AUTH');
      now += 59_000;
      expect(await guess()).toBe('E_BUSY');
      now += 1_000;
    }
    await expect(accounts.login({ name: 'ada', password: PASSWORD })).resolves.toMatchObject({
      role: 'researcher',
    });
  });

  it('ends the wait of a name with a new setup code, and takes a wrong code without a wait', async () => {
    await active('ada', 'researcher');
    const guess = { name: 'ada', password: 'guess guess guess' };
    for (let i = 0; i < 5; i++) await expect(accounts.login(guess)).rejects.toThrow(refused('E_AUTH'));
    await expect(accounts.login(guess)).rejects.toThrow(refused('E_BUSY'));
    const { setupCode } = accounts.reset('ada');
    for (let i = 0; i < 9; i++)
      await expect(accounts.activate('ada', 'wrong', PASSWORD)).rejects.toThrow(refused('E_AUTH'));
    await accounts.activate('ada', setupCode, PASSWORD);
    await expect(accounts.login({ name: 'ada', password: PASSWORD })).resolves.toMatchObject({
      role: 'researcher',
    });
  });

  it('takes back only the attempt that was not looked at, not those that came with it', async () => {
    const busy = new RegulonError('E_BUSY', 'full');
    const passwords = new Passwords();
    const rows = new AccountRows(store);
    const crowded = new Accounts(rows, people, 'fed_test', note, () => now, passwords);
    const matches = jest.spyOn(passwords, 'matches').mockResolvedValue(false);
    let full: (error: Error) => void = () => undefined;
    matches.mockReturnValueOnce(new Promise((_, reject) => (full = reject)));
    const guess = (): Promise<unknown> => crowded.login({ name: 'ada', password: 'guess guess guess' });
    const waits = expect(guess()).rejects.toThrow(refused('E_BUSY'));
    for (let i = 0; i < 3; i++) await expect(guess()).rejects.toThrow(refused('E_AUTH'));
    full(busy);
    await waits;
    expect(rows.failures('ada').count).toBe(3);
  });

  it('forgets no name that has to wait, however many are made up', () => {
    const rows = new AccountRows(store);
    const failed = (failures: number, wait: number) => ({
      ...{ failures, until_ms: now + wait, forget_ms: now + (failures > 1 ? 1 : 1000) },
    });
    rows.fail('ada', failed(5, 30_000), now);
    rows.transaction(() => {
      for (let i = 0; i < 10_050; i++) rows.fail(`made-up-${i}`, failed(1, 0), now);
    });
    expect(rows.failures('ada')).toEqual({ count: 5, until: now + 30_000 });
    const { n } = store.raw.prepare('SELECT count(*) AS n FROM login_failures').get() as { n: number };
    expect(n).toBeLessThanOrEqual(10_001);
  });

  it('refuses a name that is taken', () => {
    accounts.add('ada', 'researcher');
    expect(() => accounts.add('ada', 'operator')).toThrow(refused('E_ARGUMENT'));
    expect(accounts.list()).toMatchObject([{ name: 'ada', role: 'researcher', state: 'invited' }]);
  });
});

describe('codes of the second factor', () => {
  // RFC 6238 appendix B, SHA-1, the last six of the eight digits
  const secret = new TextEncoder().encode('12345678901234567890');
  it.each([
    [59, '287082'],
    [1111111109, '081804'],
    [1234567890, '005924'],
    [20000000000, '353130'],
  ])('are those of RFC 6238 at %d s', (seconds, code) => {
    const step = Math.floor(seconds / 30);
    expect(stepOfCode(secret, code, seconds * 1000)).toBe(step);
    expect(stepOfCode(secret, code, (seconds + 30) * 1000)).toBe(step);
    expect(stepOfCode(secret, code, (seconds + 60) * 1000)).toBeNull();
  });
});
