import { describe, expect, it } from '@jest/globals';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { RunProgram } from '@regulon/shared/program';
import {
  abortTranscript,
  ctxOf,
  encodeManifest,
  type Manifest,
  signManifest,
  signTranscript,
} from '@regulon/shared/secagg';
import { digestText } from '@regulon/shared/transparency';
import { seedOf } from '../../policy/site.support.js';
import { agreement, federation, run } from '../audits/closed-round.support.js';
import { missedManifest } from './missed-manifest.js';
import type { RunSession } from './run-session.js';

const known = sha256(utf8('the close of the round before'));
const program = new RunProgram(agreement.contract);
const [round] = program.schedule;
if (!round) throw new TypeError('no round');
const at = (attempt: number, prevTranscriptHash: Uint8Array): Manifest =>
  program.manifest(round, { attempt, prevTranscriptHash, deadlines: [1000, 2000, 3000, 4000, 5000] });
const endOf = (m: Manifest): Uint8Array => abortTranscript(ctxOf(m), 'E_COHORT', new Uint8Array(32));

/** Entries of the log about an attempt that was aborted. */
const aborted = (m: Manifest): object[] => {
  const [T, of] = [endOf(m), { round: m.round, attempt: m.attempt }];
  const sig = signTranscript(seedOf('coordinator'), ctxOf(m), 'ABORT', T);
  const deadlines = m.deadlines.map((ms) => new Date(ms).toISOString());
  const body = { context: digestText(ctxOf(m)), transcript: digestText(T) };
  return [
    { kind: 'round.open', ...of, body: { previousTranscript: digestText(m.prevTranscriptHash), deadlines } },
    {
      ...{ kind: 'round.abort', ...of, actor: { type: 'coordinator' } },
      body: { ...body, abortSignature: Buffer.from(sig).toString('base64') },
    },
  ];
};

/** What a site that knows the round before takes as the manifest of the closed attempt. */
const taken = (shown: Manifest, attempt = shown.attempt, logged: object[] = []): Promise<Manifest> => {
  const signature = signManifest(seedOf('coordinator'), shown);
  const item = { manifest: encodeManifest(shown), signature, attempt };
  const log = { roundEntries: async () => logged };
  const site = { federation, log, link: { fetch: async () => [item] } };
  const session = { run, runId: shown.runId, program, site, lastTranscript: known };
  return missedManifest(session as unknown as RunSession, round, attempt);
};
const fork = expect.objectContaining({ code: 'E_FORK' });

describe('the manifest of a round that a site missed', () => {
  const first = at(0, known);

  it('continues the round before, and the aborted attempts that the log has of this one', async () => {
    expect((await taken(first)).attempt).toBe(0);
    expect((await taken(at(1, endOf(first)), 1, aborted(first))).attempt).toBe(1);
  });

  it('is refused when it continues another history, or hides the attempts before it', async () => {
    await expect(taken(at(0, sha256()))).rejects.toThrow(fork);
    await expect(taken(at(1, known), 1, aborted(first))).rejects.toThrow(fork);
    await expect(taken(at(1, endOf(first)), 1)).rejects.toThrow(fork);
  });

  it('is refused when it is of another attempt, or not what the plan implies', async () => {
    await expect(taken(first, 1)).rejects.toThrow(fork);
    await expect(taken({ ...first, nMin: 3 })).rejects.toThrow(fork);
  });
});
