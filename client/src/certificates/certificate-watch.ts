import type { Logger } from 'pino';
import { isRegulonError } from '@regulon/shared/errors';
import { isRenewalDue, renewCertificate, type RenewedSite } from './certificate-renewal.js';
import { namedError } from '../errors/index.js';
import type { CoordinatorLink } from '../transport/index.js';

const LOOK_MS = 3_600_000;

/** What the watch needs of the site. */
export interface CertificateParts {
  readonly link: Pick<CoordinatorLink, 'exchange' | 'useCertificate'>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly renewed: RenewedSite;
}

/** Renews the certificate of the site in the last third of its life, once an hour until it succeeds. */
export class CertificateWatch {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly parts: CertificateParts,
    private readonly now: () => number = Date.now,
  ) {}

  start(): void {
    void this.look();
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Renew if it is time; a failure is told, and the present certificate goes on. */
  async look(): Promise<void> {
    const { link, logger, renewed } = this.parts;
    try {
      if (!isRenewalDue(renewed, this.now())) return;
      link.useCertificate(await renewCertificate(renewed, link, this.now()));
      logger.info('the certificate of this site was renewed');
    } catch (error) {
      const { code, message } = namedError(error);
      const hint = isRegulonError(error, 'E_NOT_FOUND') ? '' : `; ${message}`;
      logger.warn({ code }, `the certificate of this site ends soon and was not renewed${hint}`);
    }
  }
}
