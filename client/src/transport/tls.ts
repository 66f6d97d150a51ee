/** Client credentials (mutual TLS 1.3), and the look at the handshake that names what is wrong with it. */
import { isIP } from 'node:net';
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { pause } from './backoff.js';
import type { ConnectionOptions, TlsMaterial } from './connection-types.js';

const PROBE_MS = 3_000;
/** a server that stops looks once like one that refuses us; three times it does not */
const QUIET_REFUSALS = 3;
const QUIET_REFUSAL_PAUSE_MS = 100;

/** @throws E_CERTIFICATE when certificate and key cannot be read or do not belong together */
function secureContext({ ca, cert, key }: TlsMaterial): SecureContext {
  try {
    return createSecureContext({ ca, cert, key, minVersion: 'TLSv1.3' });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable';
    throw new RegulonError('E_CERTIFICATE', `the certificate or key of this site cannot be used: ${why}`, {
      cause,
    });
  }
}

/** `host:port`, an IPv6 address in brackets. */
export const addressOf = (host: string, port: number): string =>
  `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

/** The name that the coordinator's certificate must carry. */
const expectedName = (options: ConnectionOptions): string => options.serverName ?? options.host;
type CheckIdentity = typeof checkServerIdentity;
const identityCheck =
  (options: ConnectionOptions): CheckIdentity =>
  (_name, certificate) =>
    checkServerIdentity(expectedName(options), certificate);

/** Name for the handshake: an address is not allowed there (RFC 6066). */
export const handshakeName = (options: ConnectionOptions): string =>
  isIP(expectedName(options)) === 0 ? expectedName(options) : 'coordinator';

/** Credentials of both channels. @throws E_CERTIFICATE */
export const channelCredentials = (options: ConnectionOptions): ChannelCredentials =>
  ChannelCredentials.createFromSecureContext(secureContext(options.tls), {
    checkServerIdentity: identityCheck(options),
  });

/**
 * Why no connection comes about: shake hands without gRPC and name what fails.
 *
 * @param port one of the coordinator's
 * @returns the error, or undefined when the handshake succeeds now
 */
export async function diagnose(
  options: ConnectionOptions,
  port: number = options.controlPort,
): Promise<RegulonError | undefined> {
  for (let count = 1; ; count++) {
    const found = await shakeHands(options, port);
    const quiet = isRegulonError(found, 'E_CERTIFICATE') && found.details.quiet === true;
    if (!quiet || count === QUIET_REFUSALS) return found;
    await pause(QUIET_REFUSAL_PAUSE_MS);
  }
}

function shakeHands(options: ConnectionOptions, port: number): Promise<RegulonError | undefined> {
  const { host } = options;
  const where = addressOf(host, port);
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({
      host,
      port,
      servername: handshakeName(options),
      checkServerIdentity: identityCheck(options),
      secureContext: secureContext(options.tls),
      ALPNProtocols: ['h2'],
    });
    const done = (error?: RegulonError): void => {
      socket.destroy();
      resolve(error);
    };
    socket.setTimeout(PROBE_MS, () => done(unreachable(where, 'no answer')));
    // the server's first bytes show that it accepts our certificate: in TLS 1.3 its refusal comes after our handshake
    socket.once('data', () => done());
    socket.once('error', (error: NodeJS.ErrnoException) => done(explain(error, where, socket)));
    socket.once('close', () =>
      done(socket.authorized ? refused(where, 'it hangs up', true) : unreachable(where, 'it hangs up')),
    );
  });
}

function explain(error: NodeJS.ErrnoException, where: string, socket: TLSSocket): RegulonError {
  const code = error.code ?? '';
  if (code.includes('PROTOCOL_VERSION') || code.includes('UNSUPPORTED_PROTOCOL')) {
    return new RegulonError('E_TLS_VERSION', `the coordinator at ${where} does not speak TLS 1.3`, {
      cause: error,
    });
  }
  if (code.includes('ALERT')) return refused(where, code, false, error);
  if (socket.authorized) return refused(where, code, true, error);
  if (/CERT|ISSUER|SELF_SIGNED|ALTNAME|UNABLE_TO|SIGNATURE/.test(code)) {
    const words = `the certificate of the coordinator at ${where} is not acceptable (${code})`;
    const hint = 'check the address and the authority file; if both are right, tell the administrators';
    return new RegulonError('E_CERTIFICATE', words, { cause: error, hint });
  }
  return unreachable(where, code || error.message, error);
}

function refused(where: string, why: string, quiet: boolean, cause?: unknown): RegulonError {
  return new RegulonError(
    'E_CERTIFICATE',
    `the coordinator at ${where} refuses the certificate of this site (${why})`,
    {
      cause,
      details: { quiet },
      hint: 'use the certificate that the federation issued to this site, and check that it is not expired',
    },
  );
}

function unreachable(where: string, why: string, cause?: unknown): RegulonError {
  return new RegulonError('E_CONNECTION', `the coordinator at ${where} cannot be reached (${why})`, {
    cause,
  });
}
