import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RequestMethod, type Type } from '@nestjs/common';
import { InlineAggregator } from '@regulon/coordinator/aggregation';
import { ApiModule } from '@regulon/coordinator/api';
import { apiContextOf } from '@regulon/coordinator/app';
import { type Role, roles } from '@regulon/coordinator/identity';
import { parseEntry } from '@regulon/shared/transparency';
import { URI } from 'otpauth';
import { RestApi } from '../support/coordinator/rest-api.js';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';

const everybody: readonly Role[] = roles;
const PASSWORD = 'correct horse and so on';
const RUN = `run_${'0'.repeat(32)}`;
const MODEL = '0'.repeat(64);

/** Who may call each route; a route that is missing here fails this spec. */
const access: Readonly<Record<string, readonly Role[] | 'open'>> = {
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  'GET /metrics': ['operator'],
  'GET /api/v1/sites': everybody,
  'GET /api/v1/runs': everybody,
  'POST /api/v1/runs': ['researcher'],
  'GET /api/v1/runs/:id': ['researcher', 'steward', 'operator'],
  'POST /api/v1/runs/:id/approvals': ['steward'],
  'POST /api/v1/runs/:id/stop': ['researcher', 'operator'],
  'GET /api/v1/runs/:id/reopen': ['operator'],
  'POST /api/v1/runs/:id/reopen': ['operator'],
  'GET /api/v1/runs/:id/events': ['researcher', 'steward', 'operator'],
  'GET /api/v1/log': everybody,
  'GET /api/v1/log/export': everybody,
  'POST /api/v1/log/entries': ['researcher', 'steward'],
  'POST /api/v1/log/reports': ['auditor', 'operator'],
  'POST /api/v1/log/anchors': ['operator'],
  'POST /api/v1/log/baselines': ['operator'],
  'POST /api/v1/log/prunings': ['operator'],
  'POST /api/v1/log/attachments': ['researcher', 'steward'],
  'GET /api/v1/log/actors/:type/:id': everybody,
  'GET /api/v1/models/:digest': ['researcher'],
  'GET /api/v1/models/:digest/spec': ['researcher'],
  'GET /api/v1/accounts': ['operator'],
  'POST /api/v1/accounts': ['operator'],
  'POST /api/v1/accounts/:name/reset': ['operator'],
  'DELETE /api/v1/accounts/:name': ['operator'],
  'POST /api/v1/activations': 'open',
  'POST /api/v1/session': 'open',
  'POST /api/v1/session/challenge': 'open',
  'POST /api/v1/session/proved': 'open',
  'GET /api/v1/session': everybody,
  'DELETE /api/v1/session': everybody,
};

/** What Nest has noted of a controller or of one of its methods. */
const notedOf = (target: object, key: string): unknown => Reflect.getMetadata(key, target);

/** Routes of the controllers as Nest knows them. */
function routesOf(controllers: readonly Type<object>[]): string[] {
  return controllers.flatMap((controller) => {
    const own = Object.getOwnPropertyDescriptors(controller.prototype as object);
    return Object.values(own).flatMap(({ value }: { value?: unknown }) => {
      if (typeof value !== 'function') return [];
      const method = notedOf(value, 'method');
      if (typeof method !== 'number') return [];
      const path = `/${String(notedOf(controller, 'path'))}/${String(notedOf(value, 'path'))}`;
      return [`${RequestMethod[method]} ${path.replace(/\/+/g, '/').replace(/(?<=.)\/$/, '')}`];
    });
  });
}

