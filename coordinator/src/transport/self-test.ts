/** Start-up self-test of the bulk server: connect to the own port and look at what is really offered. */
import { connect, type ClientHttp2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { RegulonError } from '@regulon/shared/errors';
import { addressOf, WINDOW_BYTES, type ServerTls } from './tls.js';

/** the connection window is enlarged by a frame of its own, after the settings */
const WAIT_MS = 2_000;
const LOOK_EVERY_MS = 5;

/**
 * Assert that a server offers the 16 MiB windows and TLS 1.3.
 *
 * Without the stream window *and* the connection window an upload moves 64 KiB a round trip; loopback never shows it.
 *
 * @throws E_TRANSPORT naming the window that is wrong; E_TLS_VERSION; E_CONNECTION when the own port does not answer
 */
export async function assertWindows(tls: ServerTls, host: string, port: number): Promise<void> {
  const session = connect(`https://${addressOf(host, port)}`, {
    ...tls,
    // the own certificate need not name the address that the server listens on; the authority is still checked
    checkServerIdentity: () => undefined,
    settings: { enablePush: false },
  });
  try {
    const settings = await remoteSettings(session);
    const protocol = (session.socket as TLSSocket).getProtocol();
    if (protocol !== 'TLSv1.3') throw new RegulonError('E_TLS_VERSION', `the bulk server speaks ${protocol}`);
    if (settings.initialWindowSize !== WINDOW_BYTES) throw wrong('stream', settings.initialWindowSize);
    await connectionWindow(session);
  } finally {
    session.destroy();
  }
}

function remoteSettings(session: ClientHttp2Session): Promise<{ initialWindowSize?: number }> {
  return new Promise((resolve, reject) => {
    session.once('remoteSettings', resolve);
    session.once('error', (cause: Error) =>
      reject(
        new RegulonError(
          'E_CONNECTION',
          `the bulk server does not accept its own certificate: ${cause.message}`,
          { cause },
        ),
      ),
    );
  });
}

async function connectionWindow(session: ClientHttp2Session): Promise<void> {
  const until = performance.now() + WAIT_MS;
  while ((session.state.remoteWindowSize ?? 0) < WINDOW_BYTES) {
    if (performance.now() > until) throw wrong('connection', session.state.remoteWindowSize);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

const wrong = (which: string, bytes: number | undefined): RegulonError =>
  new RegulonError(
    'E_TRANSPORT',
    `the ${which} window of the bulk server is ${bytes} bytes instead of ${WINDOW_BYTES}`,
    {
      hint: 'install exactly the pinned version of @grpc/grpc-js; with another one uploads are slow',
    },
  );
