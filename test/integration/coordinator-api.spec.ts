import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InlineAggregator } from '@regulon/coordinator/aggregation';
import type { RunDocument } from '@regulon/coordinator/api';
import { concatBytes, sha256, utf8 } from '@regulon/shared/crypto';
import { planHashOf, parsePlan } from '@regulon/shared/plan';
import { digestText, parseNote } from '@regulon/shared/transparency';
import { RestApi, type RestRequest } from '../support/coordinator/rest-api.js';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';
import { toyPlan } from '../support/toy-plan.js';

const routes = [
  ['GET', '/metrics'],
  ['GET', '/api/v1/sites'],
  ['GET', '/api/v1/runs'],
  ['POST', '/api/v1/runs'],
  ['GET', '/api/v1/runs/run_00000000000000000000000000000000'],
  ['GET', '/api/v1/runs/run_00000000000000000000000000000000/events'],
  ['POST', '/api/v1/runs/run_00000000000000000000000000000000/stop'],
  ['POST', '/api/v1/runs/run_00000000000000000000000000000000/approvals'],
  ['GET', `/api/v1/models/${'0'.repeat(64)}`],
  ['GET', `/api/v1/models/${'0'.repeat(64)}/spec`],
  ['GET', '/api/v1/log'],
  ['GET', '/api/v1/log/export'],
  ['POST', '/api/v1/log/entries'],
  ['POST', '/api/v1/log/reports'],
  ['POST', '/api/v1/log/anchors'],
  ['POST', '/api/v1/log/attachments'],
  ['GET', '/api/v1/log/actors/researcher/r1'],
] as const;