describe('access to the REST API', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regulon-access-'));
  const defects: unknown[] = [];
  const tokens = new Map<Role, string>();
  let federation: SimulatedFederation;
  let api: RestApi;

  beforeAll(async () => {
    const environment = { aggregator: new InlineAggregator(), fatal: (e: unknown) => void defects.push(e) };
    federation = new SimulatedFederation(folder, 5, {}, environment);
    await federation.open();
    api = await RestApi.start(federation, defects);
    const { accounts } = federation.core;
    for (const role of roles) {
      const { setupCode } = accounts.add(role, role);
      const uri = await accounts.activate(role, setupCode, PASSWORD);
      const code = uri === null ? undefined : URI.parse(uri).generate();
      tokens.set(role, (await accounts.login({ name: role, password: PASSWORD, code })).token);
    }
  });
  afterAll(async () => {
    await api.close();
    await federation.close();
    expect(defects).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  const pathOf = (route: string): string =>
    route
      .replace('actors/:type/:id', 'actors/researcher/r1')
      .replace(':id', RUN)
      .replace(':digest', MODEL)
      .replace(':name', 'nobody');
  const call = (route: string, token: string): Promise<Response> => {
    const [method = '', path = ''] = route.split(' ');
    return api.request(pathOf(path), { method, token, ...(method === 'POST' ? { body: {} } : {}) });
  };
  const codeOf = async (response: Response): Promise<unknown> => {
    const body: unknown = await response.json().catch(() => null);
    return (body as { error?: { code?: string } } | null)?.error?.code;
  };

  it('is stated here for every route that exists, and for no other', () => {
    const { controllers = [] } = ApiModule.with(apiContextOf(federation.core, '', () => null));
    expect(routesOf(controllers).sort()).toEqual(Object.keys(access).sort());
  });

  const closed = Object.entries(access).filter(([, allowed]) => allowed !== 'open');
  it.each(closed)('%s: without a session nobody', async (route) => {
    for (const token of ['', 'guess']) {
      const response = await call(route, token);
      expect([response.status, await codeOf(response)]).toEqual([401, 'E_AUTH']);
    }
  });

  // logging out is looked at last: it ends the session that the others use
  const inOrder = [...closed].sort(
    ([a], [b]) => Number(a === 'DELETE /api/v1/session') - Number(b === 'DELETE /api/v1/session'),
  );
  it.each(inOrder)('%s: %j', async (route, allowed) => {
    for (const role of roles) {
      const response = await call(route, tokens.get(role) ?? '');
      const isRefused = response.status === 403 && (await codeOf(response)) === 'E_ROLE';
      expect({ role, isRefused }).toEqual({ role, isRefused: !allowed.includes(role) });
      expect([401, 500]).not.toContain(response.status);
      if (!isRefused) await response.body?.cancel().catch(() => undefined);
    }
  });

  it('stands in the log: who was refused, what changed and what left, by opaque ids; and nothing that failed', async () => {
    const { core } = federation;
    const said = (kind: 'admin.act' | 'access.request'): Record<string, unknown>[] =>
      core.sequencer
        .indexesOfKind(kind)
        .map((index) => ({ ...parseEntry(core.sequencer.entry(index)).body }));
    const byToken = { role: 'token-file', id: 'token-file' };
    const idOf = (role: Role): string => core.accounts.idOf(role);
    const add = { method: 'POST', body: { name: 'ada', role: 'auditor' } };
    expect((await api.request('/api/v1/accounts', add)).status).toBe(201);
    const ada = core.accounts.idOf('ada');
    expect((await api.request('/api/v1/accounts', add)).status).toBe(400);
    expect((await api.request('/api/v1/accounts/ada', { method: 'DELETE' })).status).toBe(200);
    const acts = said('admin.act').map(({ actor, action, object }) => ({ actor, action, object }));
    expect(acts.slice(-2)).toEqual([
      { actor: byToken, action: 'account.add', object: ada },
      { actor: byToken, action: 'account.remove', object: ada },
    ]);
    for (const role of roles) {
      const own = acts.filter(({ object }) => object === idOf(role)).map(({ action }) => action);
      expect(own).toEqual(['account.activate', 'session.open', 'session.end']);
    }
    expect(acts.some(({ action }) => action === 'run.stop' || action === 'run.reopen')).toBe(false);
    const requests = said('access.request');
    const export_ = { action: 'log.export', object: 'log', outcome: 'done' };
    expect(requests).toContainEqual({ actor: { role: 'auditor', id: idOf('auditor') }, ...export_ });
    const refusal = { action: 'accounts.add', object: 'none', outcome: 'refused' };
    expect(requests).toContainEqual({ actor: { role: 'auditor', id: idOf('auditor') }, ...refusal });
    expect(requests).not.toContainEqual({ actor: { role: 'operator', id: idOf('operator') }, ...refusal });
    core.accounts.add('ada', 'auditor');
    expect(core.accounts.idOf('ada')).not.toBe(ada);
  });
});
