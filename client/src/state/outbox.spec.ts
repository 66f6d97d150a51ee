import { describe, expect, it } from '@jest/globals';
import { hex, sha256, utf8 } from '@regulon/shared/crypto';
import { Outbox, type SealDraft } from './outbox.js';
import { opened, run } from './state.support.js';

const refused = (code: string): object => expect.objectContaining({ code });

describe('the outbox', () => {
  const seal: SealDraft = ({ kind, previous }) => {
    const seq = previous ? (previous[0] ?? 0) + 1 : 0;
    const bytes = Uint8Array.of(seq, ...utf8(kind));
    return { seq, bytes, hash: sha256(bytes, previous ?? new Uint8Array()) };
  };
  const place = { run, round: 1, attempt: 0 };

  it('links each entry to the one before, and adds one of a kind and place once', () => {
    const outbox = new Outbox(opened(), seal);
    const first = outbox.append('config.start', {}, {});
    const second = outbox.append('round.contribution', place, {});
    expect(outbox.append('round.contribution', place, { other: true })).toMatchObject({ seq: second.seq });
    expect([first.seq, second.seq, outbox.append('config.start', {}, {}).seq]).toEqual([0, 1, 2]);
    expect(second.hash).toEqual(sha256(second.bytes, first.bytes));
  });

  it('leaves no number behind when the transaction around it fails', () => {
    const state = opened();
    const outbox = new Outbox(state, seal);
    expect(() =>
      state.transact('test', () => {
        outbox.append('round.contribution', place, {});
        throw new Error('crash');
      }),
    ).toThrow('crash');
    expect(outbox.append('config.start', {}, {}).seq).toBe(0);
  });

  it('signs anew, under their numbers and linked, what waits since a key was exchanged, and nothing else', async () => {
    const state = opened();
    const signing =
      (key: number): SealDraft =>
      ({ kind, body, previous }) => {
        const before = previous && (JSON.parse(Buffer.from(previous).toString()) as { seq: number });
        const seq = before ? before.seq + 1 : 0;
        const text = { seq, key, kind, body, previous: previous ? hex(sha256(previous)) : null };
        const bytes = utf8(JSON.stringify(text));
        return { seq, bytes, hash: sha256(bytes) };
      };
    const isCurrent = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('"key":2');
    const old = new Outbox(state, signing(1));
    ['x', 'y'].forEach((kind) => old.append(kind, {}, { kind }));
    old.append('round.contribution', place, { n: 7 });
    old.cover(1, new Map([[0, 0]]));
    const outbox = new Outbox(state, signing(2));
    outbox.append('z', {}, {});
    expect(outbox.hasStale(isCurrent)).toBe(true);
    expect(outbox.reseal(isCurrent)).toBe(3);
    const texts = [0, 1, 2, 3].map(
      (seq) => JSON.parse(Buffer.from(outbox.at(seq)!.bytes).toString()) as object,
    );
    expect(texts.map((text) => (text as { key: number }).key)).toEqual([1, 2, 2, 2]);
    expect(texts).toMatchObject(
      [0, 1, 2, 3].map((seq) => ({
        ...{ seq, previous: seq === 0 ? null : hex(sha256(outbox.at(seq - 1)!.bytes)) },
      })),
    );
    expect(outbox.find('round.contribution', place)).toMatchObject({ seq: 2 });
    expect(texts[2]).toMatchObject({ body: { n: 7 } });
    expect([outbox.hasStale(isCurrent), outbox.reseal(isCurrent)]).toEqual([false, 0]);
  });

  it('sends in order until each entry has its index, also over a lost connection', async () => {
    const outbox = new Outbox(opened(), seal);
    ['x', 'y', 'z'].forEach((kind) => outbox.append(kind, {}, {}));
    const sent: number[] = [];
    const send = async (bytes: Uint8Array): Promise<number> => {
      if (sent.length === 2) {
        sent.push(-1);
        throw new Error('connection lost');
      }
      sent.push(bytes[0] ?? -1);
      return 40 + (bytes[0] ?? 0);
    };
    await expect(outbox.drain(send)).rejects.toThrow('connection lost');
    await Promise.all([outbox.drain(send), outbox.drain(send)]);
    expect(sent).toEqual([0, 1, -1, 2]);
    expect(outbox.unsent()).toEqual([]);
  });

  it('believes a place in the log only when the log shows it', async () => {
    const state = opened();
    const outbox = new Outbox(state, seal);
    const send = async (bytes: Uint8Array): Promise<number> => 40 + (bytes[0] ?? 0);
    ['x', 'y', 'z'].forEach((kind) => outbox.append(kind, {}, {}));
    await outbox.drain(send);
    expect([0, 1, 2].map((seq) => outbox.at(seq)?.index)).toEqual([null, null, null]);
    outbox.cover(41, new Map([[0, 40]]));
    expect([outbox.at(0)?.index, outbox.nextInLog()]).toEqual([40, 1]);
    // shown elsewhere, or not at all up to there
    expect(() => outbox.cover(42, new Map([[1, 39]]))).toThrow(refused('E_FORK'));
    expect(() => outbox.cover(42, new Map())).toThrow(refused('E_FORK'));
    expect(() =>
      outbox.cover(
        43,
        new Map([
          [1, 41],
          [2, 42],
        ]),
      ),
    ).not.toThrow();
  });

  it('does not take back a place that the log has shown', async () => {
    const outbox = new Outbox(opened(), seal);
    outbox.append('x', {}, {});
    const late = outbox.drain(async () => {
      outbox.cover(8, new Map([[0, 7]]));
      return 6;
    });
    await expect(late).rejects.toThrow(refused('E_FORK'));
    expect(outbox.at(0)?.index).toBe(7);
  });

  it('knows when the log holds an entry of this site that it never wrote', () => {
    const outbox = new Outbox(opened(), seal);
    const { hash } = outbox.append('x', {}, {});
    expect(() => outbox.verifyOwn(0, hash)).not.toThrow();
    expect(() => outbox.verifyOwn(0, sha256())).toThrow(refused('E_QUARANTINE'));
    expect(() => outbox.verifyOwn(1, hash)).toThrow(refused('E_QUARANTINE'));
  });
});
