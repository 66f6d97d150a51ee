import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BaselineBuilder, digestText, parseEntry } from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { Store } from '../storage/index.js';
import { proposeBaseline } from './baseline.js';
import { auditMigrations } from './migrations.js';
import { Sequencer } from './sequencer.js';

const refused = (code: string): object => expect.objectContaining({ code });

describe('the baseline that a coordinator proposes', () => {
  const federation = new SampleFederation();
  let folder: string;
  let store: Store;
  let log: Sequencer;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-baseline-'));
    store = Store.open(
      join(folder, 'log.sqlite'),
      auditMigrations.map((sql, i) => ({ name: `audit-${i}`, sql })),
    );
    const { logSeed, statementSeed, genesisEntry, genesis } = federation;
    log = await Sequencer.open({
      ...{ db: store.raw, folder, logSeed, statementSeed },
      genesis: { entry: genesisEntry, attachments: genesis.attachments },
    });
  });
  afterEach(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  const body = { nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration: null };
  const grow = (size: number): void =>
    store.transaction(() => {
      while (log.size < size) log.appendOwn({ kind: 'config.start', body });
    });

  it('is what its entries give, once', async () => {
    grow(260);
    await log.checkpoint();
    const index = await proposeBaseline(log, 256);
    expect([index, await proposeBaseline(log, 256), log.size]).toEqual([260, 260, 261]);
    const entry = parseEntry(log.entry(index));
    const builder = new BaselineBuilder();
    log.entries(0, 256).forEach((bytes) => builder.add(bytes));
    const { root, bytes, state } = builder.baseline();
    if (entry.kind !== 'log.baseline') throw new TypeError(entry.kind);
    expect(entry.body).toMatchObject({ size: 256, root: digestText(root) });
    expect(await log.attachment(entry.body.state.digest)).toEqual(bytes);
    expect(state.repeated.map(({ index: at }) => at)).toEqual([0]);
    expect(state.heads).toEqual([
      { type: 'coordinator', id: 'coordinator', seq: 255, index: 255, configuration: null },
    ]);
  });

  it.each([0, 255, 512, -256])('is refused over %d of 300 entries', async (size) => {
    grow(300);
    await log.checkpoint();
    await expect(proposeBaseline(log, size)).rejects.toThrow(refused('E_ARGUMENT'));
    expect(log.size).toBe(300);
  });

  it('is refused when its state has more bytes than a daemon fetches', async () => {
    grow(260);
    await log.checkpoint();
    const made = new BaselineBuilder();
    log.entries(0, 256).forEach((bytes) => made.add(bytes));
    const baseline = jest.spyOn(BaselineBuilder.prototype, 'baseline');
    const whole = made.baseline();
    baseline.mockReturnValueOnce({ ...whole, bytes: new Uint8Array((15 << 20) + 1) });
    await expect(proposeBaseline(log, 256)).rejects.toThrow(refused('E_STATE'));
    expect(log.size).toBe(260);
    baseline.mockReturnValueOnce({ ...whole, bytes: new Uint8Array(15 << 20) });
    expect(await proposeBaseline(log, 256)).toBe(260);
    baseline.mockRestore();
  });

  it('is refused before a checkpoint covers its entries', async () => {
    await log.checkpoint();
    grow(256);
    await expect(proposeBaseline(log, 256)).rejects.toThrow(refused('E_ARGUMENT'));
  });
});
