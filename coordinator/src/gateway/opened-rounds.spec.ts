import { describe, expect, it } from '@jest/globals';
import { rootOfBytes } from '@regulon/shared/crypto';
import { encodeManifest, encodeMessage, vectorLength } from '@regulon/shared/secagg';
import { makeCohort, runUntil } from '../../../shared/src/secagg/secagg.support.js';
import type { AttemptKey } from '../storage/index.js';
import { type ClosedRounds, OpenedRounds } from './opened-rounds.js';

const cohort = makeCohort(5);
const { manifest, coordinatorSignature: signature, roster } = cohort;
const { clients, uploads, server } = runUntil(cohort, 'r4', { upload: [30] });
const { runId } = manifest;

/** What the sites of the attempt sent, by kind and site. */
const sent: Readonly<Record<string, { site: number; bytes: Uint8Array }[]>> = {
  advertise: list((id) => encodeMessage('advertise', clientOf(id).advertise())),
  shares: list((id) => encodeMessage('shares', clientOf(id).shareKeys())),
  commit: list((id) => {
    const root = rootOfBytes(uploads.get(id) ?? new Uint8Array());
    return encodeMessage('commit', clientOf(id).commit(root, vectorLength(manifest)));
  }, server.u3),
  consistency: list((id) => encodeMessage('consistency', clientOf(id).consistency())),
  answer: list((id) => encodeMessage('answer', clientOf(id).unmask())),
};

function clientOf(id: number) {
  const client = clients.get(id);
  if (!client) throw new TypeError(`no site ${id}`);
  return client;
}

function list(messageOf: (id: number) => Uint8Array, ids: readonly number[] = [...clients.keys()]) {
  return ids.map((site) => ({ site, bytes: messageOf(site) }));
}

/** A hundred rounds of one run, all closed like this attempt; counts how often one is read in full. */
class HundredRounds implements ClosedRounds {
  read: number[] = [];

  attempt({ round, attempt }: AttemptKey): ReturnType<ClosedRounds['attempt']> {
    if (round > 99) return undefined;
    const end = { transcript: null, end_signature: null, reason: null, opened_ms: 1 };
    const at = { run_id: runId, round, attempt, outcome: 'closed' as const };
    return { ...at, ...end, manifest: encodeManifest(manifest), signature };
  }

  messages({ round }: AttemptKey, kind: string) {
    if (kind === 'consistency') this.read.push(round);
    return sent[kind] ?? [];
  }

  countClosed(): number {
    return 100;
  }
}

const at = (round: number): AttemptKey => ({ runId, round, attempt: 1 });
const opening = () => {
  const rounds = new HundredRounds();
  const clock = { nowMs: 0 };
  return { rounds, clock, opened: new OpenedRounds(rounds, roster, () => clock.nowMs) };
};

describe('what closed rounds opened', () => {
  it('is the seed of every survivor, the mask key of who was lost, and the answers that gave them', () => {
    const { opened } = opening();
    const { revealed, answers } = opened.of(10, at(99));
    expect(revealed.map(({ site, maskSecret }) => [site, maskSecret])).toEqual([
      ...server.u3.map((id) => [id, false]),
      [30, true],
    ]);
    expect(answers.map(({ site }) => site)).toEqual(server.unmaskKeys().responders);
  });

  it('is worked out once for all sites that ask for the last rounds', () => {
    const { rounds, opened } = opening();
    for (const round of [98, 99]) for (const site of [10, 20, 30, 40, 50]) opened.of(site, at(round));
    expect(rounds.read).toEqual([98, 99]);
  });

  it('stays for who asks again and again, whatever another site asks for between', () => {
    const { rounds, opened } = opening();
    for (let round = 0; round < 12; round++) {
      opened.of(10, at(99));
      opened.of(20, at(round));
    }
    expect(rounds.read.filter((round) => round === 99)).toHaveLength(1);
  });

  it('is not worked out for a site that asks for old rounds in turn, until time has passed', () => {
    const { rounds, clock, opened } = opening();
    const ask = (site: number, from: number, count: number): void => {
      for (let round = from; round < from + count; round++) opened.of(site, at(round));
    };
    ask(10, 0, 15);
    expect(() => ask(10, 15, 1)).toThrow(
      expect.objectContaining({ code: 'E_BUSY', message: expect.stringContaining('earlier rounds') }),
    );
    expect(rounds.read).toHaveLength(15);
    ask(20, 15, 1);
    ask(10, 99, 1);
    ask(10, 99, 1);
    clock.nowMs += 2_000;
    ask(10, 20, 2);
    expect(() => ask(10, 30, 1)).toThrow(expect.objectContaining({ code: 'E_BUSY' }));
  });

  it('is nothing for a round that has not closed', () => {
    expect(() => opening().opened.of(10, at(100))).toThrow(expect.objectContaining({ code: 'E_STATE' }));
  });
});
