import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hex, sha256, signEd25519, utf8 } from '@regulon/shared/crypto';
import { runName } from '@regulon/shared/program';
import type { SiteId } from '@regulon/shared/secagg';
import { type BodyOf, digestText, parseEntry, reopenSigningBytes } from '@regulon/shared/transparency';
import { seedOf, signedEntry } from '../../../client/src/policy/site.support.js';
import { DaemonSite } from '../support/daemon-site.js';
import { coordinatorOf, manifestOf, OWN, privateRun } from '../support/private-run.js';
import type { LyingCoordinator } from '../support/lying-coordinator.js';
import { refused } from '../support/refused.js';
import { minus } from '../support/ring-words.js';
import { Spoils } from '../support/spoils.js';

type Body = BodyOf<'round.reopen'>;

const agreement = privateRun();
const run = runName(agreement.contract.runId);
const all = [1, 2, 3, 4, 5];
const smaller = [1, 2, 3, 4];
const never = new AbortController().signal;

let daemon: DaemonSite;
beforeEach(() => void (daemon = new DaemonSite()));
afterEach(() => daemon.stop());

/** An attempt is answered and comes to no sum. @returns T of its abort */
async function burn(attempt = 0): Promise<Uint8Array> {
  const coordinator = coordinatorOf(agreement, attempt);
  await daemon.released(await daemon.contributed(agreement, coordinator), coordinator, all);
  daemon.attempts.wipe(run, 0, attempt);
  return daemon.ended(manifestOf(agreement, attempt));
}

/** The log shows what some administrators signed for an attempt; two of three are a quorum. */
function reopen(attempt = 1, more: Partial<Body> = {}, admins = [1, 2]): void {
  const { modelHash, planHash } = manifestOf(agreement);
  const answered = daemon.answered.find(run, 0);
  const place = { run, round: 0, attempt };
  const terms: Body = {
    ...{ burnt: answered?.attempt ?? 0, consistency: digestText(answered?.h3 ?? sha256()) },
    ...{ modelHash: digestText(modelHash), planHash: digestText(planHash) },
    ...{ contributors: all, proof: null, signatures: [], ...more },
  };
  const digest = reopenSigningBytes(place, terms);
  const signatures = admins.map((admin) => ({
    admin,
    signature: Buffer.from(signEd25519(seedOf('admin', admin), digest)).toString('base64'),
  }));
  const body = { ...terms, signatures };
  daemon.logged.push(parseEntry(signedEntry('round.reopen', 'coordinator', 0, body, place)));
}

const sentSince = (from: number): string[] => daemon.sent.slice(from).map(({ type }) => type);
const charges = (): unknown[] => daemon.state.db.prepare('SELECT attempt FROM ledger').all();

/** R0 to R2 of the attempt that the daemon has joined, with everybody. */
async function contributedAgain(coordinator: LyingCoordinator): Promise<ReturnType<DaemonSite['restore']>> {
  const attempt = daemon.restore(agreement, coordinator);
  daemon.show('advertised', coordinator.keys(all));
  await attempt?.share(never);
  const others = all.filter((id) => id !== OWN);
  coordinator.deal(others, all);
  daemon.show('deliveries', coordinator.deliveries(OWN, all));
  await attempt?.contribute(never);
  coordinator.upload(others, all);
  return attempt;
}

