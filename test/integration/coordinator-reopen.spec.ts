import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InlineAggregator } from '@regulon/coordinator/aggregation';
import type { ReopenReply } from '@regulon/coordinator/runs';
import { enc, randomBytes, rootOf, sha256, signEd25519, u32 } from '@regulon/shared/crypto';
import { seedCommitment } from '@regulon/shared/secagg';
import { type ReopenDocument, reopenSigningBytes, verifyBundle } from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';
import type { SiteBehaviour } from '../support/coordinator/simulated-site.js';
import { toyPlan } from '../support/toy-plan.js';
import { refused } from '../security/support/refused.js';
import { until } from '../support/until.js';

const DEALER = 2;
const TRAINING = 1;
/** the simulated sites derive their programs for this run */
const testing = { allowTesting: true, testing: { runId: '07'.repeat(16) } };

/** One site sends as much as all others together may, once. */
function poisoningOnce(): SiteBehaviour {
  let sent = 0;
  return {
    poison: (vector, { purpose, d, Q }) => {
      if (purpose === 0 && sent++ === 0)
        new Int32Array(vector.buffer, 0, d).fill(Math.round((7 * Q) / Math.sqrt(d)));
    },
  };
}

/** One site sends so much, far below the ceiling, in the training round of this number, once. */
function poisoningLate(round: number): SiteBehaviour {
  let sent = 0;
  return {
    poison: (vector, { purpose, d, Q }) => {
      if (purpose === 0 && sent++ === round)
        new Int32Array(vector.buffer, 0, d).fill(Math.round(Q / 4 / Math.sqrt(d)));
    },
  };
}

/** The dealer commits to another seed than it deals, once. */
function lyingOnce(): SiteBehaviour {
  let lies = 0;
  return {
    deal: (site, honest, client, round) => {
      if (round !== TRAINING || lies++ > 0) return honest;
      const { federation, name, id } = site.identity;
      const cb = seedCommitment(client.ctx, id, randomBytes(32));
      const fields = [client.ctx, client.h1(), u32(id), cb, rootOf(honest.leaves)];
      const sig = signEd25519(
        federation.signer('site', name).seed,
        sha256(enc('regulon/secagg/v1/R1', ...fields)),
      );
      return { ...honest, cb, sig };
    },
  };
}

