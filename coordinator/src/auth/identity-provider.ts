import { createHmac, timingSafeEqual } from 'node:crypto';
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { randomBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { providerUrl } from '../identity/index.js';

const TIMEOUT_MS = 10_000;
const NONCE_MS = 10 * 60_000;
/** of a nonce: end and chance, then as many bytes of proof */
const BODY_BYTES = 16;
const TIME_BYTES = 6;
const OLDEST_TOKEN = '5m';
const SKEW_SECONDS = 60;
/** signatures by a public key only */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'EdDSA',
  'Ed25519',
];

const discovery = z.looseObject({ issuer: z.string(), jwks_uri: providerUrl });
const claims = z.looseObject({
  sub: z.string().min(1).max(255),
  nonce: z.string(),
  azp: z.string().optional(),
});

/** The OpenID provider of a federation. */
export interface ProviderConfig {
  readonly issuer: string;
  /** of a public client that the provider lets use the authorization code flow with PKCE */
  readonly clientId: string;
  /** value of the claim `amr` that says that a second factor was proved; without it stewards and operators have no way in */
  readonly secondFactor?: string | undefined;
}

/** What a person's machine takes to the provider. */
export interface ProviderChallenge {
  readonly issuer: string;
  readonly clientId: string;
  /** must stand in the ID token; works once, for ten minutes */
  readonly nonce: string;
}

/** Who the provider says somebody is. */
export interface ProvedIdentity {
  readonly subject: string;
  readonly hasSecondFactor: boolean;
}

type Keys = ReturnType<typeof createRemoteJWKSet>;

/** Checks ID tokens of one OpenID provider; it alone says who somebody is, the accounts say what they may do. */
export class IdentityProvider {
  private readonly key = randomBytes(32);
  /** nonces that were used, until their end */
  private readonly used = new Map<string, number>();
  private keys: Promise<Keys> | undefined;

  constructor(
    readonly config: ProviderConfig,
    private readonly now: () => number = Date.now,
  ) {}

  /** Who somebody is: the same identifier at another provider is somebody else. @param sub claim of an ID token */
  subjectOf(sub: string): string {
    return `${this.config.issuer} ${sub}`;
  }

  /** Nothing is kept of it: whoever asks for many takes nobody's away. */
  challenge(): ProviderChallenge {
    const body = Buffer.concat([Buffer.alloc(TIME_BYTES), randomBytes(BODY_BYTES - TIME_BYTES)]);
    body.writeUIntBE(this.now() + NONCE_MS, 0, TIME_BYTES);
    const nonce = Buffer.concat([body, this.proofOf(body)]).toString('base64url');
    const { issuer, clientId } = this.config;
    return { issuer, clientId, nonce };
  }

  /**
   * @param idToken attacker-controlled
   * @throws E_AUTH when it is not the provider's, not for this federation, old, or was used; E_CONNECTION when the
   * provider does not answer
   */
  async identityOf(idToken: string): Promise<ProvedIdentity> {
    const { issuer, clientId, secondFactor } = this.config;
    const payload = await this.verified(idToken);
    const { success, data } = claims.safeParse(payload);
    if (!success || (data.azp ?? clientId) !== clientId) throw refused('it is not for this federation');
    const audiences = Array.isArray(payload.aud) ? payload.aud : [payload.aud];
    if (audiences.length > 1 && data.azp === undefined) throw refused(`${issuer} gave it to several clients`);
    this.use(data.nonce);
    const { amr } = payload;
    const hasSecondFactor = secondFactor !== undefined && Array.isArray(amr) && amr.includes(secondFactor);
    return { subject: this.subjectOf(data.sub), hasSecondFactor };
  }

  /** @throws E_AUTH when it is not of this process, too old, or was used */
  private use(nonce: string): void {
    const now = this.now();
    const bytes = Buffer.from(nonce, 'base64url');
    const body = bytes.subarray(0, BODY_BYTES);
    const isOwn =
      bytes.length === 2 * BODY_BYTES && timingSafeEqual(this.proofOf(body), bytes.subarray(BODY_BYTES));
    const end = isOwn ? body.readUIntBE(0, TIME_BYTES) : 0;
    // text that decodes to the same bytes is the same nonce
    const name = bytes.toString('hex');
    if (end <= now || this.used.has(name)) throw refused('it was used already, or asked for too long ago');
    for (const [old, until] of this.used) if (until <= now) this.used.delete(old);
    this.used.set(name, end);
  }

  private proofOf(body: Uint8Array): Buffer {
    return createHmac('sha256', this.key).update(body).digest().subarray(0, BODY_BYTES);
  }

  private async verified(idToken: string): Promise<JWTPayload> {
    const { issuer, clientId: audience } = this.config;
    const keys = await this.signingKeys();
    const limits = {
      maxTokenAge: OLDEST_TOKEN,
      clockTolerance: SKEW_SECONDS,
      currentDate: new Date(this.now()),
    };
    const requiredClaims = ['sub', 'nonce', 'exp', 'iat'];
    try {
      const must = { issuer, audience, algorithms: ALGORITHMS, requiredClaims, ...limits };
      return (await jwtVerify(idToken, keys, must)).payload;
    } catch (cause) {
      const isAnswer = cause instanceof errors.JOSEError && !(cause instanceof errors.JWKSTimeout);
      if (isAnswer && cause.code !== 'ERR_JOSE_GENERIC') throw refused('it does not verify', cause);
      throw unreachable(issuer, cause);
    }
  }

  /** Found once; after a failure they are looked for again. */
  private signingKeys(): Promise<Keys> {
    this.keys ??= this.discover().catch((error: unknown) => {
      this.keys = undefined;
      throw error;
    });
    return this.keys;
  }

  private async discover(): Promise<Keys> {
    const { issuer } = this.config;
    try {
      const place = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
      const response = await fetch(place, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
      const { issuer: named, jwks_uri } = discovery.parse(await response.json());
      if (named !== issuer) throw new TypeError('the document is of another issuer');
      return createRemoteJWKSet(new URL(jwks_uri), { timeoutDuration: TIMEOUT_MS });
    } catch (cause) {
      throw unreachable(issuer, cause);
    }
  }
}

function refused(what: string, cause?: unknown): RegulonError {
  const hint = 'log in again; if it stays, compare issuer and client of the coordinator with the provider';
  return new RegulonError('E_AUTH', `the ID token of the provider is refused: ${what}`, { hint, cause });
}

function unreachable(issuer: string, cause: unknown): RegulonError {
  const hint = 'check the network between coordinator and provider, and the issuer in the configuration';
  return new RegulonError('E_CONNECTION', `the provider ${issuer} gives no keys to check with`, {
    hint,
    cause,
  });
}
