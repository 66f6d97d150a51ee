/** Client credentials (mutual TLS 1.3), and the look at the handshake that names what is wrong with it. */
import { createSecureContext, connect, type SecureContext, type TLSSocket } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import { RegulonError } from '@regulon/shared/errors';
import type { ConnectionOptions, TlsMaterial } from './connection-types.js';

const PROBE_MS = 3_000;

/** @throws E_CERTIFICATE when certificate and key cannot be read or do not belong together */
export function secureContext({ ca, cert, key }: TlsMaterial): SecureContext {
  try {
    return createSecureContext({ ca, cert, key, minVersion: 'TLSv1.3' });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable';
    throw new RegulonError('E_CERTIFICATE', `the certificate or key of this site cannot be used: ${why}`, {
      cause,
    });
  }
}

/** Credentials of both channels. @throws E_CERTIFICATE */
export const channelCredentials = (tls: TlsMaterial): ChannelCredentials =>
  ChannelCredentials.createFromSecureContext(secureContext(tls));

/**
 * Why no connection comes about: shake hands without gRPC and name what fails.
 *
 * @returns the error, or undefined when the handshake succeeds now
 */
export function diagnose(options: ConnectionOptions): Promise<RegulonError | undefined> {
  const { host, controlPort: port, serverName, tls } = options;
  const where = `${host}:${port}`;
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({
      host,
      port,
      servername: serverName ?? (/^[0-9.:]+$/.test(host) ? '' : host),
      secureContext: secureContext(tls),
      ALPNProtocols: ['h2'],
    });
    const done = (error?: RegulonError): void => {
      socket.destroy();
      resolve(error);
    };
    socket.setTimeout(PROBE_MS, () => done(unreachable(where, 'no answer')));
    // the server's first bytes show that it accepted our certificate: in TLS 1.3 its refusal comes after our handshake
    socket.once('data', () => done());
    socket.once('error', (error: NodeJS.ErrnoException) => done(explain(error, where, socket)));
    socket.once('close', () => done(unreachable(where, 'it closes the connection')));
  });
}

function explain(error: NodeJS.ErrnoException, where: string, socket: TLSSocket): RegulonError {
  const code = error.code ?? '';
  const options = { cause: error };
  if (code.includes('PROTOCOL_VERSION') || code.includes('UNSUPPORTED_PROTOCOL')) {
    return new RegulonError('E_TLS_VERSION', `the coordinator at ${where} does not speak TLS 1.3`, options);
  }
  if (code.includes('ALERT') || (socket.authorized && code === 'ECONNRESET')) {
    return new RegulonError(
      'E_CERTIFICATE',
      `the coordinator at ${where} refuses the certificate of this site (${code})`,
      {
        ...options,
        hint: 'use the certificate that the federation issued to this site, and check that it is not expired',
      },
    );
  }
  if (/CERT|ISSUER|SELF_SIGNED|ALTNAME|UNABLE_TO|SIGNATURE/.test(code)) {
    return new RegulonError(
      'E_CERTIFICATE',
      `the certificate of the coordinator at ${where} is not acceptable (${code})`,
      {
        ...options,
        hint: 'check the address and the authority file; if both are right, tell the administrators',
      },
    );
  }
  return unreachable(where, code || error.message, options);
}

function unreachable(where: string, why: string, options: { cause?: unknown } = {}): RegulonError {
  return new RegulonError('E_CONNECTION', `the coordinator at ${where} cannot be reached (${why})`, options);
}
