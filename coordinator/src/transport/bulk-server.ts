import {
  Server,
  type sendUnaryData,
  type ServerReadableStream,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { bulkService, MAX_FRAME_BYTES } from '@regulon/shared/wire';
import type { RunningServer } from './control-server.js';
import { toServiceError } from './grpc-errors.js';
import type { SharedKeys, UploadPort } from './ports.js';
import { receiveUpload } from './receive-upload.js';
import { assertWindows } from './self-test.js';
import { sendDownload } from './send-download.js';
import { SessionLimit } from './session-limit.js';
import { siteOfCall, type Member } from './site-identity.js';
import {
  addressOf,
  bind,
  onSessions,
  serverCredentials,
  showCertificate,
  shutDown,
  WINDOW_BYTES,
  type ServerTls,
} from './tls.js';
import { WindowShare } from './window-share.js';

const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': MAX_FRAME_BYTES,
  'grpc.max_concurrent_streams': 2,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
};

/** What the bulk server needs to run. */
export interface BulkServerOptions {
  readonly uploads: UploadPort;
  readonly boxKeys: SharedKeys;
  readonly members: readonly Member[];
  readonly tls: ServerTls;
  readonly host: string;
  /** 0 for any free port */
  readonly port: number;
  /** hears of what is a defect */
  readonly report: (error: unknown) => void;
  /** for tests of the self-test: leave out one half of the window work-around */
  readonly omit?: 'stream window' | 'connection window';
}

/**
 * Start the bulk server; it is ready only when the windows that it really offers have been measured.
 *
 * @throws E_TRANSPORT when the window work-around does not hold; E_TLS_VERSION; E_ENVIRONMENT when the port is taken
 */
export async function startBulkServer(options: BulkServerOptions): Promise<RunningServer> {
  const server = new Server(CHANNEL_OPTIONS);
  const limit = new SessionLimit(options.members);
  server.addService(bulkService, handlersOf(options, new WindowShare((site) => limit.sessionsOf(site))));
  const window = options.omit === 'stream window' ? undefined : WINDOW_BYTES;
  const port = await bind(
    server,
    addressOf(options.host, options.port),
    serverCredentials(options.tls, window),
  );
  const close = async (): Promise<void> => shutDown(server);
  try {
    onSessions(server, (session) => {
      if (options.omit !== 'connection window') session.setLocalWindowSize(WINDOW_BYTES);
      limit.admit(session);
    });
    await assertWindows(options.tls, options.host, port);
  } catch (error) {
    await close();
    throw error;
  }
  const useCertificate = (cert: string): void => showCertificate(server, { ...options.tls, cert });
  return { port, useCertificate, close };
}

function handlersOf({ uploads, boxKeys, members, report }: BulkServerOptions, windows: WindowShare) {
  return {
    Put(call: ServerReadableStream<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void {
      const put = async (): Promise<Buffer> => {
        const site = siteOfCall(call, members);
        const end = windows.begin(site);
        return receiveUpload(call, site, uploads, boxKeys).finally(end);
      };
      put().then(
        (receipt) => reply(null, receipt),
        (error: unknown) => reply(toServiceError(error, report)),
      );
    },
    Get(call: ServerWritableStream<Buffer, Buffer>): void {
      const get = async (): Promise<void> => sendDownload(call, siteOfCall(call, members), uploads, boxKeys);
      get().then(
        () => call.end(),
        (error: unknown) => void call.emit('error', toServiceError(error, report)),
      );
    },
  };
}
