import { describe, expect, it } from '@jest/globals';
import { randomBytes, u32 } from '../crypto/index.js';
import { verifyClose, type AnnouncedClose, type ShownAnswer } from './close-check.js';
import { signTagged } from './hashing.js';
import { makeCohort, runUntil } from './secagg.support.js';
import { closeTranscript, hashOfAnswer } from './transcript.js';

const { server, clients, cohort } = runUntil(makeCohort(8), 'r4', { r1: [80] });
const { ctx, h1, h2, h3, n, u2, manifest } = server;
const { t } = server.thresholds;
const view = { manifest, roster: cohort.roster, ctx, h2, n, u2, uncounted: new Set<number>() };
const refused = (words: string): unknown =>
  expect.objectContaining({ code: 'E_FORK', message: expect.stringContaining(words) as unknown });

/** What a site of the cohort answers, or would: signed by it. */
const shown = (id: number, digest = randomBytes(32)): ShownAnswer => {
  const seed = cohort.seeds.get(id) ?? new Uint8Array();
  return { id, digest, sig: signTagged(seed, ctx, 'R4', h3, u32(id), digest) };
};
const answers = u2.map((id) => {
  const entries = clients.get(id)?.unmask().entries ?? [];
  return shown(id, hashOfAnswer(ctx, h3, entries));
});
const digestOf = (id: number): Uint8Array | undefined => answers.find((a) => a.id === id)?.digest;
const roots = { aggRoot: randomBytes(32), modelHash: randomBytes(32) };

/** An announcement over some answers, with the T that follows from them. */
function announced(used: readonly ShownAnswer[], change: Partial<AnnouncedClose> = {}): AnnouncedClose {
  const digests = [...used].sort((a, b) => a.id - b.id).map(({ digest }) => digest);
  const T = closeTranscript(ctx, { h1, h2, h3, answers: digests, ...roots });
  return { h1, h3, answers: used, ...roots, T, ...change };
}
const check =
  (
    close: AnnouncedClose,
    own: { id: number; digest?: Uint8Array | undefined } = { id: 10, digest: digestOf(10) },
  ) =>
  (): void =>
    verifyClose(view, close, own);

describe('a close that is announced', () => {
  it('follows from t answers of U2, in any order', () => {
    expect([t, answers.length]).toEqual([6, 7]);
    const used = answers.slice(0, t);
    expect(check(announced(used))).not.toThrow();
    expect(check(announced(used.toReversed()))).not.toThrow();
    expect(server.transcript({ ...roots }).T).toEqual(announced(used).T);
  });

  it('counts t answers, each once', () => {
    expect(check(announced(answers.slice(0, t - 1)))).toThrow(refused(`with 5 answers, not with ${t}`));
    expect(check(announced(answers.slice(0, t + 1)))).toThrow(refused(`with 7 answers, not with ${t}`));
    const [first, ...others] = answers.slice(0, t - 1) as [ShownAnswer, ...ShownAnswer[]];
    expect(check(announced([first, first, ...others]))).toThrow(refused('counts twice'));
  });

  it('counts answers of members of U2 that signed them', () => {
    const some = answers.slice(0, t - 1);
    expect(check(announced([...some, shown(80)]))).toThrow(refused('site 80, which is not in U2'));
    const other = { ...shown(70), sig: shown(60).sig };
    expect(check(announced([...some, other]))).toThrow(refused('site 70 is not signed'));
  });

  it('has the own answer as it was given, if at all', () => {
    const used = answers.slice(0, t);
    expect(check(announced([shown(10), ...used.slice(1)]))).toThrow(refused('another answer than'));
    expect(check(announced(used), { id: 10 })).toThrow(refused('another answer than'));
    expect(check(announced(used), { id: 70, digest: digestOf(70) })).not.toThrow();
    expect(check(announced(used), { id: 70 })).not.toThrow();
  });

  it('is over the sets, the sum and the result that are announced', () => {
    const used = answers.slice(0, t);
    const other = randomBytes(32);
    for (const change of [{ h1: other }, { aggRoot: other }, { modelHash: other }, { T: other }])
      expect(check(announced(used, change))).toThrow(refused('does not follow'));
    expect(() =>
      verifyClose({ ...view, h2: other }, announced(used), { id: 10, digest: digestOf(10) }),
    ).toThrow(refused('does not follow'));
  });
});
