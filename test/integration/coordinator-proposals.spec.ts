import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InlineAggregator } from '@regulon/coordinator/aggregation';
import { parsePlan } from '@regulon/shared/plan';
import { RestApi } from '../support/coordinator/rest-api.js';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';
import { toyPlan } from '../support/toy-plan.js';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

describe('proposals that are repeated', () => {
  let folder: string;
  let federation: SimulatedFederation;
  let api: RestApi;
  const defects: unknown[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-proposals-'));
    const fatal = (error: unknown): void => void defects.push(error);
    federation = new SimulatedFederation(folder, 5, {}, { aggregator: new InlineAggregator(), fatal });
    await federation.open();
    api = await RestApi.start(federation, defects);
  });
  afterEach(async () => {
    await api.close();
    await federation.close();
    expect(defects).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  const planOf = (name: string): Record<string, unknown> => ({ ...toyPlan(federation.names), name });
  const propose = (entry: Uint8Array, plan: unknown): Promise<Response> =>
    api.request('/api/v1/runs', { method: 'POST', body: { entry: base64(entry), plan } });
  const runs = (): readonly { run: string; name: string }[] => federation.core.views.list().runs;
  const errorOf = async (response: Response): Promise<[number, string]> => {
    const { error } = (await response.json()) as { error: { code: string } };
    return [response.status, error.code];
  };

  it('give one run for one entry: later, at the same time, and after a restart', async () => {
    const plan = planOf('one');
    const { entry } = federation.proposal(parsePlan(plan));
    const replies = await Promise.all([propose(entry, plan), propose(entry, plan), propose(entry, plan)]);
    const bodies = await Promise.all(replies.map((reply) => reply.json()));
    expect(replies.map((reply) => reply.status)).toEqual([201, 201, 201]);
    await api.close();
    await federation.close();
    await federation.open();
    api = await RestApi.start(federation, defects);
    bodies.push(await (await propose(entry, plan)).json());
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(runs()).toHaveLength(1);
  });

  it('are refused with another plan than the entry names, and nothing is logged', async () => {
    const { entry } = federation.proposal(parsePlan(planOf('one')));
    expect(await errorOf(await propose(entry, planOf('two')))).toEqual([400, 'E_LOG_ENTRY']);
    const { entry: policy } = federation.federation.policy('site-1');
    expect(await errorOf(await propose(policy, planOf('two')))).toEqual([400, 'E_LOG_ENTRY']);
    expect([federation.core.sequencer.size, runs().length]).toEqual([1, 0]);
  });

  it('are refused under the number of an earlier entry, and both entries are kept as evidence', async () => {
    const twin = new SimulatedFederation(join(folder, 'twin'));
    const [one, two] = [planOf('one'), planOf('two')];
    const first = federation.proposal(parsePlan(one)).entry;
    const second = twin.proposal(parsePlan(two)).entry;
    expect((await propose(first, one)).status).toBe(201);
    expect(await errorOf(await propose(second, two))).toEqual([403, 'E_LOG_EQUIVOCATION']);
    expect(runs().map((run) => run.name)).toEqual(['one']);
  });

  it('become a run when the entry came into the log without its plan', async () => {
    const plan = planOf('one');
    const { entry, bytes } = federation.proposal(parsePlan(plan));
    await federation.core.intake.append(entry, [bytes]);
    expect(runs()).toEqual([]);
    expect((await propose(entry, plan)).status).toBe(201);
    expect((await propose(entry, plan)).status).toBe(201);
    expect(runs()).toHaveLength(1);
  });
});
