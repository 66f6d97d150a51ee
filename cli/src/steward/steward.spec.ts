import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { liftObjection, Objections, placeObjection, signObjection } from '@regulon/client/consent';
import { canonicalJsonBytes, publicKeyOf } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { planBytes, planHashOf, planOfBytes } from '@regulon/shared/plan';
import { type BodyOf, digestText, entryHash, headOf, parseEntry } from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { Person } from '../enrolment/index.js';
import { readPlanFile } from '../plan-file/index.js';
import { proposal } from '../sim/index.js';
import { exampleFile } from '../sim/programs.js';
import { findProposal, type InboxLog, inboxOf, type OwnWord, verifyNotWithdrawn } from './inbox.js';
import type { LoggedEntry } from './read-log.js';
import { StewardBook, type StewardLog } from './steward-book.js';

const examples = dirname(exampleFile('x'));
const plans = readdirSync(examples).filter(
  (name) => name.endsWith('.yaml') && !name.startsWith('site-policy'),
);
const plan = readPlanFile(exampleFile('brca3-mlp.sim.yaml'));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-steward-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a plan read back from the bytes that are signed', () => {
  it.each(plans)('%s is the plan that was written', (name) => {
    const written = readPlanFile(join(examples, name));
    expect(planOfBytes(planBytes(written))).toEqual(written);
  });

  it.each([
    ['of another form', Buffer.from(` ${Buffer.from(planBytes(plan)).toString()}`), 'E_MESSAGE'],
    ['with an unknown key', bytesWith({ colour: 'red' }), 'E_PLAN'],
    ['with a number that has another text', bytesWith({ seed: '1.0' }), 'E_PLAN'],
    ['with a number that is none', bytesWith({ seed: '1e0' }), 'E_PLAN'],
    ['with a number as JSON has it', bytesWith({ seed: 1 }), 'E_PLAN'],
  ])('is none when the bytes are those %s', (_, bytes, code) => {
    expect(() => planOfBytes(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code }));
  });
});

function bytesWith(change: object): Uint8Array {
  return canonicalJsonBytes({
    ...(JSON.parse(Buffer.from(planBytes(plan)).toString()) as object),
    ...change,
  });
}

const federation = new SampleFederation();
const site = federation.roster.members[0]!;

/** A log in memory that takes what it is given; its entries are those of the actors that matter here. */
class SampleLog {
  readonly log: LoggedEntry[] = [];
  readonly taken: Uint8Array[] = [];
  readonly seen: Uint8Array[] = [];
  readonly beside: string[][] = [];
  refuse: RegulonError | null = null;
  /** the answer is lost after the entry was taken */
  loseAnswer = false;

  constructor(private readonly attachments: ReadonlyMap<string, Uint8Array> = new Map()) {}

  get link(): StewardLog & InboxLog {
    return {
      name: { id: federation.roster.federationId, origin: federation.genesis.origin },
      own: site,
      log: this.log,
      attachment: async (digest) => this.attachments.get(digest) ?? new Uint8Array(0),
      append: async (entry, attachments) => {
        this.beside.push(attachments.map((bytes) => Buffer.from(bytes).toString()));
        if (this.refuse) throw this.refuse;
        const known = this.taken.findIndex((bytes) => Buffer.compare(bytes, entry) === 0);
        if (known >= 0) return known;
        this.taken.push(entry);
        this.see(entry);
        if (this.loseAnswer) throw new RegulonError('E_CONNECTION', 'lost');
        return this.taken.length - 1;
      },
    };
  }

  see(bytes: Uint8Array): void {
    this.seen.push(bytes);
    this.log.push({ index: this.log.length, hash: entryHash(bytes), entry: parseEntry(bytes) });
  }
}

const approval: BodyOf<'plan.approve'> = {
  planHash: digestText(planHashOf(plan)),
  policy: digestText(new Uint8Array(32)),
  dataset: 'd',
  datasetVersion: 1,
  commitment: digestText(new Uint8Array(32)),
  conditions: [],
  validUntil: '2099-01-01T00:00:00.000Z',
};
const statement = { kind: 'plan.approve', body: approval } as const;

