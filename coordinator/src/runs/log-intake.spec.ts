import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BodyOf, digestText } from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { auditMigrations, Sequencer } from '../audit/index.js';
import { coordinatorMigrations, RoundRows, RunRows, Store } from '../storage/index.js';
import { LogIntake } from './log-intake.js';

const runId = new Uint8Array(16).fill(7);
const planHash = new Uint8Array(32).fill(5);
const zero = digestText(new Uint8Array(32));

describe('intake of log entries', () => {
  let folder: string;
  let store: Store;
  let federation: SampleFederation;
  let sequencer: Sequencer;
  let rows: RunRows;
  let intake: LogIntake;
  const told: string[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-intake-'));
    federation = new SampleFederation();
    const audit = auditMigrations.map((sql, i) => ({ name: `audit-${i}`, sql }));
    store = Store.open(join(folder, 'db.sqlite'), [...coordinatorMigrations, ...audit]);
    const { genesisEntry, genesis, logSeed, statementSeed, clock } = federation;
    sequencer = await Sequencer.open({
      ...{ db: store.raw, folder: join(folder, 'log'), logSeed, statementSeed, now: clock },
      genesis: { entry: genesisEntry, attachments: genesis.attachments },
    });
    rows = new RunRows(store);
    told.length = 0;
    intake = new LogIntake(sequencer, rows, new RoundRows(store), federation.roster, {
      agreementChanged: () => void told.push('agreement'),
      checkpointWanted: () => void told.push('checkpoint'),
      withdrawn: () => void told.push('withdrawal'),
    });
    rows.insert({
      ...{ run_id: runId, name: 'toy', plan: '{}', plan_hash: planHash, propose_index: 1 },
      ...{ status: 'QUEUED', since_ms: 1, created_ms: 1 },
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
    store.close();
    rmSync(folder, { recursive: true });
  });

  const approval = (): Uint8Array =>
    federation.entry(
      ['steward', 'site-1'],
      'plan.approve',
      {},
      {
        ...{ planHash: digestText(planHash), policy: zero, dataset: 'toy', datasetVersion: 1 },
        ...{ commitment: zero, conditions: [], validUntil: '2027-01-01T00:00:00.000Z' },
      },
    );
  const commitment = (size: number, data = zero): Uint8Array => {
    const body: BodyOf<'dataset.commit'> = {
      ...{ dataset: 'toy', version: 1, commitment: data, schema: zero, panel: { digest: zero, size } },
      ...{ band: '20-49', unit: 'patient', qualityReport: null, dataUse: [] },
      ...{ public: false, simulated: false },
    };
    return federation.entry(['site', 'site-1'], 'dataset.commit', {}, body);
  };

  it('keeps an entry with the rows that follow from it, or neither', async () => {
    const entry = approval();
    jest.spyOn(rows, 'approve').mockImplementationOnce(() => {
      throw new Error('power cut');
    });
    await expect(intake.append(entry)).rejects.toThrow('power cut');
    expect(sequencer.size).toBe(1);
    expect(told).toEqual([]);
    await intake.append(entry);
    expect(rows.approvals(runId)).toEqual(new Map([[1, 1]]));
    expect(told).toEqual(['agreement']);
  });

  it('takes rows of the caller into the same transaction, the first time only', async () => {
    const entry = approval();
    const beside = (index: number): void => rows.update(runId, { reason: `entry ${index}` });
    const fails = (): void => {
      throw new Error('power cut');
    };
    await expect(intake.append(entry, [], fails)).rejects.toThrow('power cut');
    expect([sequencer.size, rows.approvals(runId).size]).toEqual([1, 0]);
    await intake.append(entry, [], beside);
    await intake.append(entry, [], fails);
    expect(rows.get(runId)?.reason).toBe('entry 1');
  });

  it('forgets an approval and a dataset that their steward takes back, and says so', async () => {
    await intake.append(approval());
    await intake.append(commitment(10));
    const reason = 'consent';
    const refusal = { planHash: digestText(planHash), reason };
    await intake.append(federation.entry(['steward', 'site-1'], 'plan.withdraw', {}, refusal));
    expect(rows.approvals(runId).size).toBe(0);
    const dataset = { dataset: 'toy', scope: 'commitment', reason } as const;
    await intake.append(federation.entry(['steward', 'site-1'], 'dataset.withdraw', {}, dataset));
    expect(rows.datasets('toy').size).toBe(0);
    await intake.append(commitment(15));
    // the same data, committed to again, are still taken back
    expect(rows.datasets('toy').size).toBe(0);
    await intake.append(commitment(20, digestText(new Uint8Array(32).fill(1))));
    expect(rows.datasets('toy').get(1)?.panel_size).toBe(20);
    const forGood = { ...dataset, scope: 'all' } as const;
    await intake.append(federation.entry(['steward', 'site-1'], 'dataset.withdraw', {}, forGood));
    await intake.append(commitment(30));
    expect(rows.datasets('toy').size).toBe(0);
    expect(told.filter((what) => what === 'withdrawal')).toHaveLength(3);
    expect(told.filter((what) => what === 'checkpoint')).toHaveLength(3);
  });

  it('does not let an older commitment, sent again, replace the newer one', async () => {
    const [older, newer] = [commitment(10), commitment(20)];
    const first = await intake.append(older);
    await intake.append(newer);
    expect(await intake.append(older)).toEqual(first);
    expect(rows.datasets('toy').get(1)?.panel_size).toBe(20);
  });

  it('does not let an approval of one run, sent again, approve a later run of the same plan', async () => {
    const entry = approval();
    await intake.append(entry);
    rows.update(runId, { status: 'COMPLETED' });
    const later = new Uint8Array(16).fill(8);
    rows.insert({
      ...{ run_id: later, name: 'toy', plan: '{}', plan_hash: planHash, propose_index: 2 },
      ...{ status: 'QUEUED', since_ms: 2, created_ms: 2 },
    });
    await intake.append(entry);
    expect(rows.approvals(later).size).toBe(0);
  });
});
