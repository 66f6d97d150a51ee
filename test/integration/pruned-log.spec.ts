import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { auditMigrations, proposeBaseline, proposePruning, Sequencer } from '@regulon/coordinator/audit';
import { Store } from '@regulon/coordinator/storage';
import { cosign, parseEntry, parseNote, verifyBundle } from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { hasPython, SecondVerifier } from '../support/second-verifier.js';

const asOf = new Date(Date.UTC(2026, 10, 21));

describe('a log under cosigned checkpoints that is pruned', () => {
  const federation = new SampleFederation(5, SampleFederation.ticking(), {
    gateMode: 'cosigned',
    retention: [{ class: 'brief', days: 0 }],
  });
  const sites = federation.roster.members.map(({ name }) => name);
  let folder: string;
  let store: Store;
  let log: Sequencer;

  const open = async (): Promise<void> => {
    store = Store.open(
      join(folder, 'log.sqlite'),
      auditMigrations.map((sql, i) => ({ name: `audit-${i}`, sql })),
    );
    const { logSeed, statementSeed, genesisEntry, genesis, clock } = federation;
    log = await Sequencer.open({
      ...{ db: store.raw, folder, logSeed, statementSeed, now: clock },
      genesis: { entry: genesisEntry, attachments: genesis.attachments },
    });
  };
  /** A checkpoint, and the cosignatures of some sites. */
  const checkpoint = async (names = sites): Promise<void> => {
    const { size, note } = await log.checkpoint();
    const { body } = parseNote(note);
    const time = Math.floor(federation.clock().getTime() / 1000);
    for (const name of names) {
      const keyName = `${federation.genesis.origin}/site/${name}`;
      const seed = federation.seedOf('cosigner', name);
      await log.cosign(name, size, cosign(body, { keyName, seed }, time).signature);
    }
  };
  /** What both verifiers say of the bundle that is exported now: failing rows with their first entry. */
  const judged = async (): Promise<unknown[]> => {
    const policy = Buffer.from(await log.attachment(log.keys.genesis.quorumPolicy.digest)).toString();
    const bundle = await buffer(log.exportBundle());
    const { rules, status } = verifyBundle({ bundle, policy, asOf });
    const first = rules.flatMap((r) => (r.status === 'fail' ? [[r.id, r.evidence[0] ?? null]] : []));
    if (!hasPython) return [status, first];
    writeFileSync(join(folder, 'bundle.zip'), bundle);
    writeFileSync(join(folder, 'quorum.policy'), policy);
    const second = new SecondVerifier();
    const files = ['--bundle', join(folder, 'bundle.zip'), '--policy', join(folder, 'quorum.policy')];
    const answer = await second.judge([...files, '--as-of', asOf.toISOString()]);
    second.end();
    const found = Object.entries(answer.rows).flatMap(([row, [index]]) =>
      index === undefined ? [] : [[row, index]],
    );
    expect([answer.status, found]).toEqual([status, first]);
    return [status, first];
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-pruned-'));
    await open();
  });
  afterEach(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });

  it('keeps its entries until a quorum has cosigned the pruning, and both verifiers judge what is left', async () => {
    const body = { nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration: null };
    for (const name of sites) {
      const { entry, attachment } = federation.policy(name);
      await log.append(entry, [attachment]);
    }
    await checkpoint();
    store.transaction(() => {
      while (log.size < 260) log.appendOwn({ kind: 'config.start', body });
    });
    await checkpoint();
    const proposal = parseEntry(log.entry(await proposeBaseline(log, 256)));
    if (proposal.kind !== 'log.baseline') throw new TypeError(proposal.kind);
    for (const name of sites.slice(0, 4))
      await log.append(federation.entry(['site', name], 'log.baseline', {}, proposal.body));
    proposePruning(log.prunable, null, federation.clock());
    await checkpoint(sites.slice(0, 3));
    expect([log.minimum, await judged()]).toEqual([0, ['pass', []]]);
    await checkpoint();
    expect([log.minimum, await judged()]).toEqual([256, ['pass', []]]);
    store.close();
    await open();
    log.appendOwn({ kind: 'config.start', body });
    await checkpoint();
    expect([log.minimum, await judged()]).toEqual([256, ['pass', []]]);
    expect(() => log.entries(0, 1)).toThrow(expect.objectContaining({ code: 'E_PRUNED' }));
  });
});