describe('the book of a steward', () => {
  const bookOf = (): { book: StewardBook; path: string } => {
    const path = join(folder, 'book.json');
    const person = Person.create(mkdtempSync(join(folder, 'people-')), 'steward', site.name);
    return { book: new StewardBook(path, person), path };
  };
  const chain = (log: SampleLog): number[] => log.taken.map((bytes) => parseEntry(bytes).seq);

  it('numbers what is signed, in a file of mode 0600', async () => {
    const [log, { book, path }] = [new SampleLog(), bookOf()];
    for (let i = 0; i < 3; i++) expect(await book.post(log.link, statement)).toBe(i);
    expect(chain(log)).toEqual([0, 1, 2]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('sends an entry whose answer was lost again as it was, and never signs its number twice', async () => {
    const [log, { book }] = [new SampleLog(), bookOf()];
    log.loseAnswer = true;
    await expect(book.post(log.link, statement)).rejects.toThrow(
      expect.objectContaining({ code: 'E_CONNECTION' }),
    );
    log.loseAnswer = false;
    await book.post(log.link, statement);
    expect(chain(log)).toEqual([0, 1]);
  });

  it('sends again what goes beside an entry, before the next statement is made', async () => {
    const [log, { book }] = [new SampleLog(), bookOf()];
    log.refuse = new RegulonError('E_CONNECTION', 'lost');
    const policy = { kind: 'policy.set', body: federation.policyBody(site.name).body } as const;
    await expect(book.post(log.link, policy, [Buffer.from('rules')])).rejects.toThrow('lost');
    log.refuse = null;
    await book.settle(log.link);
    expect(log.log.map(({ entry }) => entry.kind)).toEqual(['policy.set']);
    await book.settle(log.link);
    await book.post(log.link, statement);
    expect(log.beside).toEqual([['rules'], ['rules'], []]);
    expect(chain(log)).toEqual([0, 1]);
  });

  it('signs nothing when the log does not show what it took before', async () => {
    const [log, { book }] = [new SampleLog(), bookOf()];
    await book.post(log.link, statement);
    log.log.length = 0;
    await expect(book.post(log.link, statement)).rejects.toThrow(expect.objectContaining({ code: 'E_FORK' }));
    expect(chain(log)).toEqual([0]);
  });

  it('goes on after an entry that the log refused', async () => {
    const [log, { book }] = [new SampleLog(), bookOf()];
    log.refuse = new RegulonError('E_LOG_ENTRY', 'no');
    await expect(book.post(log.link, statement)).rejects.toThrow('no');
    log.refuse = null;
    await book.post(log.link, statement);
    expect(chain(log)).toEqual([0]);
  });

  it('that cannot be read stops the steward', async () => {
    const [log, { book, path }] = [new SampleLog(), bookOf()];
    writeFileSync(path, '{"schema":"regulon.steward-book/1","head":null}');
    await expect(book.post(log.link, statement)).rejects.toThrow(
      expect.objectContaining({ code: 'E_CONFIG' }),
    );
    expect(readFileSync(path, 'utf8')).not.toContain('pending');
  });
});

describe('the inbox of a steward', () => {
  const now = new Date();
  const { body } = proposal(plan, [1, 2, 3, 4, 5]);
  const researcher = (): Person => Person.create(mkdtempSync(join(folder, 'people-')), 'researcher', 'r1');
  const proposed = (change: Partial<typeof body> = {}, plans = planBytes(plan)): SampleLog => {
    const log = new SampleLog(new Map([[body.plan.digest, plans]]));
    const statement = { kind: 'plan.propose', body: { ...body, ...change } } as const;
    log.see(researcher().seal(log.link.name, statement, undefined, now));
    return log;
  };

  const by = { federationId: federation.roster.federationId, site: site.name };
  const stewardSeed = new Uint8Array(32).fill(7);
  const objections = (): Objections => new Objections(folder, by, [publicKeyOf(stewardSeed)]);
  const here: OwnWord = { dataset: 'd', objections: { against: (...of) => objections().against(...of) } };
  const no = (subject: Parameters<typeof signObjection>[1]): Promise<void> =>
    placeObjection(folder, signObjection(by, subject, stewardSeed, now));

  it('shows what stops the own daemon while the log still says that the plan is approved', async () => {
    const log = proposed();
    const steward = Person.create(folder, 'steward', site.name);
    log.see(steward.seal(log.link.name, statement, undefined, now));
    const shown = async (): Promise<object[]> =>
      (await inboxOf(log.link, here, now.getTime())).map(({ state, stopped }) => ({ state, stopped }));
    expect(await shown()).toEqual([{ state: 'approved', stopped: null }]);
    await no({ planHash: body.planHash });
    expect(await shown()).toEqual([{ state: 'approved', stopped: 'plan' }]);
    liftObjection(folder, { planHash: body.planHash });
    await no({ dataset: 'd', scope: 'commitment' });
    expect(await shown()).toEqual([{ state: 'approved', stopped: 'dataset' }]);
    const [file = ''] = readdirSync(join(folder, 'objections'));
    writeFileSync(join(folder, 'objections', file), '{');
    expect(await shown()).toEqual([{ state: 'approved', stopped: 'unreadable' }]);
  });

  it('says that the dataset of this site was withdrawn, and lets nobody approve a plan over it', async () => {
    const log = proposed();
    const steward = Person.create(folder, 'steward', site.name);
    log.see(steward.seal(log.link.name, statement, undefined, now));
    expect(() => verifyNotWithdrawn(log.link, 'd')).not.toThrow();
    const taken = { dataset: 'd', scope: 'all', reason: 'consent' } as const;
    log.see(
      steward.seal(log.link.name, { kind: 'dataset.withdraw', body: taken }, headOf(log.seen.at(-1)!), now),
    );
    const [item] = await inboxOf(log.link, here, now.getTime());
    expect(item).toMatchObject({ state: 'data withdrawn', until: approval.validUntil });
    expect(() => verifyNotWithdrawn(log.link, 'd')).toThrow(
      expect.objectContaining({ code: 'E_POLICY', hint: expect.stringContaining('for good') as unknown }),
    );
  });

  it('lists what names this site, and what became of it', async () => {
    expect(await inboxOf(proposed({ sites: [2, 3, 4] }).link, here, now.getTime())).toEqual([]);
    const log = proposed();
    const states = async (): Promise<string[]> =>
      (await inboxOf(log.link, here, now.getTime())).map(({ state }) => state);
    expect(await states()).toEqual(['waits']);
    const steward = Person.create(folder, 'steward', site.name);
    const ended = { ...approval, validUntil: now.toISOString() };
    const first = steward.seal(log.link.name, { kind: 'plan.approve', body: ended }, undefined, now);
    log.see(first);
    expect(await states()).toEqual(['expired']);
    const other = Person.create(mkdtempSync(join(folder, 'people-')), 'steward', 'site-2');
    log.see(other.seal(log.link.name, statement, undefined, now));
    expect(await states()).toEqual(['expired']);
    log.see(steward.seal(log.link.name, statement, headOf(first), now));
    expect(await states()).toEqual(['approved']);
  });

  it('shows a plan only from the bytes of its digest', async () => {
    const found = await findProposal(proposed().link, plan.name);
    expect(found.plan).toEqual(plan);
    expect((await findProposal(proposed().link, body.planHash.slice(7, 20))).plan).toEqual(plan);
    const forged = proposed({}, bytesWith({ seed: '2' }));
    await expect(findProposal(forged.link, plan.name)).rejects.toThrow(
      expect.objectContaining({ code: 'E_PLAN' }),
    );
    await expect(findProposal(proposed().link, 'another')).rejects.toThrow(
      expect.objectContaining({ code: 'E_NOT_FOUND' }),
    );
  });
});
