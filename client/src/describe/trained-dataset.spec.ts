import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { parseEntry } from '@regulon/shared/transparency';
import { type SampleLog, sampleRun } from '@regulon/shared/transparency-samples';
import { stringify } from 'yaml';
import { Outbox } from '../state/index.js';
import { opened, run } from '../state/state.support.js';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { trainedCommitment } from './trained-dataset.js';

const digest = (byte: string): string => `sha256:${byte.repeat(32)}`;
const [OWN, OTHER] = [digest('0a'), digest('0b')];

let config: string;
let stateFolder: string;
beforeEach(() => {
  const folder = temporaryFolder('trained');
  [config, stateFolder] = [join(folder, 'daemon.yaml'), join(folder, 'state')];
  const dataset = {
    name: 'brca',
    kind: 'expression',
    scale: 'counts',
    unit: 'patient',
    counts: 'counts.tsv',
  };
  const more = { tls: { cert: 'c', key: 'k', ca: 'a' }, policyFile: 'policy.yaml', dataset };
  writeFileSync(
    config,
    stringify({
      ...{ schema: 'regulon.daemon/1', site: 'site-a', stateFolder: 'state', federation: 'fed' },
      ...{ rosterHash: 'ab'.repeat(32), coordinator: { host: 'localhost', controlPort: 1 }, ...more },
    }),
  );
});

/** The site's own chain holds a contribution to each round of a run, under a commitment. */
function contributed(commitments: readonly string[], role: 'contributor' | 'silent' = 'contributor'): void {
  const log = sampleRun({});
  const outbox = new Outbox(opened(stateFolder), ({ run: name, round, body }) => {
    const place = { run: name!, round: round!, attempt: 0 };
    const index = log.write(['site', 'site-1'], 'round.contribution', place, body as never);
    return { seq: round!, bytes: log.entries[index]!, hash: new Uint8Array(32) };
  });
  const body = bodyOf(log);
  for (const [round, commitment] of commitments.entries())
    outbox.append('round.contribution', { run, round, attempt: 0 }, { ...body, role, commitment });
}

function bodyOf(log: SampleLog) {
  const entries = log.entries.map((bytes) => parseEntry(bytes));
  return entries.find((entry) => entry.kind === 'round.contribution')!.body;
}

const committed = (commitment: string): Promise<string> =>
  trainedCommitment(config, run, () => Promise.resolve({ dataset: { commitment } }));
const refused = (why: RegExp): object =>
  expect.objectContaining({ code: 'E_RELEASE', message: expect.stringMatching(why) });

describe('the data that a membership test takes for members', () => {
  it('are those that the site trained with, and no others', async () => {
    contributed([OWN, OWN]);
    expect(await committed(OWN)).toBe(OWN);
    await expect(committed(OTHER)).rejects.toThrow(refused(/not the one that site-a trained with/));
  });

  it('are none when the site was silent or has no part in the run', async () => {
    await expect(committed(OWN)).rejects.toThrow(refused(/contributed nothing/));
    contributed([OWN], 'silent');
    await expect(committed(OWN)).rejects.toThrow(refused(/contributed nothing/));
  });

  it('are not told when the site trained with several datasets', async () => {
    contributed([OWN, OTHER]);
    await expect(committed(OWN)).rejects.toThrow(refused(/several commitments/));
  });
});
