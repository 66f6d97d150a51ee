import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

export const CLIENT = 'regulon';

/** Who logs in next, and how. */
export interface Person {
  readonly subject: string;
  readonly amr: readonly string[];
}

/** A real OpenID provider on loopback. Whoever comes is taken for `next`, who consents to everything. */
export class TestIdentityProvider {
  next: Person = { subject: 'nobody', amr: [] };

  private constructor(
    readonly issuer: string,
    private readonly server: Server,
  ) {}

  static async start(): Promise<TestIdentityProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const made = new TestIdentityProvider(issuer, server);
    const provider = made.provider();
    server.on('request', (request, response) => void provider.callback()(request, response));
    return made;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private provider(): Provider {
    const provider = new Provider(this.issuer, {
      clients: [
        {
          ...{ client_id: CLIENT, application_type: 'native', token_endpoint_auth_method: 'none' },
          ...{ redirect_uris: ['http://127.0.0.1/callback'], response_types: ['code'] },
          grant_types: ['authorization_code'],
        },
      ],
      claims: { openid: ['sub', 'amr'] },
      findAccount: (_context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
      features: { devInteractions: { enabled: false } },
    });
    provider.use(async (context, next) => {
      if (!context.path.startsWith('/interaction/')) {
        await next();
        return;
      }
      const { prompt, params, session } = await provider.interactionDetails(context.req, context.res);
      if (prompt.name === 'login') {
        const { subject: accountId, amr } = this.next;
        const result = { login: { accountId, amr: [...amr] } };
        return provider.interactionFinished(context.req, context.res, result);
      }
      const clientId = String(params['client_id']);
      const grant = new provider.Grant({ clientId, ...(session ? { accountId: session.accountId } : {}) });
      grant.addOIDCScope('openid');
      const result = { consent: { grantId: await grant.save() } };
      return provider.interactionFinished(context.req, context.res, result, {
        mergeWithLastSubmission: true,
      });
    });
    return provider;
  }
}

/** Open an address as a browser does: follow redirects and keep cookies. */
export async function browse(address: string): Promise<void> {
  const cookies = new Map<string, string>();
  for (let url: string | null = address; url !== null;) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response: Response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    const to = response.headers.get('location');
    await response.arrayBuffer();
    url = to === null ? null : new URL(to, url).href;
  }
}
