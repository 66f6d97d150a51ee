import { beforeAll, describe, expect, it } from '@jest/globals';
import { digestText, type VerifyReport, verifyBundle, writeBundle } from '../index.js';
import { left, SampleLog, sampleRun, signSampleRoster } from '../../transparency-samples/index.js';
import { utf8 } from '../../crypto/index.js';

const asOf = new Date(Date.UTC(2026, 10, 21));
const other = digestText(new Uint8Array(32).fill(9));
const row = (report: VerifyReport, id: string) => report.rules.find((rule) => rule.id === id);
let log: SampleLog;

beforeAll(() => {
  log = sampleRun({ gateMode: 'cosigned' });
});

/** The report of the log with these files in its bundle. */
function verified(
  files: Record<string, string | null> = {},
  judgedAsOf = asOf,
  maxAgeSeconds?: number,
): VerifyReport {
  const all = log.files();
  for (const [path, note] of Object.entries(files)) {
    if (note === null) all.delete(path);
    else all.set(path, utf8(note));
  }
  const age = maxAgeSeconds === undefined ? {} : { maxAgeSeconds };
  return verifyBundle({ bundle: writeBundle(all), policy: log.policy, asOf: judgedAsOf, ...age });
}
const gatePath = (): string =>
  [...log.files().keys()].find((path) => path.startsWith('site-checkpoints/')) ?? 'none';
const gateSize = (): number => Number(/\d+/.exec(gatePath())?.[0]);