describe('a burnt round', () => {
  let folder: string;
  let federation: SimulatedFederation;
  const fatal: unknown[] = [];
  /** the first site does nothing before this */
  let hold: Promise<void>;

  beforeEach(() => {
    hold = Promise.resolve();
    folder = mkdtempSync(join(tmpdir(), 'regulon-reopen-'));
  });
  afterEach(async () => {
    await federation.close();
    expect(fatal.splice(0)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  /** @returns a run that waits for its administrators */
  async function burnt(
    sites: number,
    more: object = {},
    wrong = lyingOnce(),
    changes: object = {},
  ): Promise<string> {
    const environment = { aggregator: new InlineAggregator(), fatal: (e: unknown) => void fatal.push(e) };
    federation = new SimulatedFederation(folder, sites, { ...testing, ...more }, environment);
    await federation.open();
    federation.connect({ 1: { before: () => hold }, [DEALER]: wrong });
    await federation.prepare();
    return federation.submit(toyPlan(federation.names, { ...rounds, ...changes }));
  }
  const rounds = { prepare: [], training: { rounds: 2, optimizer: { name: 'adam' } } };
  const stageOf = (run: string): string | undefined => federation.core.views.run(run).now?.stage;
  /** @param admins who signs */
  const signed = ({ document }: ReopenReply, admins = [1, 2, 3]): ReopenDocument => {
    const digest = reopenSigningBytes(document, document.body);
    const signatures = admins.map((admin) => {
      const seed = SampleFederation.seed('administrator', String(admin));
      return { admin, signature: Buffer.from(signEd25519(seed, digest)).toString('base64') };
    });
    return { ...document, body: { ...document.body, signatures } };
  };

  it('goes on without the proven dealer once the administrators have signed, over a crash, and the auditor accepts it', async () => {
    const run = await burnt(6);
    await until(() => stageOf(run) === 'burnt');
    expect(federation.core.views.run(run)).toMatchObject({ status: 'PAUSED' });
    await federation.close();
    await federation.open();
    const terms = federation.core.runs.reopenTerms(run);
    expect(terms).toMatchObject({ reason: { code: 'E_DEALER' }, needed: 3 });
    expect(terms.document.body).toMatchObject({ burnt: 0, contributors: [1, 3, 4, 5, 6] });
    federation.core.runs.reopen(run, signed(terms));
    const document = await federation.finished(run);
    expect(document).toMatchObject({ status: 'COMPLETED_PARTIAL', reason: null });
    expect(document.rounds.find(({ round }) => round === TRAINING)).toMatchObject({
      attempt: 1,
      survivors: [1, 3, 4, 5, 6],
    });
    const report = verifyBundle({
      bundle: await buffer(federation.core.sequencer.exportBundle()),
      policy: federation.federation.genesis.quorumPolicy,
    });
    expect(report.firstLine).toMatch(/^PASS/);
  });

  it('a poisoned sum is not applied; the administrators may let the same sites send once more', async () => {
    const run = await burnt(6, {}, poisoningOnce());
    await until(() => stageOf(run) === 'burnt');
    const terms = federation.core.runs.reopenTerms(run);
    expect(terms).toMatchObject({ reason: { code: 'E_CEILING' } });
    expect(terms.document.body).toMatchObject({ contributors: [1, 2, 3, 4, 5, 6], proof: null });
    federation.core.runs.reopen(run, signed(terms));
    const document = await federation.finished(run);
    expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
    expect(document.rounds.find(({ round }) => round === TRAINING)).toMatchObject({ attempt: 1 });
    const bundle = await buffer(federation.core.sequencer.exportBundle());
    const { firstLine } = verifyBundle({ bundle, policy: federation.federation.genesis.quorumPolicy });
    expect(firstLine).toMatch(/^PASS/);
  });

  it('a tile that stands out from three earlier rounds burns its round, which is reopened over a crash', async () => {
    const secureAggregation = { weightCap: 64, tileFactor: 20 };
    const late = { training: { rounds: 5, optimizer: { name: 'adam' } }, secureAggregation };
    const run = await burnt(6, {}, poisoningLate(3), late);
    await until(() => stageOf(run) === 'burnt');
    const terms = federation.core.runs.reopenTerms(run);
    expect(terms).toMatchObject({ reason: { code: 'E_OUTLIER' } });
    await federation.close();
    await federation.open();
    federation.core.runs.reopen(run, signed(terms));
    const document = await federation.finished(run);
    expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
    const training = document.rounds.filter(({ purpose }) => purpose === 'train');
    expect(training.map(({ attempt }) => attempt)).toEqual([0, 0, 0, 1, 0]);
    for (const { norm = NaN, ceiling = NaN } of training) expect(norm).toBeLessThan(ceiling);
  });

  it('keeps no other run waiting, and goes on after it, over a restart', async () => {
    const run = await burnt(6, { retention: { aggregates: 'run' } });
    await until(() => stageOf(run) === 'burnt');
    const { runs } = federation.core;
    const terms = runs.reopenTerms(run);
    let release = (): void => undefined;
    hold = new Promise((resolve) => (release = resolve));
    const other = await federation.submit(toyPlan(federation.names, { ...rounds, name: 'other' }));
    await until(() => stageOf(other) === 'advertise');
    expect(() => runs.reopen(run, signed(terms))).toThrow(refused('E_BUSY', new RegExp(other)));
    release();
    expect(await federation.finished(other)).toMatchObject({ status: 'COMPLETED' });
    expect(federation.core.views.run(run)).toMatchObject({ status: 'PAUSED' });
    await federation.close();
    await federation.open();
    federation.core.runs.reopen(run, signed(terms));
    expect(await federation.finished(run)).toMatchObject({ status: 'COMPLETED_PARTIAL', reason: null });
  });

  it('takes no Reopen that too few signed, that leaves out another site, or that comes twice', async () => {
    const run = await burnt(6);
    await until(() => stageOf(run) === 'burnt');
    const { runs } = federation.core;
    const terms = runs.reopenTerms(run);
    expect(() => runs.reopen(run, signed(terms, [1, 2]))).toThrow(refused('E_ROSTER', /2 of 3/));
    const { document } = terms;
    const changed = (more: Partial<ReopenDocument['body']>): ReopenDocument =>
      signed({ ...terms, document: { ...document, body: { ...document.body, ...more } } });
    expect(() => runs.reopen(run, changed({ contributors: [1, 2, 3, 4, 5] }))).toThrow(refused('E_U3'));
    expect(() => runs.reopen(run, changed({ proof: null }))).toThrow(refused('E_U3'));
    const later = { ...terms, document: { ...document, attempt: 2 } };
    expect(() => runs.reopen(run, signed(later))).toThrow(refused('E_STATE', /due is round/));
    expect(stageOf(run)).toBe('burnt');
    runs.reopen(run, signed(terms));
    expect(() => runs.reopen(run, signed(terms))).toThrow(refused('E_STATE', /nothing to reopen/));
    await federation.finished(run);
  });

  it('ends the run at once where too few sites are left without the dealer', async () => {
    const run = await burnt(5);
    expect(await federation.finished(run)).toMatchObject({ status: 'FAILED', reason: { code: 'E_DEALER' } });
    expect(() => federation.core.runs.reopenTerms(run)).toThrow(refused('E_STATE', /no round under way/));
  });
});