describe('REST API of the coordinator', () => {
  let folder: string;
  let federation: SimulatedFederation;
  let api: RestApi;
  const defects: unknown[] = [];
  const aggregator = new InlineAggregator();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-api-'));
    federation = new SimulatedFederation(
      folder,
      5,
      {},
      { aggregator, fatal: (error) => void defects.push(error) },
    );
    await federation.open();
    federation.connect();
    api = await RestApi.start(federation, defects);
  });
  afterAll(async () => {
    await api.close();
    await federation.close();
    expect(defects).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  const request = (path: string, options?: RestRequest): Promise<Response> => api.request(path, options);
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

  it.each(routes)('%s %s refuses a request without the token, or with another one', async (method, path) => {
    for (const token of ['', 'guess']) {
      const response = await request(path, { method, token });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: { code: 'E_AUTH' } });
    }
  });

  it.each(['/healthz', '/readyz'])('%s answers without a token', async (path) => {
    expect((await request(path, { token: '' })).status).toBe(200);
  });

  it('names a port that is taken, and what to do', async () => {
    await expect(RestApi.start(federation, defects, api.port)).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      message: expect.stringContaining(`127.0.0.1:${api.port}`) as unknown,
      hint: expect.stringContaining('port') as unknown,
    });
  });

  it('names what is unknown or malformed, and never the value', async () => {
    expect((await request('/api/v1/runs/run_00000000000000000000000000000000')).status).toBe(404);
    expect((await request('/api/v1/nothing')).status).toBe(404);
    expect((await request('/api/v1/runs/RUN')).status).toBe(400);
    const response = await request('/api/v1/runs', {
      method: 'POST',
      body: { entry: 'AA==', plan: {}, extra: 'Jane Doe' },
    });
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe('E_MESSAGE');
    expect(error.message).toContain('extra: unknown key');
    expect(error.message).not.toContain('Jane');
  });

  it('refuses a plan that is wrong before anything is logged', async () => {
    const size = federation.core.sequencer.size;
    const plan = { ...toyPlan(federation.names), sites: ['site-1', 'site-2', 'site-3', 'site-4', 'nobody'] };
    const response = await request('/api/v1/runs', { method: 'POST', body: { entry: 'AA==', plan } });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'E_PLAN' } });
    expect(federation.core.sequencer.size).toBe(size);
  });

  it('writes down reports on states of the log and who dated them, and nothing about another log', async () => {
    const { size, root, note } = await federation.core.sequencer.checkpoint();
    const post = async (path: string, body: object): Promise<unknown> => {
      const response = await request(`/api/v1/log/${path}`, { method: 'POST', body });
      return [response.status, await response.json()];
    };
    const checkpoint = { size, root: digestText(root) };
    const report = { report: digestText(sha256(utf8('report'))), checkpoint, verifier: 'regulon-0.1.0' };
    const next = federation.core.sequencer.size;
    expect(await post('reports', report)).toEqual([201, { indexes: [next] }]);
    const { body } = parseNote(note);
    const anchor = { checkpoint, form: 'rfc3161', token: base64(concatBytes(utf8('0'), sha256(utf8(body)))) };
    expect(await post('anchors', anchor)).toEqual([201, { indexes: [next + 1] }]);
    const other = { size, root: digestText(sha256(utf8('other'))) };
    const refused = [400, { error: expect.objectContaining({ code: 'E_LOG_ENTRY' }) as unknown }];
    expect(await post('reports', { ...report, checkpoint: other })).toEqual(refused);
    expect(await post('anchors', { ...anchor, token: base64(utf8('another')) })).toEqual(refused);
    expect(await post('anchors', { ...anchor, checkpoint: { ...checkpoint, size: size + 5 } })).toEqual(
      refused,
    );
    expect(federation.core.sequencer.size).toBe(next + 2);
  });

  it('takes a run from proposal to model, and tells a board about it', async () => {
    await federation.prepare();
    const value = toyPlan(federation.names);
    const plan = parsePlan(value);
    const { entry } = federation.proposal(plan);
    const proposed = await request('/api/v1/runs', {
      method: 'POST',
      body: { entry: base64(entry), plan: value },
    });
    expect(proposed.status).toBe(201);
    const { run } = (await proposed.json()) as { run: string };
    const again = await request('/api/v1/runs', {
      method: 'POST',
      body: { entry: base64(entry), plan: value },
    });
    expect(await again.json()).toMatchObject({ run });

    const entries = federation.names.map((name) => base64(federation.approval(name, planHashOf(plan))));
    const approved = await request(`/api/v1/runs/${run}/approvals`, { method: 'POST', body: { entries } });
    expect(await approved.json()).toMatchObject({ indexes: expect.any(Array) });
    const events = await (await request(`/api/v1/runs/${run}/events`)).text();
    expect(events).toMatch(/event: round\n/);
    expect(events).toMatch(/event: closed\n/);
    expect(events.trimEnd().split('\n').at(-1)).toContain('"type":"end"');
    expect(events).not.toContain('lossSum');

    const document = (await (await request(`/api/v1/runs/${run}`)).json()) as RunDocument;
    expect(document).toMatchObject({ schema: 'regulon.run/1', status: 'COMPLETED', reason: null });
    expect(document.coverage?.text).toContain('with 5 of 5 sites');
    const digest = document.modelDigest ?? '';
    const model = new Uint8Array(await (await request(`/api/v1/models/${digest}`)).arrayBuffer());
    const spec = (await (await request(`/api/v1/models/${digest}/spec`)).json()) as {
      bytes: number;
      weights: { size: number }[];
    };
    expect(model.length).toBe(spec.bytes);
    expect(spec.weights.reduce((n, w) => n + w.size, 0) * 4).toBe(spec.bytes);
    const stopped = await request(`/api/v1/runs/${run}/stop`, { method: 'POST' });
    expect(stopped.status).toBe(409);
    const head = (await (await request('/api/v1/log/actors/researcher/r1')).json()) as { seq: number };
    expect(head.seq).toBe(0);
    const metrics = await (await request('/metrics')).text();
    expect(metrics).toContain('regulon_log_size');
    expect(metrics).toMatch(/regulon_round_duration_seconds_count\{stage="all"\} 7/);
    const bundle = await (await request('/api/v1/log/export')).arrayBuffer();
    expect(new Uint8Array(bundle.slice(0, 2))).toEqual(Uint8Array.of(0x50, 0x4b));
  });
});
