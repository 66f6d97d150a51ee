import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as client from 'openid-client';
import type { ProviderChallenge } from '@regulon/coordinator/auth';
import { RegulonError } from '@regulon/shared/errors';

const PATIENCE_MS = 5 * 60_000;

/**
 * A person logs in at the OpenID provider: authorization code flow with PKCE over a loopback address (RFC 8252).
 *
 * @param show tells the person which address to open
 * @returns the ID token with the coordinator's nonce
 * @throws E_CONNECTION when the provider does not answer; E_AUTH when nobody logged in, or the provider refused
 */
export async function idTokenOf(
  { issuer, clientId, nonce }: ProviderChallenge,
  show: (url: string) => void,
): Promise<string> {
  const config = await providerOf(issuer, clientId);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const redirect = `http://127.0.0.1:${port}/callback`;
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const expectedState = client.randomState();
    const url = client.buildAuthorizationUrl(config, {
      ...{ redirect_uri: redirect, scope: 'openid', state: expectedState, nonce },
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    });
    const came = callback(server, redirect, expectedState);
    show(url.href);
    const checks = { pkceCodeVerifier, expectedState, expectedNonce: nonce, idTokenExpected: true };
    const { id_token: idToken } = await client.authorizationCodeGrant(config, await came, checks);
    if (idToken === undefined) throw new TypeError('no ID token');
    return idToken;
  } catch (cause) {
    if (cause instanceof RegulonError) throw cause;
    const said = cause instanceof client.AuthorizationResponseError ? ` (${cause.error})` : '';
    throw new RegulonError('E_AUTH', `the provider ${issuer} did not let anybody in${said}`, { cause });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function providerOf(issuer: string, clientId: string): Promise<client.Configuration> {
  // the coordinator names http on loopback only, which the schema of its answer holds it to
  const execute = issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
  try {
    return await client.discovery(new URL(issuer), clientId, undefined, client.None(), { execute });
  } catch (cause) {
    throw new RegulonError('E_CONNECTION', `the provider ${issuer} does not answer`, { cause });
  }
}

/** The address at which the browser comes back. @throws E_AUTH after five minutes */
function callback(server: Server, redirect: string, state: string): Promise<URL> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new RegulonError('E_AUTH', 'nobody logged in at the provider within five minutes'));
    }, PATIENCE_MS);
    server.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', redirect);
      // others on this machine may call too
      const isExpected =
        url.pathname === new URL(redirect).pathname && url.searchParams.get('state') === state;
      response.writeHead(isExpected ? 200 : 404, { 'content-type': 'text/plain', connection: 'close' });
      response.end(isExpected ? 'You may close this page and go back to the terminal.\n' : 'not found\n');
      if (!isExpected) return;
      clearTimeout(late);
      resolve(url);
    });
  });
}
