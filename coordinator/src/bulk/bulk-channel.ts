import { traceOf } from '@regulon/shared/errors';
import { EventLoopMonitor, type LoopDelays } from '../metrics/index.js';
import {
  type AttemptRef,
  type BulkServerOptions,
  type RunningServer,
  type SpoolContext,
  SpoolUploads,
  startBulkServer,
  type UploadStatus,
} from '../transport/index.js';

/** What the bulk channel is made from. */
export interface BulkOptions extends Omit<BulkServerOptions, 'uploads' | 'omit' | 'report'>, SpoolContext {
  /** hears of what is a defect, by its trace */
  readonly report: (trace: readonly string[]) => void;
}

/** The bulk server and the spool behind it. Everything but `listen` works before it listens. */
export interface BulkChannel {
  /** @returns the port @throws E_TRANSPORT, E_ENVIRONMENT when the port is taken */
  listen(): Promise<number>;
  status(site: number, uploadId: Uint8Array): Promise<UploadStatus>;
  /** Delete every file of an attempt; streams that still write them end. */
  removeAttempt(attempt: AttemptRef): Promise<void>;
  /** Show new connections another certificate for the same key. @param cert PEM */
  useCertificate(cert: string): Promise<void>;
  /** of its event loop, since it listens */
  readonly loop: LoopDelays;
  close(): Promise<void>;
}

/** The bulk channel on the calling thread. */
export class InlineBulkChannel implements BulkChannel {
  readonly uploads: SpoolUploads;
  readonly loop = new EventLoopMonitor();
  private server: RunningServer | undefined;

  constructor(private readonly options: BulkOptions) {
    this.uploads = new SpoolUploads(options);
  }

  async listen(): Promise<number> {
    const report = (error: unknown): void => this.options.report(traceOf(error));
    this.server = await startBulkServer({ ...this.options, report, uploads: this.uploads });
    this.loop.start();
    return this.server.port;
  }

  status(site: number, uploadId: Uint8Array): Promise<UploadStatus> {
    return this.uploads.status(site, uploadId);
  }

  removeAttempt(attempt: AttemptRef): Promise<void> {
    return this.uploads.removeAttempt(attempt);
  }

  async useCertificate(cert: string): Promise<void> {
    await Promise.resolve(this.server?.useCertificate(cert));
  }

  async close(): Promise<void> {
    this.loop.stop();
    await this.server?.close();
  }
}
