import { X509Certificate } from 'node:crypto';
import { basename, dirname } from 'node:path';
import type { Logger } from 'pino';
import { utf8 } from '@regulon/shared/crypto';
import { traceOf } from '@regulon/shared/errors';
import { writeDurably } from '../audit/index.js';
import type { Authority } from './authority.js';

const DAY_MS = 86_400_000;
const LOOK_MS = 3_600_000;

/** The coordinator's own certificate, and where it lies. */
export interface OwnCertificate {
  /** PEM */
  readonly cert: string;
  /** PKCS#8 PEM of its key */
  readonly key: string;
  readonly file: string;
}

/**
 * Renew the coordinator's certificate when it is older than a day: the same names, the same key.
 *
 * @param now ms since the epoch
 * @returns PEM of the certificate in force, which is on disk
 * @throws E_DISK_FULL, E_STATE_DB when it cannot be written; the old one stays then
 */
export async function renewOwnCertificate(
  authority: Authority,
  { cert, key, file }: OwnCertificate,
  now: number,
): Promise<string> {
  const present = new X509Certificate(cert);
  if (now < Date.parse(present.validFrom) + DAY_MS) return cert;
  const names = (present.subjectAltName ?? '').split(', ');
  const of = (prefix: string): string[] =>
    names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  const { certificate } = await authority.issueServer({ dns: of('DNS:'), ip: of('IP Address:') }, key);
  await writeDurably(dirname(file), [{ path: basename(file), bytes: utf8(certificate) }]);
  return certificate;
}

/** What the watch needs. */
export interface OwnCertificateParts {
  readonly authority: Authority;
  readonly own: OwnCertificate;
  /** shows the new one to new connections */
  readonly use: (cert: string) => Promise<void>;
  readonly logger: Pick<Logger, 'info' | 'error'>;
}

/** Renews the certificate of a coordinator that runs for longer than it holds. */
export class OwnCertificateWatch {
  private timer: NodeJS.Timeout | undefined;
  private cert: string;

  constructor(
    private readonly parts: OwnCertificateParts,
    private readonly now: () => number = Date.now,
  ) {
    this.cert = parts.own.cert;
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Renew if it is time; a failure is told, and the present certificate goes on. */
  async look(): Promise<void> {
    const { authority, own, use, logger } = this.parts;
    try {
      const cert = await renewOwnCertificate(authority, { ...own, cert: this.cert }, this.now());
      if (cert === this.cert) return;
      await use(cert);
      this.cert = cert;
      logger.info('the certificate of this coordinator was renewed');
    } catch (error) {
      logger.error({ trace: traceOf(error) }, 'the certificate of this coordinator was not renewed');
    }
  }
}
