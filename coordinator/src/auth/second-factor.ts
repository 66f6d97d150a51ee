import { Secret, TOTP } from 'otpauth';

const STEP_MS = 30_000;
/** clocks may differ by one step */
const WINDOW = 1;

/** A new secret of 20 bytes. */
export const newSecondFactor = (): Uint8Array => new Secret({ size: 20 }).bytes;

/** What an authenticator app scans or is given by hand. @returns `otpauth://` URI */
export function secondFactorUri(secret: Uint8Array, federation: string, name: string): string {
  return totpOf(secret, federation, name).toString();
}

/**
 * The time step that a code is of (RFC 6238: SHA-1, 6 digits, 30 s), or null when it is of none near now.
 *
 * The caller remembers the step: a code works once.
 *
 * @param now ms since the epoch
 */
export function stepOfCode(secret: Uint8Array, code: string, now: number): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const delta = totpOf(secret).validate({ token: code, timestamp: now, window: WINDOW });
  return delta === null ? null : Math.floor(now / STEP_MS) + delta;
}

function totpOf(secret: Uint8Array, issuer = '', label = ''): TOTP {
  return new TOTP({ issuer, label, secret: new Secret({ buffer: Uint8Array.from(secret).buffer }) });
}
