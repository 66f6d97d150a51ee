import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoordinatorApi } from '@regulon/cli/api-client';
import { type RunningApi, startApi } from '@regulon/coordinator/api';
import { apiContextOf, type Core, openCore } from '@regulon/coordinator/app';
import { InlineBulkChannel } from '@regulon/coordinator/bulk';
import { parseConfig, type Settings } from '@regulon/coordinator/config';
import { concatBytes, utf8 } from '@regulon/shared/crypto';
import { registry } from '@regulon/shared/errors';
import { signedRosterSchema } from '@regulon/shared/plan';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import type { Dice } from '../../security/support/dice.js';
import { changeJson } from '../grammar/json.js';
import { mustHold, type Target } from '../harness/target.js';
import { examplePlan } from './example-plan.js';

const TOKEN = 'token';
const RUN = `run_${'07'.repeat(16)}`;

function settingsIn(folder: string, federation: SampleFederation): Settings {
  const files = {
    ...{ schema: 'regulon.coordinator/1', federation: folder, stateFolder: join(folder, 'state') },
    ...{ keys: { statement: 'a', log: 'b' }, tls: { cert: 'c', key: 'd', ca: 'e' } },
    ...{ bearerTokenFile: 'f', logLevel: 'silent' },
  };
  const { genesis, genesisEntry, roster, statementSeed, logSeed } = federation;
  const [signed = new Uint8Array(0)] = genesis.attachments;
  return {
    config: parseConfig(utf8(JSON.stringify(files)), folder),
    ...{ roster, genesis: genesisEntry, quorumPolicy: genesis.quorumPolicy, bearerToken: TOKEN },
    rosterChanges: [],
    signedRoster: signedRosterSchema.parse(JSON.parse(new TextDecoder().decode(signed))),
    keys: { statement: statementSeed, log: logSeed },
    tls: { cert: '', key: '', ca: '' },
  };
}

/** A coordinator without sites behind its real REST server. */
class Coordinator {
  private constructor(
    private readonly folder: string,
    private readonly core: Core,
    private readonly api: RunningApi,
    /** what the server reported as defects */
    readonly defects: unknown[],
  ) {}

  static async start(): Promise<Coordinator> {
    const folder = mkdtempSync(join(tmpdir(), 'regulon-fuzz-rest-'));
    const core = await openCore(settingsIn(folder, new SampleFederation()), {
      newBulk: (options) => new InlineBulkChannel(options),
    });
    const settleLog = (): Promise<void> => Promise.resolve();
    const context = { ...apiContextOf(core, TOKEN, () => null), settleLog };
    const defects: unknown[] = [];
    return new Coordinator(folder, core, await startApi(context, 0, (e) => void defects.push(e)), defects);
  }

  async post(path: string, body: Uint8Array): Promise<{ status: number; text: string }> {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const url = `http://127.0.0.1:${this.api.port}${path}`;
    const response = await fetch(url, { method: 'POST', headers, body: Uint8Array.from(body) });
    return { status: response.status, text: await response.text() };
  }