describe('K7: Reopen of a burnt round', () => {
  it('K7 without a Reopen a burnt round stays burnt: E_REPLAY, and E_STATE for another answer', async () => {
    const end = await burn();
    const before = daemon.sent.length;
    expect(await daemon.announced(agreement, manifestOf(agreement, 1, end))).toBe('E_REPLAY');
    expect(sentSince(before)).toEqual(['refuse']);
    const row = daemon.answeredRow(agreement, all);
    expect(() => daemon.answered.insert({ ...row, attempt: 1 }, false)).toThrow(refused('E_STATE'));
    expect(() => daemon.answered.insert({ ...row, h3: sha256(utf8('x')) }, false)).toThrow(
      refused('E_STATE'),
    );
  });

  it('K7 with the quorum of the administrators it is answered once more, charged again, and never a third time', async () => {
    const end = await burn();
    reopen();
    const manifest = manifestOf(agreement, 1, end);
    expect(await daemon.announced(agreement, manifest)).toMatchObject({ id: OWN });
    const coordinator = coordinatorOf(agreement, 1, end);
    const attempt = await contributedAgain(coordinator);
    if (!attempt) throw new TypeError('not joined');
    await daemon.released(attempt, coordinator, all);
    expect(daemon.answered.find(run, 0)).toMatchObject({ attempt: 1, reopened: true });
    expect(charges()).toEqual([{ attempt: 0 }, { attempt: 1 }]);
    daemon.attempts.wipe(run, 0, 1);
    const T = daemon.ended(manifest);
    reopen(2);
    expect(await daemon.announced(agreement, manifestOf(agreement, 2, T))).toBe('E_REPLAY');
  });

  it.each<[string, Partial<Body>, number[], string]>([
    ['without one contributor', { contributors: smaller }, [1, 2, 3], 'E_U3'],
    ['with one administrator', {}, [1], 'E_ROSTER'],
    ['with one administrator twice', {}, [1, 1], 'E_ROSTER'],
    ['for another model', { modelHash: digestText(sha256(utf8('m'))) }, [1, 2], 'E_POLICY'],
    ['for another plan', { planHash: digestText(sha256(utf8('p'))) }, [1, 2], 'E_POLICY'],
    ['of another attempt', { burnt: 3 }, [1, 2], 'E_POLICY'],
    ['of other survivors', { consistency: digestText(sha256(utf8('h'))) }, [1, 2], 'E_POLICY'],
    ['against a dealer without proof', { contributors: smaller, proof: 'AAAA' }, [1, 2], 'E_MESSAGE'],
  ])('K7 a Reopen %s is refused before any key leaves', async (_, more, admins, code) => {
    const end = await burn();
    const before = daemon.sent.length;
    if (admins[0] === admins[1]) expect(() => reopen(1, more, admins)).toThrow(refused('E_LOG_ENTRY'));
    else {
      reopen(1, more, admins);
      expect(await daemon.announced(agreement, manifestOf(agreement, 1, end))).toBe(code);
      expect(sentSince(before)).toEqual(['refuse']);
    }
  });

  it('K7 a Reopen for another attempt lifts nothing', async () => {
    const end = await burn();
    reopen(2);
    expect(await daemon.announced(agreement, manifestOf(agreement, 1, end))).toBe('E_REPLAY');
  });

  it('K7 the survivors of the reopened attempt must be its contributors: E_U3 in R3, nothing is signed', async () => {
    const end = await burn();
    reopen();
    await daemon.announced(agreement, manifestOf(agreement, 1, end));
    const coordinator = coordinatorOf(agreement, 1, end);
    const attempt = await contributedAgain(coordinator);
    const before = daemon.sent.length;
    daemon.show('survivors', coordinator.survivors(smaller));
    await expect(attempt?.confirm(never)).rejects.toThrow(refused('E_U3', /reopened/));
    expect(sentSince(before)).toEqual([]);
  });

  it('K7 a restart forgets neither the Reopen nor that it was used', async () => {
    const end = await burn();
    reopen();
    await daemon.announced(agreement, manifestOf(agreement, 1, end));
    daemon.stop();
    daemon.start();
    const coordinator = coordinatorOf(agreement, 1, end);
    expect(daemon.restore(agreement, coordinator)?.reopenedFor).toEqual(all);
    const attempt = await contributedAgain(coordinator);
    if (!attempt) throw new TypeError('not joined');
    await daemon.released(attempt, coordinator, all);
    daemon.stop();
    daemon.start();
    const row = daemon.answeredRow(agreement, all);
    const third = { ...row, attempt: 2, h3: sha256(utf8('x')), reopened: true };
    expect(() => daemon.answered.insert(third, false)).toThrow(refused('E_STATE'));
  });

  it('K7 control: a second sum without one contributor is the vector of that one', () => {
    const vectors = new Map(all.map((id) => [id, sha256(Uint8Array.of(id))]));
    const sum = (attempt: number, u3: readonly SiteId[]): Uint8Array => {
      const coordinator = coordinatorOf(agreement, attempt);
      const size = coordinator.site(2).vector.length;
      for (const id of all)
        coordinator.join(
          id,
          Uint8Array.from({ length: size }, (_, k) => vectors.get(id)?.[k % 32] ?? 0),
        );
      coordinator.deal(all);
      coordinator.upload(all, all, all, false);
      // no site has a receipt: none is missed among the survivors
      const answers = coordinator.answers(u3, coordinator.confirm(u3, u3));
      return new Spoils(coordinator, all, 4).take(...answers).sumOf(u3);
    };
    const difference = minus(sum(0, all), sum(1, smaller), 64);
    expect(hex(difference.slice(0, 32))).toBe(hex(vectors.get(5) ?? new Uint8Array()));
  });
});