describe('cosignatures of a log in gate mode cosigned', () => {
  it('pass with a quorum on the newest checkpoint and on the one that opened the gates', () => {
    const report = verified();
    expect(report.firstLine).toMatch(/^PASS {2}fed_sample: 68 entries; /);
    expect(['L2', 'L4'].map((id) => row(report, id)?.status)).toEqual(['pass', 'pass']);
    const four = ['site-1', 'site-2', 'site-3', 'site-5'];
    expect(verified({ checkpoint: log.cosigned(undefined, four) }).status).toBe('pass');
  });

  it('fail below the quorum, and for signatures of a stranger', () => {
    const few = ['site-1', 'site-2', 'site-3'];
    expect(verified({ checkpoint: log.cosigned(undefined, few) }).firstLine).toBe(
      'FAIL  L2: the newest checkpoint has 3 cosignatures of members, 4 are needed',
    );
    expect(row(verified({ checkpoint: log.note() }), 'L2')?.note).toMatch(/has 0 cosignatures/);
    const twice = log.cosigned(undefined, few).replace(/^(— \S+site-1 .*\n)/m, '$1$1');
    expect(row(verified({ checkpoint: twice }), 'L2')?.note).toMatch(/has 3 cosignatures/);
  });

  it('fail when the line of a member does not verify, whatever the others say', () => {
    const forged = log
      .cosigned()
      .replace(/(site-5 \S{20})(\S)/, (_, head: string, c: string) => head + (c === 'A' ? 'B' : 'A'));
    expect(row(verified({ checkpoint: forged }), 'L2')?.note).toMatch(/site-5 does not verify/);
  });

  it('fail for a state that this log never had', () => {
    const longer = sampleRun({ gateMode: 'cosigned' });
    const { body } = longer.federation.policyBody('site-1');
    longer.write(['steward', 'site-1'], 'policy.set', {}, body);
    expect(row(verified({ 'site-checkpoints/69.note': longer.cosigned() }), 'L2')?.note).toMatch(
      /size 69, is not a state of this log/,
    );
    expect(row(verified({ checkpoint: null }), 'L1')?.status).toBe('fail');
  });

  it('name the first masked input that left under a checkpoint without a quorum', () => {
    const first = log.entries.findIndex((bytes) =>
      new TextDecoder().decode(bytes).includes('round.contribution'),
    );
    const missing = verified({ [gatePath()]: null });
    expect(missing.firstLine).toMatch(
      new RegExp(
        `^FAIL {2}entry ${first} \\(round.contribution by site site-1\\), L2: the checkpoint of size \\d+`,
      ),
    );
    const few = verified({ [gatePath()]: log.cosigned(gateSize(), ['site-1']) });
    expect(row(few, 'L2')).toMatchObject({ status: 'fail', evidence: [first] });
    expect(row(verified({ [gatePath()]: log.cosigned(gateSize() - 1) }), 'L2')?.status).toBe('fail');
  });

  it('find a gate that names another root or a later log', () => {
    const gates: [object, RegExp][] = [
      [{ size: 5, root: other }, /size 5 that opened the gate has another root/],
      [{ size: 10 ** 6, root: other }, /a checkpoint of a later log/],
      [{ size: gateSize(), root: other }, /has another root/],
    ];
    for (const [gate, note] of gates) {
      const spoil = (kind: string, body: Record<string, unknown>, seen: number): Record<string, unknown> =>
        kind === 'round.contribution' && seen === 1 ? { ...body, gate } : body;
      const spoiled = sampleRun({ gateMode: 'cosigned', spoil });
      const report = verifyBundle({ bundle: spoiled.bundle(), policy: spoiled.policy, asOf });
      expect(row(report, 'L2')?.status).toBe('fail');
      expect(row(report, 'L2')?.note).toMatch(note);
    }
  });

  it('are judged for their age against the time of the judgement', () => {
    const late = new Date(Date.UTC(2026, 11, 1));
    expect(row(verified({}, late), 'L2')?.note).toMatch(/more than 604800 s before 2026-12-01/);
    expect(verified({}, late, 30 * 86_400).status).toBe('pass');
    expect(row(verified({}, new Date(Date.UTC(2026, 10, 20))), 'L4')?.note).toMatch(/, after 2026-11-20/);
  });

  it('of f colluders, whatever their times, make no honest log wrong and no old one fresh', () => {
    const mixed = (size: number, time: number, odd: number): string => {
      const text = log.cosigned(size, ['site-1', 'site-2', 'site-3', 'site-4'], time);
      return text + (log.cosigned(size, ['site-5'], odd).split('\n').at(-2) ?? '') + '\n';
    };
    const end = log.entries.length;
    const back = mixed(end, SampleLog.timeOf(end), SampleLog.timeOf(gateSize()));
    expect(verified({ checkpoint: back }).status).toBe('pass');
    const young = mixed(end, SampleLog.timeOf(end), Date.UTC(2026, 11, 1) / 1000);
    const late = verified({ checkpoint: young }, new Date(Date.UTC(2026, 11, 1)));
    expect(row(late, 'L2')?.note).toMatch(/more than 604800 s before 2026-12-01/);
  });

  it('never go back in time, and entries are not dated after them or long before', () => {
    const end = SampleLog.timeOf(log.entries.length);
    const back = verified({ [gatePath()]: log.cosigned(gateSize(), undefined, end + 1) });
    expect(row(back, 'L4')?.note).toMatch(/^site-1 cosigned size 68 before it cosigned a smaller one/);
    const early = SampleLog.timeOf(gateSize()) - 700;
    expect(row(verified({ [gatePath()]: log.cosigned(gateSize(), undefined, early) }), 'L4')?.note).toMatch(
      /dated \d+ s after its first cosignature/,
    );
    const slow = log.cosigned(undefined, undefined, end + 2 * 86_400);
    const report = verified({ checkpoint: slow }, new Date(Date.UTC(2026, 10, 23)));
    expect(row(report, 'L4')?.note).toMatch(/dated more than 24 h before its first cosignature/);
    expect(row(report, 'L4')?.evidence[0]).toBe(gateSize());
  });

  it('of the members before a change are wanted on the first checkpoint over it, where there is one', () => {
    const changed = sampleRun({ gateMode: 'cosigned' });
    const index = changed.change(signSampleRoster(left(changed.federation.roster, 5), [1, 2, 3]));
    const files = changed.files();
    files.set('checkpoint', utf8(changed.note()));
    files.delete(`site-checkpoints/${index + 1}.note`);
    const report = verifyBundle({ bundle: writeBundle(files), policy: changed.policy, asOf });
    expect(row(report, 'L2')).toMatchObject({
      ...{ status: 'fail', evidence: [] },
      note: 'the newest checkpoint has 0 cosignatures of members, 3 are needed',
    });
  });
});
