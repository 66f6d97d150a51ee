import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { stringify } from 'yaml';
import { canonicalJsonBytes, hex, sha256, utf8 } from '@regulon/shared/crypto';
import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import { panelDigest } from '@regulon/shared/genomics';
import { rosterHashOf } from '@regulon/shared/plan';
import { parseEntry } from '@regulon/shared/transparency';
import {
  decodeErrorInfo,
  encodeErrorInfo,
  type Notice,
  type Query,
  type Request,
} from '@regulon/shared/wire';
import { readDaemonConfig, type DaemonConfig } from '../config/index.js';
import { genes, seedOf, signedRoster, testFederation } from '../policy/site.support.js';
import { AttemptJournal, SiteState, Step } from '../state/index.js';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import type { CoordinatorLink, LinkState } from '../transport/index.js';
import { commits, federation, note, TestLog } from '../witness/witness.support.js';
import { Daemon } from './daemon.js';
import type { SiteParts } from './open-site.js';

const said = (code: ErrorCode): RegulonError => decodeErrorInfo(encodeErrorInfo(new RegulonError(code, 'x')));

/** A coordinator as one site sees it: a log, and what it answers. */
class Coordinator {
  readonly log = new TestLog();
  readonly asked: (Request | Query)[] = [];
  closed = false;
  /** what it answers before it answers properly, by type of request */
  readonly refusals = new Map<string, RegulonError[]>();
  /** note of the next hello, when it is not that of the log */
  note: (() => string) | undefined;
  tell: (notice: Notice) => void = () => undefined;

  readonly link = {
    connect: async () => {
      this.refuse('hello');
      return { nowMs: Date.now(), checkpointNote: (this.note ?? (() => this.log.note()))() };
    },
    exchange: async (request: Request) => {
      this.asked.push(request);
      this.refuse(request.type);
      if (request.type !== 'appendEntry') return {};
      this.log.add(request.entry);
      return { index: this.log.entries.length - 1 };
    },
    fetch: async (query: Query) => {
      this.asked.push(query);
      this.refuse(query.type);
      if (query.type !== 'logEntries') throw said('E_NOT_FOUND');
      return this.log.entries.slice(query.from, query.to).map((entry) => ({ entry }));
    },
    onNotice: (listener: (notice: Notice) => void) => {
      this.tell = listener;
      return () => undefined;
    },
    onState: (_: (state: LinkState) => void) => () => undefined,
    close: async () => void (this.closed = true),
  } as unknown as CoordinatorLink;

  private refuse(type: string): void {
    const error = this.refusals.get(type)?.shift();
    if (error) throw error;
  }
}

let coordinator: Coordinator;
let config: DaemonConfig;
let daemon: Daemon | undefined;
let lines: string[];
const logger = pino({}, { write: (line: string) => void lines.push(line) });
const parts: SiteParts = {
  linkOf: () => coordinator.link,
  dataOf: () =>
    ({
      describe: async () => ({
        ...{ panel: { digest: panelDigest(genes), size: genes.length, names: genes }, units: 40, notes: [] },
        content: sha256(utf8('content')),
      }),
      release: async () => undefined,
      forget: async () => undefined,
    }) as unknown as ReturnType<SiteParts['dataOf']>,
};

beforeEach(() => {
  [coordinator, daemon, lines] = [new Coordinator(), undefined, []];
  enrol(federation);
});
afterEach(() => daemon?.stop());

/** The files of site a as a member of this federation. */
function enrol({ roster, genesis }: typeof federation): void {
  const folder = temporaryFolder('daemon');
  const at = (...names: string[]): string => join(folder, ...names);
  mkdirSync(at('state', 'keys'), { recursive: true, mode: 0o700 });
  const key = (name: string, seed: Uint8Array): void =>
    writeFileSync(at('state', 'keys', name), hex(seed), { mode: 0o600 });
  key('identity.key', seedOf('site', 1));
  key('cosigner.key', seedOf('cosigner', 1));
  mkdirSync(at('fed'));
  writeFileSync(at('fed', 'roster.json'), canonicalJsonBytes(signedRoster(roster)));
  writeFileSync(at('fed', 'genesis.json'), genesis);
  writeFileSync(at('policy.yaml'), stringify({ schema: 'regulon.site-policy/1', purposes: ['research'] }));
  const file = {
    ...{ schema: 'regulon.daemon/1', site: 'a', stateFolder: 'state', federation: 'fed' },
    ...{ rosterHash: hex(rosterHashOf(roster)), policyFile: 'policy.yaml' },
    ...{ coordinator: { host: 'localhost', controlPort: 1 }, tls: { cert: 'c', key: 'k', ca: 'a' } },
    dataset: {
      name: 'toy',
      kind: 'expression',
      scale: 'counts',
      unit: 'patient',
      counts: 'x',
      simulated: true,
    },
  };
  writeFileSync(at('daemon.yaml'), stringify(file));
  config = readDaemonConfig(at('daemon.yaml'));
}

const start = async (): Promise<Daemon> => (daemon = await Daemon.start(config, logger, parts));

