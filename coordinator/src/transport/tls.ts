/** Server credentials: mutual TLS 1.3, and the HTTP/2 window that grpc-js cannot set by itself. */
import { isIP } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials, type Server } from '@grpc/grpc-js';
import { RegulonError } from '@regulon/shared/errors';

/** Bytes of the receive window per stream and per connection on the bulk channel. */
export const WINDOW_BYTES = 16 << 20;

/** PEM texts of a server's mutual TLS. */
export interface ServerTls {
  /** certificate of the federation's authority: clients must have one from it */
  readonly ca: string;
  /** own certificate chain */
  readonly cert: string;
  /** own private key */
  readonly key: string;
}

const MIN_VERSION = 'TLSv1.3';

interface HttpServer {
  on(event: 'session', listener: (session: ServerSession) => void): unknown;
  setSecureContext(options: SecureContextOptions): void;
}
/** The part of an HTTP/2 session that the transport uses. */
export interface ServerSession {
  readonly socket: { getPeerCertificate?: () => { subjectaltname?: string } };
  readonly closed: boolean;
  setLocalWindowSize(bytes: number): void;
  settings(settings: { readonly initialWindowSize: number }): void;
  destroy(): void;
  once(event: 'close', listener: () => void): unknown;
}

const changed = (what: string): RegulonError =>
  new RegulonError('E_TRANSPORT', `grpc-js internals changed: ${what} is missing`, {
    hint: 'install exactly the pinned version of @grpc/grpc-js',
  });

/**
 * Credentials that refuse TLS below 1.3 and clients without a certificate of the federation.
 *
 * @param window bytes of the per-stream window, or undefined for the default; the connection window needs
 *   `onSessions` as well (grpc-node #3058: a server ignores `grpc-node.flow_control_window`)
 * @throws E_TRANSPORT when grpc-js has changed underneath
 */
export function serverCredentials(tls: ServerTls, window?: number): ServerCredentials {
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) };
  const credentials = ServerCredentials.createSsl(Buffer.from(tls.ca), [pair], true);
  const inner: unknown = Reflect.get(credentials, '_getConstructorOptions');
  if (typeof inner !== 'function') throw changed('_getConstructorOptions');
  const options = Reflect.apply(inner, credentials, []) as object;
  const settings = window === undefined ? {} : { settings: { initialWindowSize: window } };
  const value = (): object => ({ ...options, minVersion: MIN_VERSION, ...settings });
  return Object.create(credentials, { _getConstructorOptions: { value } }) as ServerCredentials;
}

/** Hear of each HTTP/2 session of a bound server. @throws E_TRANSPORT when grpc-js has changed underneath */
export function onSessions(server: Server, listener: (session: ServerSession) => void): void {
  for (const http2Server of httpServersOf(server)) http2Server.on('session', listener);
}

/**
 * Show new connections of a bound server another certificate; those that are open go on.
 *
 * @throws E_TRANSPORT when grpc-js has changed underneath
 */
export function showCertificate(server: Server, { ca, cert, key }: ServerTls): void {
  for (const http2Server of httpServersOf(server))
    http2Server.setSecureContext({ ca, cert, key, minVersion: MIN_VERSION });
}

function httpServersOf(server: Server): HttpServer[] {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  if (!(servers instanceof Map) || servers.size === 0) throw changed('http2Servers');
  return [...(servers as Map<HttpServer, unknown>).keys()];
}

/**
 * Stop listening and end every connection at once. grpc-js alone leaves one whose handshake is under way, which then
 * is served for ever by what has ended.
 *
 * @throws E_TRANSPORT when grpc-js has changed underneath
 */
export function shutDown(server: Server): void {
  onSessions(server, (session) => session.destroy());
  server.forceShutdown();
}

/** `host:port`, an IPv6 address in brackets. */
export const addressOf = (host: string, port: number): string =>
  `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

/** Bind and give the port. @param address host:port, port 0 for any */
export function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (cause, port) => {
      if (cause === null) return resolve(port);
      const hint = 'free the port or configure another one';
      reject(
        new RegulonError('E_ENVIRONMENT', `cannot listen on ${address}: ${cause.message}`, { cause, hint }),
      );
    });
  });
}
