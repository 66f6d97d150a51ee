import { type Algorithm, hash, verify } from '@node-rs/argon2';
import { RegulonError } from '@regulon/shared/errors';

/** argon2id with 64 MiB, 3 passes and 4 lanes: the second choice of RFC 9106 §4. */
const ARGON2ID: Algorithm.Argon2id = 2;
const COST = { algorithm: ARGON2ID, memoryCost: 65_536, timeCost: 3, parallelism: 4 };
/** of a password that nobody knows, at the same cost */
const DECOY =
  '$argon2id$v=19$m=65536,t=3,p=4$XzvBG1LkHgF7rt/WSJyaZw$kMGofzf3cnUgxQsZqWOQ6sH5NpqlwcYHmxP1QACv+6s';
/** as many are hashed at a time, so that guesses cannot fill the memory */
const AT_ONCE = 2;
const MOST_WAITING = 16;

const SHORTEST_PASSWORD = 12;
export const LONGEST_PASSWORD = 200;

/** Hashes and checks passwords off the event loop, a few at a time. */
export class Passwords {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /** @returns PHC string @throws E_BUSY when too many wait */
  hash(password: string): Promise<string> {
    return this.inTurn(() => hash(password, COST));
  }

  /**
   * Whether a password is the hashed one. It takes the same time when there is no account, so that names cannot be found
   * out.
   *
   * @param hashed PHC string, or null without an account
   * @throws E_BUSY when too many wait
   */
  async matches(hashed: string | null, password: string): Promise<boolean> {
    const isSame = await this.inTurn(() => verify(hashed ?? DECOY, password));
    return isSame && hashed !== null;
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= AT_ONCE) {
      if (this.waiting.length >= MOST_WAITING)
        throw new RegulonError('E_BUSY', 'too many people are logging in at the moment');
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running += 1;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}

/** @throws E_ARGUMENT when a password is too short, too long, or the name itself; never quoting it */
export function verifyNewPassword(password: string, name: string): void {
  const length = [...password].length;
  const fault =
    length < SHORTEST_PASSWORD
      ? `at least ${SHORTEST_PASSWORD} characters`
      : length > LONGEST_PASSWORD
        ? `at most ${LONGEST_PASSWORD} characters`
        : password.toLowerCase().includes(name.toLowerCase())
          ? 'without the name of the account'
          : undefined;
  if (fault === undefined) return;
  const hint = 'a sentence of several words is long and easy to remember';
  throw new RegulonError('E_ARGUMENT', `password: ${fault}`, { hint });
}