  async close(): Promise<void> {
    await this.api.close();
    await this.core.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** The first byte chooses one of them, the rest is the body. */
const ROUTES = [
  'runs',
  `runs/${RUN}/approvals`,
  'log/entries',
  'log/attachments',
  `runs/${RUN}/stop`,
] as const;

const withChoice = (choice: number, body: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(choice), body);
/** Changes the body, and sometimes what the first byte chooses. */
const changeBody = (input: Uint8Array, dice: Dice): Uint8Array =>
  withChoice(dice.chance(4) ? dice.below(8) : (input[0] ?? 0), changeJson(input.subarray(1), dice));

const errorBody = (text: string): string => {
  const { error } = JSON.parse(text) as { error: { code: string } };
  return error.code;
};

/** Bodies of the REST API, over HTTP: what is refused is refused by name, and nothing is a defect. */
function bodies(): Target {
  let coordinator: Promise<Coordinator> | undefined;
  const { genesisEntry, genesis } = new SampleFederation();
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const attachment = { bytes: base64(utf8('{}')), mediaType: 'application/json' };
  const examples = [
    { entry: base64(genesisEntry), plan: examplePlan(), attachments: [base64(utf8('{}'))] },
    { entries: [base64(genesis.payload)] },
    { entries: [base64(genesisEntry), base64(utf8('x'))], attachments: [] },
    { attachments: [attachment] },
    {},
  ];
  return {
    name: 'rest-body',
    examples: () => examples.map((body, i) => withChoice(i, utf8(JSON.stringify(body)))),
    async run(input) {
      const server = await (coordinator ??= Coordinator.start());
      const { status, text } = await server.post(`/api/v1/${ROUTES[(input[0] ?? 0) % 5]}`, input.subarray(1));
      mustHold(server.defects.splice(0).length === 0 && status < 500, `a defect of the server (${status})`);
      if (status >= 400) mustHold(Object.hasOwn(registry, errorBody(text)), 'an error without a code');
    },
    change: changeBody,
    inputs: 600,
    close: async () => (await coordinator)?.close(),
  };
}

const runSummary = {
  ...{ run: RUN, name: 'toy', status: 'RUNNING', since: 1.7e12, created: 1.7e12, sites: 5 },
  ...{ rounds: { closed: 1, of: 3 }, reason: null },
};
const beat = { id: 3, at: 1.7e12, type: 'beat', site: 1, round: 2, step: 'training' };

/** A server that answers whatever it is told to. */
async function answering(current: () => Uint8Array): Promise<{ server: Server; api: CoordinatorApi }> {
  const statuses = [200, 200, 200, 400, 404, 500] as const;
  const server = createServer((request, response) => {
    const [choice = 0, ...body] = current();
    request.resume();
    response.writeHead(statuses[(choice >> 4) % 6] ?? 200, { 'content-type': 'application/json' });
    response.end(Uint8Array.from(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, api: new CoordinatorApi({ server: `http://127.0.0.1:${port}`, token: TOKEN }) };
}

/** Answers of a coordinator as the command line reads them; a time that is accepted can be shown. */
function replies(): Target {
  let current = new Uint8Array(0);
  let running: ReturnType<typeof answering> | undefined;
  const calls: readonly ((api: CoordinatorApi) => Promise<unknown>)[] = [
    async (api) => (await api.runs()).map(({ since }) => new Date(since).toISOString()),
    (api) => api.run(RUN),
    (api) => api.actorHead('steward', 'site-1'),
    async (api) => {
      for await (const { event } of api.events(RUN, '0')) new Date(event.at).toISOString();
    },
    (api) => api.appendEntries({ entries: [] }),
    (api) => api.modelSpecification('sha256:00'),
  ];
  const events = `id: 3\nevent: beat\ndata: ${JSON.stringify(beat)}\n\n: alive\n\nid: 4\ndata: {"type":"new"}\n\n`;
  const error = { error: { code: 'E_BUSY', message: 'later', hint: 'wait', retryable: true, details: {} } };
  const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value));
  return {
    name: 'rest-reply',
    examples: () => [
      withChoice(0, json({ runs: [runSummary] })),
      withChoice(2, json({ seq: 1, hash: '00'.repeat(32), at: '2026-01-01T00:00:00.000Z' })),
      withChoice(3, utf8(events)),
      withChoice(4, json({ indexes: [1, 2] })),
      withChoice(0x30, json(error)),
    ],
    async run(input) {
      current = Uint8Array.from(input);
      const { api } = await (running ??= answering(() => current));
      await calls[((input[0] ?? 0) & 15) % calls.length]?.(api);
    },
    change: changeBody,
    inputs: 600,
    words: ['data: ', 'id: ', '\n\n', '\r\n', ': ', 'event: end', '1e300'],
    async close() {
      const { server } = (await running) ?? {};
      server?.closeAllConnections();
      server?.close();
    },
  };
}

/** The REST API, from both ends. */
export const restTargets = (): Target[] => [bodies(), replies()];
