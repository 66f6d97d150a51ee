import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SimFederation } from '@regulon/cli/sim';
import type { RunDocument } from '@regulon/coordinator/runs';
import { compiled, openRealFederation, restart, runToItsEnd } from '../support/real-federation.js';
import { tally } from '../support/tally.js';
import { simulatedDataPlan } from '../support/toy-plan.js';

const program = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
const sites = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];
/** four of five must open a sum: without these two it stays closed */
const lost = ['site-2', 'site-5'];
/** counts, mean and variance come first */
const TRAINING = 3;
/** the round is given up when all of them are over, half a minute after it opened */
const stages = { advertise: 10, share: 8, input: 10, consistency: 5, unmask: 5 };
const plan = simulatedDataPlan(sites, {
  name: 'reopen-test',
  training: { rounds: 2, optimizer: { name: 'adam' } },
});

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-reopen-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Run `regulon` as people do. @returns the data of its result @throws with its stderr when it fails */
async function regulon({ founded }: SimFederation, ...args: string[]): Promise<Record<string, unknown>> {
  const { folder, addresses } = founded;
  const env = {
    ...process.env,
    REGULON_SERVER: `http://${addresses.host}:${addresses.httpPort}`,
    REGULON_FEDERATION: folder.federation,
    REGULON_TOKEN_FILE: join(folder.coordinator, 'token'),
  };
  const command = ['--disable-warning=ExperimentalWarning', program, ...args, '--format', 'json'];
  const { stdout } = await promisify(execFile)(process.execPath, command, { env });
  return (JSON.parse(stdout) as { data: Record<string, unknown> }).data;
}

/** Three administrators sign one after the other; the last hands the document in. */
async function reopen(federation: SimFederation, run: string): Promise<void> {
  const document = join(root, 'reopen.json');
  for (const admin of [1, 3, 5]) {
    const key = join(federation.founded.folder.people, `administrator-admin-${admin}.key`);
    const last = admin === 5 ? ['--submit'] : [];
    await regulon(federation, 'run', 'reopen', run, '--document', document, '--key', key, '--yes', ...last);
  }
}

const isBurnt = ({ status, now }: RunDocument): boolean => status === 'PAUSED' && now?.stage === 'unmask';

const real = compiled && existsSync(program) ? it : it.skip;

describe('a round that too few sites open', () => {
  real(
    'is reopened by the administrators, over the network: the run ends with all sites, and the auditor accepts it (needs the compiled programs)',
    async () => {
      const { federation, plan: parsed } = await openRealFederation(root, plan, {
        coordinator: {
          rounds: { stageSeconds: stages },
        },
        site: (name) =>
          lost.includes(name) ? { allowTesting: true, testing: { crashAt: `answered#${TRAINING}` } } : {},
      });
      let reopened = false;
      const meanwhile = async (): Promise<void> => {
        const [run] = await federation.api.runs();
        if (reopened || !run || !isBurnt(await federation.api.run(run.run))) return;
        reopened = true;
        await reopen(federation, run.run);
        for (const site of lost) await restart(federation, site, undefined);
      };
      try {
        const document = await runToItsEnd(federation, parsed, meanwhile);
        expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
        expect(reopened).toBe(true);
        expect(document.rounds.map(({ survivors }) => survivors.length)).toEqual([5, 5, 5, 5, 5, 5]);
        const bundle = join(root, 'bundle.zip');
        await regulon(federation, 'audit', 'export', '--out', bundle);
        const policy = join(federation.founded.folder.federation, 'quorum.policy');
        const report = await regulon(federation, 'audit', 'verify', '--bundle', bundle, '--policy', policy);
        expect(report).toMatchObject({ status: 'pass' });
        tally('processes killed', 'site answered, round reopened', lost.length);
        expect(report['rules']).toContainEqual(expect.objectContaining({ id: 'S2', status: 'pass' }));
      } finally {
        await federation.stop();
      }
    },
    300_000,
  );
});