describe('the start of a daemon', () => {
  it('logs itself and catches up', async () => {
    await start();
    expect(coordinator.asked.map(({ type }) => type)).toContain('appendEntry');
    expect(coordinator.log.entries).toHaveLength(2);
  });

  it('leaves nothing open when it fails after it began to listen', async () => {
    let hellos = 0;
    // the second hello shows another history than the first
    coordinator.note = () => {
      hellos += 1;
      return hellos === 1 ? coordinator.log.note() : new TestLog().add(federation.genesis).note();
    };
    await expect(start()).rejects.toMatchObject({ code: 'E_FORK' });
    expect(coordinator.closed).toBe(true);
    // and another process may use the state
    const pins = {
      ...{ site: 'a', federationId: 'fed_test', rosterHash: config.rosterHash },
      identityKey: federation.own.key,
    };
    SiteState.open(config.stateFolder, pins).close();
  });

  it('tells the log of a fork, with both notes, before it ends', async () => {
    const running = await start();
    const offered = new TestLog().add(note(2)).note();
    coordinator.tell({ type: 'checkpoint', note: offered, oldSize: 2, proof: [] });
    await expect(running.failure).rejects.toMatchObject({ code: 'E_FORK' });
    expect(parseEntry(coordinator.log.entries.at(-1) ?? utf8(''))).toMatchObject({
      kind: 'witness.refusal',
      body: { shown: { size: 2 } },
    });
    const put = coordinator.asked.flatMap((one) => (one.type === 'putAttachment' ? [one.bytes] : []));
    expect(put.map((bytes) => Buffer.from(bytes).toString())).toEqual([coordinator.log.note(2), offered]);
  });

  it.each(['hello', 'logEntries', 'appendEntry'])(
    'goes on when the coordinator answers %s with the code of a local finding',
    async (type) => {
      coordinator.refusals.set(type, [said('E_QUARANTINE'), said('E_FORK')]);
      await start();
      expect(coordinator.log.entries).toHaveLength(2);
    },
  );

  it('ends when the coordinator says that this site pinned another roster', async () => {
    coordinator.refusals.set('hello', [said('E_ROSTER')]);
    await expect(start()).rejects.toMatchObject({ code: 'E_ROSTER' });
    expect(coordinator.closed).toBe(true);
  });
});

describe('the secrets of an attempt that never ended', () => {
  it('are wiped at the start when they are too old, and not before', async () => {
    const pins = {
      ...{ site: 'a', federationId: 'fed_test', rosterHash: config.rosterHash },
      identityKey: federation.own.key,
    };
    const days = (n: number): number => Date.now() - n * 86_400_000;
    const state = SiteState.open(config.stateFolder, pins);
    [8, 6].forEach((age, round) =>
      new AttemptJournal(state, () => days(age)).save({
        ...{ run: 'run_1', round, attempt: 0, step: Step.shared, facts: {}, signature: new Uint8Array(64) },
        ...{ manifest: utf8('manifest'), snapshot: utf8('secret') },
      }),
    );
    state.close();
    await (await start()).stop();
    daemon = undefined;
    const after = SiteState.open(config.stateFolder, pins);
    const journal = new AttemptJournal(after);
    expect([0, 1].map((round) => journal.find('run_1', round, 0)?.snapshot)).toEqual([null, utf8('secret')]);
    after.close();
  });
});

describe('a coordinator that names runs without end', () => {
  it('makes a site follow a bounded number of them; it says of the others that it is busy', async () => {
    await start();
    for (let i = 0; i < 300; i++) {
      const run = Uint8Array.of(i >> 8, i & 255, ...new Uint8Array(14));
      coordinator.tell({ type: 'stage', run, round: 0, attempt: 0, stage: 'r0' });
    }
    const refused = () => coordinator.asked.filter((r) => r.type === 'refuse');
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    while (refused().length < 300 - 64) await turn();
    for (let turns = 0; turns < 100; turns++) await turn();
    expect(refused()).toHaveLength(300 - 64);
    expect(refused().every((r) => r.type === 'refuse' && r.code === 'E_BUSY')).toBe(true);
  });
});

describe('the cosignatures of a daemon', () => {
  const sizes = (): unknown[] =>
    coordinator.asked.flatMap((request) => (request.type === 'cosign' ? [request.size] : []));
  const tell = (): void =>
    coordinator.tell({ type: 'checkpoint', note: coordinator.log.note(), oldSize: 0, proof: [] });
  const asked = async (size: number): Promise<void> => {
    while (!sizes().includes(size)) await new Promise((resolve) => setImmediate(resolve));
  };

  beforeEach(() => {
    const cosigned = testFederation('cosigned');
    coordinator.log.entries[0] = cosigned.genesis;
    enrol(cosigned);
  });

  it('that the coordinator does not want are not sent for ever: the next checkpoint has its turn', async () => {
    await start();
    const refusals = Array.from({ length: 50 }, () => said('E_CLOCK'));
    coordinator.refusals.set('cosign', refusals);
    coordinator.log.add(...commits());
    tell();
    await asked(7);
    coordinator.refusals.clear();
    coordinator.log.add(note(2));
    tell();
    await asked(8);
    expect(refusals).toHaveLength(49);
    expect(lines.filter((line) => line.includes('E_CLOCK'))).toHaveLength(1);
  });

  it('that the network loses are sent again', async () => {
    coordinator.refusals.set('cosign', [said('E_BUSY'), said('E_CONNECTION')]);
    await start();
    expect(sizes()).toEqual([2, 2, 2]);
  });
});
