import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RegulonError } from '@regulon/shared/errors';
import type { Plan } from '@regulon/shared/plan';
import { entryHash, headOf } from '@regulon/shared/transparency';
import { hex } from '@regulon/shared/crypto';
import { readPlanFile } from '../plan-file/index.js';
import { Person } from '../enrolment/index.js';
import { exampleFile, proposal } from '../sim/index.js';
import { proposalFile, proposeOnce } from './index.js';

type Failure = 'none' | 'before' | 'after';

/** A log that takes one person's entries as the coordinator does, and can lose a request or its answer. */
class FakeCoordinator {
  readonly entries: Uint8Array[] = [];
  failure: Failure = 'none';
  posts = 0;

  async actorHead() {
    const last = this.entries.at(-1);
    if (!last) return null;
    const { seq, at, hash } = headOf(last);
    return { seq, at, hash: hex(hash) };
  }

  async propose({ entry }: { entry: string }) {
    this.posts += 1;
    const lost = new RegulonError('E_CONNECTION', 'lost');
    if (this.failure === 'before') throw lost;
    const bytes = new Uint8Array(Buffer.from(entry, 'base64'));
    const same = (other: Uint8Array): boolean => hex(entryHash(other)) === hex(entryHash(bytes));
    let index = this.entries.findIndex(same);
    if (index < 0) {
      if (headOf(bytes).seq !== this.entries.length)
        throw new RegulonError('E_LOG_EQUIVOCATION', 'two entries');
      index = this.entries.push(bytes) - 1;
    }
    if (this.failure === 'after') throw lost;
    return { run: `run_${String(index).padStart(32, '0')}`, index };
  }
}

const federation = { id: 'fed_test', origin: 'regulon.test/fed_test' };
let folder: string;
let api: FakeCoordinator;
let person: Person;
let plan: Plan;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-proposals-'));
  api = new FakeCoordinator();
  person = Person.create(folder, 'researcher', 'researcher-1');
  plan = readPlanFile(exampleFile('brca3-mlp.yaml'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const placeOf = (idempotencyKey: string): string =>
  proposalFile({ idempotencyKey, origin: federation.origin, actor: person.id }, { XDG_STATE_HOME: folder });

function propose(key: string | null, proposed: Plan = plan) {
  const ids = proposed.sites.map((_, i) => i + 1);
  const place = key === null ? null : placeOf(key);
  return proposeOnce({ plan: proposed, proposal: proposal(proposed, ids), person, federation, api, place });
}

describe('a proposal under an idempotency key', () => {
  it('is sent once, however often it is repeated', async () => {
    const first = await propose('k');
    expect(first).toMatchObject({ index: 0, repeated: false });
    expect(await propose('k')).toEqual({ ...first, repeated: true });
    expect([api.entries.length, api.posts]).toEqual([1, 1]);
    expect(statSync(placeOf('k')).mode & 0o777).toBe(0o600);
  });

  it('becomes one run when the answer was lost', async () => {
    api.failure = 'after';
    await expect(propose('k')).rejects.toMatchObject({ code: 'E_CONNECTION' });
    api.failure = 'none';
    expect(await propose('k')).toMatchObject({ index: 0, repeated: true });
    expect(await propose('k')).toMatchObject({ index: 0, repeated: true });
    expect(api.entries).toHaveLength(1);
  });

  it('sends the very same bytes when the request was lost', async () => {
    api.failure = 'before';
    await expect(propose('k')).rejects.toMatchObject({ code: 'E_CONNECTION' });
    const [kept] = readdirSync(join(folder, 'regulon', 'proposals'));
    api.failure = 'none';
    expect(await propose('k')).toMatchObject({ index: 0, repeated: false });
    expect(readdirSync(join(folder, 'regulon', 'proposals'))).toEqual([kept]);
  });

  it('is signed anew when another entry took its number before it arrived', async () => {
    api.failure = 'before';
    await expect(propose('k')).rejects.toMatchObject({ code: 'E_CONNECTION' });
    api.failure = 'none';
    await propose('other');
    expect(await propose('k')).toMatchObject({ index: 1, repeated: false });
    expect(api.entries).toHaveLength(2);
  });

  it('is not sent when nobody can tell whether it arrived', async () => {
    api.failure = 'after';
    await expect(propose('k')).rejects.toMatchObject({ code: 'E_CONNECTION' });
    api.failure = 'none';
    await propose('other');
    await expect(propose('k')).rejects.toMatchObject({ code: 'E_STATE' });
    expect(api.entries).toHaveLength(2);
  });

  it('does not stand for another plan', async () => {
    await propose('k');
    const other = { ...plan, seed: plan.seed + 1 };
    await expect(propose('k', other)).rejects.toMatchObject({ code: 'E_ARGUMENT' });
    expect(await propose('k2', other)).toMatchObject({ index: 1 });
  });

  it('is what the first of two processes signed', async () => {
    const both = await Promise.all([propose('k'), propose('k')]);
    expect(both.map(({ index }) => index)).toEqual([0, 0]);
    expect(api.entries).toHaveLength(1);
  });

  it('is refused when the kept file is damaged, and leaves it', async () => {
    await propose('k');
    writeFileSync(placeOf('k'), '{"schema":"regulon.proposal/1"}');
    await expect(propose('k')).rejects.toMatchObject({ code: 'E_ARGUMENT' });
    expect(api.posts).toBe(1);
  });
});

describe('a proposal without a key', () => {
  it('becomes a run each time', async () => {
    expect(await propose(null)).toMatchObject({ index: 0, repeated: false });
    expect(await propose(null)).toMatchObject({ index: 1, repeated: false });
  });
});

describe('an idempotency key', () => {
  it('has its file below the state folder of the user, also where the variable is set but empty', () => {
    const name = { idempotencyKey: 'k', origin: 'o', actor: 'a' };
    const below = (environment: Record<string, string>) =>
      relative('/h', proposalFile(name, { HOME: '/h', ...environment }))
        .split(sep)
        .slice(0, -1)
        .join('/');
    for (const environment of [{}, { XDG_STATE_HOME: '' }])
      expect(below(environment)).toBe('.local/state/regulon/proposals');
    expect(below({ XDG_STATE_HOME: '/h/s' })).toBe('s/regulon/proposals');
  });

  it.each([[''], ['with blank'], ['ä'], ['x'.repeat(201)]])('%j is refused', (idempotencyKey) => {
    const name = { idempotencyKey, origin: 'o', actor: 'a' };
    expect(() => proposalFile(name, {})).toThrow(expect.objectContaining({ code: 'E_ARGUMENT' }));
  });
});
