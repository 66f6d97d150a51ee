import { describe, expect, it } from '@jest/globals';
import { RunProgram } from '@regulon/shared/program';
import {
  abortTranscript,
  ctxOf,
  encodeManifest,
  type Manifest,
  signTranscript,
} from '@regulon/shared/secagg';
import { digestText } from '@regulon/shared/transparency';
import { agreement, run } from '../audits/closed-round.support.js';
import { seedOf } from '../../policy/site.support.js';
import type { RunSession } from '../run/run-session.js';
import { missedEnds } from './missed-ends.js';

const zeros = new Uint8Array(32);
const program = new RunProgram(agreement.contract);
const [round] = program.schedule;
if (!round) throw new TypeError('no round');
const at = (attempt: number, prevTranscriptHash: Uint8Array = zeros): Manifest =>
  program.manifest(round, { attempt, prevTranscriptHash, deadlines: [1000, 2000, 3000, 4000, 5000] });
const transcriptOf = (manifest: Manifest): Uint8Array => abortTranscript(ctxOf(manifest), 'E_COHORT', zeros);

const opening = (m: Manifest): object => ({
  ...{ kind: 'round.open', round: m.round, attempt: m.attempt },
  body: {
    previousTranscript: digestText(m.prevTranscriptHash),
    deadlines: m.deadlines.map((ms) => new Date(ms).toISOString()),
  },
});
const abort = (m: Manifest, context: Uint8Array = ctxOf(m)): object => {
  const T = transcriptOf(m);
  const sig = signTranscript(seedOf('coordinator'), ctxOf(m), 'ABORT', T);
  return {
    ...{ kind: 'round.abort', round: m.round, attempt: m.attempt, actor: { type: 'coordinator' } },
    body: {
      ...{ context: digestText(context), transcript: digestText(T) },
      abortSignature: Buffer.from(sig).toString('base64'),
    },
  };
};
/** What the log has, as the history of this attempt. */
const ends = (attempt: number, ...entries: object[]) => {
  const session = { run, program, site: { log: { roundEntries: async () => entries } } };
  return missedEnds(session as unknown as RunSession, round, attempt);
};

describe('the earlier attempts of a round in the log', () => {
  const [first, second] = [at(0), at(1, transcriptOf(at(0)))];

  it('each give their signed end, in order; the new one is none of them', async () => {
    const all = [opening(second), abort(second), opening(first), abort(first), opening(at(2))];
    const found = await ends(2, ...all);
    expect(found.map(({ T }) => T)).toEqual([transcriptOf(first), transcriptOf(second)]);
    expect(found.map(({ manifest }) => encodeManifest(manifest))).toEqual(
      [first, second].map(encodeManifest),
    );
    expect(await ends(0, opening(first))).toEqual([]);
  });

  it('are refused when one has no end, or that of another manifest', async () => {
    const fork: object = expect.objectContaining({ code: 'E_FORK' });
    await expect(ends(2, opening(first), abort(first), opening(second))).rejects.toThrow(fork);
    await expect(ends(1, opening(first), abort(first, ctxOf(second)))).rejects.toThrow(fork);
  });

  it('count as offered last when nobody was bound to the first offer', async () => {
    const again = program.manifest(round, { ...first, deadlines: [1001, 2000, 3000, 4000, 5000] });
    const [end] = await ends(1, opening(first), opening(again), abort(again));
    expect(end?.T).toEqual(transcriptOf(again));
  });
});
