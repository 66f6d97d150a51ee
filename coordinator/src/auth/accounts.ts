import { timingSafeEqual } from 'node:crypto';
import { randomBytes, sha256, utf8 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { AccountTable } from '../storage/index.js';
import type { AccountRows } from './account-rows.js';
import type { ProvedIdentity } from './identity-provider.js';
import type { LogPeople } from './log-people.js';
import { LoginLimit } from './login-limit.js';
import { Passwords, verifyNewPassword } from './password.js';
import { type Caller, needsSecondFactor, type Role } from '../identity/index.js';
import { newSecondFactor, secondFactorUri, stepOfCode } from './second-factor.js';

const HOUR_MS = 3_600_000;
const SESSION_MS = 12 * HOUR_MS;
const SETUP_MS = 24 * HOUR_MS;

/** An account as operators see it. */
export interface AccountFacts {
  readonly name: string;
  /** how the log names its person */
  readonly id: string;
  readonly role: Role;
  /** invited: its person has not chosen a password yet */
  readonly state: 'active' | 'invited';
  /** at the OpenID provider, or null for a password here */
  readonly subject: string | null;
  /** ms since the epoch */
  readonly created: number;
}

/** Works once, until its end; whoever has it chooses the password. */
export interface SetupCode {
  readonly setupCode: string;
  /** ms since the epoch */
  readonly expires: number;
}

/** What a person types to log in. */
export interface Credentials {
  readonly name: string;
  readonly password: string;
  /** of the second factor, for roles that have one */
  readonly code?: string | undefined;
}

/** A session that was opened; the coordinator keeps only the digest of its token. */
export interface Session {
  readonly token: string;
  readonly role: Role;
  /** ms since the epoch */
  readonly expires: number;
}

/**
 * Told of what a person does before anybody is logged in, and of logins that fail, when `who` is whom they named; MUST run
 * in the transaction in which it is done.
 */
export type DoneByPerson = (
  who: Caller,
  action: 'account.activate' | 'session.open',
  outcome: 'done' | 'refused',
) => void;

/** Local accounts of people: passwords by argon2id, TOTP for stewards and operators, sessions of 12 hours. */
export class Accounts {
  private readonly limit: LoginLimit;

  /** @param people whom the log means @param federation shown by authenticator apps @param now ms since the epoch; specs replace it */
  constructor(
    private readonly rows: AccountRows,
    private readonly people: LogPeople,
    private readonly federation: string,
    private readonly done: DoneByPerson,
    private readonly now: () => number = Date.now,
    private readonly passwords: Passwords = new Passwords(),
  ) {
    this.limit = new LoginLimit(rows);
  }

  list(): AccountFacts[] {
    return this.rows.all().map(({ name, role, password, subject, created_ms: created }) => {
      return {
        name,
        id: this.idOf(name),
        role,
        subject,
        state: (password ?? subject) ? 'active' : 'invited',
        created,
      };
    });
  }

  /** @returns the code with which its person chooses a password @throws E_ARGUMENT when the name is taken */
  add(name: string, role: Role): SetupCode {
    return this.rows.transaction(() => {
      this.insert(name, role, null);
      return this.invite(name);
    });
  }

  /** An account whose person logs in at the OpenID provider. @throws E_ARGUMENT when name or subject is taken */
  addOfProvider(name: string, role: Role, subject: string): void {
    this.rows.transaction(() => {
      const other = this.rows.ofSubject(subject);
      if (other) throw new RegulonError('E_ARGUMENT', `this subject has the account ${other.name} already`);
      this.insert(name, role, subject);
    });
  }

  /**
   * Password, second factor and sessions of an account end.
   *
   * @returns a new code
   * @throws E_NOT_FOUND; E_ARGUMENT for an account without a password here
   */
  reset(name: string): SetupCode {
    return this.rows.transaction(() => {
      if (this.rows.find(name)?.subject)
        throw new RegulonError(
          'E_ARGUMENT',
          `${name} logs in at the provider: there is no password to reset`,
        );
      this.rows.closeAll(name);
      return this.invite(name);
    });
  }

  /** @throws E_NOT_FOUND */
  remove(name: string): void {
    this.rows.transaction(() => {
      if (!this.rows.remove(name)) throw unknown(name);
      this.people.end(name, this.now());
    });
  }

  /** How the log names the person of an account. @throws E_NOT_FOUND */
  idOf(name: string): string {
    if (!this.rows.find(name)) throw unknown(name);
    return this.people.of(name, this.now());
  }

  /**
   * The person of an account chooses the password.
   *
   * @returns the `otpauth://` URI of the second factor, shown once, or null when the role has none
   * @throws E_AUTH when the code is wrong, used or expired; E_ARGUMENT for a weak password; E_BUSY
   */
  async activate(name: string, setupCode: string, password: string): Promise<string | null> {
    verifyNewPassword(password, name);
    const digest = sha256(utf8(setupCode));
    this.invited(name, digest);
    const hashed = await this.passwords.hash(password);
    return this.rows.transaction(() => {
      // it may have been used while the password was hashed
      const role = this.invited(name, digest);
      const second_factor = needsSecondFactor(role) ? newSecondFactor() : null;
      const set = { password: hashed, second_factor, last_step: 0, setup: null, setup_until_ms: 0 };
      this.rows.change(name, set);
      this.rows.succeed(name);
      this.done({ name, role, id: this.idOf(name) }, 'account.activate', 'done');
      return second_factor && secondFactorUri(second_factor, this.federation, name);
    });
  }

  /** @throws E_AUTH, the same whatever is wrong; E_BUSY after many failures, or when too many log in */
  async login({ name, password, code }: Credentials): Promise<Session> {
    const takeBack = this.limit.count(name, this.now());
    const hashed = this.rows.find(name)?.password ?? null;
    const isKnown = await this.passwords.matches(hashed, password).catch((error: unknown) => {
      takeBack();
      throw error;
    });
    const session = this.rows.transaction(() => {
      const account = this.rows.find(name);
      // the account may have been changed while the password was checked
      if (isKnown && account?.password === hashed && this.provesSecond(account, code))
        return this.opened(name, account.role);
      // one synced write, whether there is such an account or not: its time tells nobody
      this.limit.confirm(name, this.now());
      if (account) this.refused(account);
      return undefined;
    });
    if (session === undefined) throw wrong();
    return session;
  }

  /** @throws E_AUTH without an account; E_ROLE when the role needs a second factor that the provider did not see */
  loginOfProvider({ subject, hasSecondFactor }: ProvedIdentity): Session {
    const account = this.rows.ofSubject(subject);
    if (!account) {
      const hint = 'ask an operator for an account, and name the subject that the provider gives you';
      throw new RegulonError('E_AUTH', 'who the provider knows has no account here', { hint });
    }
    const { name, role } = account;
    if (!needsSecondFactor(role) || hasSecondFactor)
      return this.rows.transaction(() => this.opened(name, role));
    this.rows.transaction(() => this.refused(account));
    throw new RegulonError('E_ROLE', `a ${role} proves a second factor, and the provider did not see one`);
  }

  /** Who holds a token, or undefined. */
  callerOf(token: string): Caller | undefined {
    const session = this.rows.session(sha256(utf8(token)));
    if (!session || session.expires_ms <= this.now()) return undefined;
    const account = this.rows.find(session.name);
    return account && { name: account.name, role: account.role, id: this.idOf(account.name) };
  }

  logout(token: string): void {
    this.rows.close(sha256(utf8(token)));
  }

  /** A code works once. @returns whether it was the one of the account's second factor, if it has one */
  private provesSecond({ name, second_factor: secret, last_step }: AccountTable, code = ''): boolean {
    if (!secret) return true;
    const step = stepOfCode(secret, code, this.now());
    if (step === null || step <= last_step) return false;
    this.rows.change(name, { last_step: step });
    return true;
  }

  private refused({ name, role }: AccountTable): void {
    this.done({ name, role, id: this.idOf(name) }, 'session.open', 'refused');
  }

  private insert(name: string, role: Role, subject: string | null): void {
    if (this.rows.find(name)) throw new RegulonError('E_ARGUMENT', `there is an account ${name} already`);
    const none = { password: null, second_factor: null, last_step: 0, setup: null, setup_until_ms: 0 };
    this.rows.add({ name, role, subject, ...none, created_ms: this.now() });
  }

  private opened(name: string, role: Role): Session {
    const now = this.now();
    const token = Buffer.from(randomBytes(32)).toString('base64url');
    const expires = now + SESSION_MS;
    this.rows.succeed(name);
    this.rows.forget(now);
    this.rows.open({ token: sha256(utf8(token)), name, expires_ms: expires });
    this.done({ name, role, id: this.idOf(name) }, 'session.open', 'done');
    return { token, role, expires };
  }

  private invite(name: string): SetupCode {
    const setupCode = Buffer.from(randomBytes(16)).toString('base64url');
    const expires = this.now() + SETUP_MS;
    const none = { password: null, second_factor: null };
    const setup = { setup: sha256(utf8(setupCode)), setup_until_ms: expires };
    if (!this.rows.change(name, { ...none, ...setup })) throw unknown(name);
    this.rows.succeed(name);
    return { setupCode, expires };
  }

  /** @param digest of the setup code @returns the role of the account that waits for it @throws E_AUTH */
  private invited(name: string, digest: Uint8Array): Role {
    const account = this.rows.find(name);
    if (account?.setup && this.now() < account.setup_until_ms && timingSafeEqual(account.setup, digest))
      return account.role;
    throw new RegulonError('E_AUTH', 'the name or the setup code is wrong, or the code was used or is old', {
      hint: 'ask an operator for a new setup code',
    });
  }
}

const unknown = (name: string): RegulonError =>
  new RegulonError('E_NOT_FOUND', `there is no account ${name}`);

const wrong = (): RegulonError =>
  new RegulonError('E_AUTH', 'the name, the password or the code is wrong', {
    hint: 'try again; a code of the second factor works once, so wait for the next one',
  });
