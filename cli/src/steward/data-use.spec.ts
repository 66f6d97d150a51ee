import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hex } from '@regulon/shared/crypto';
import {
  type BodyOf,
  digestText,
  entryHash,
  type Kind,
  parseEntry,
  personsOf,
} from '@regulon/shared/transparency';
import { SampleFederation, SampleLog } from '@regulon/shared/transparency-samples';
import { Person } from '../enrolment/index.js';
import { readPlanFile } from '../plan-file/index.js';
import { exampleFile } from '../sim/programs.js';
import { outsideUse, termsLine, useLines, verifyTerms, verifyUse } from './data-use.js';
import { settlePolicy, succeeding } from './policy.js';
import type { LoggedEntry } from './read-log.js';
import { reviewersOf, secondPerson, verifyPersons, verifyReviewers } from './second-person.js';
import type { SiteLink } from './site-link.js';
import { StewardBook } from './steward-book.js';

const [GRU, NCU] = ['DUO:0000042', 'DUO:0000046'] as const;
const now = Date.parse('2026-11-20T12:00:00Z');
const planHash = digestText(new Uint8Array(32).fill(7));
const written = readPlanFile(exampleFile('brca3-mlp.sim.yaml'));
const sampleLog = new SampleLog();
const { federation } = sampleLog;
const { body: policy } = federation.policyBody('site-1');
const commit: Omit<BodyOf<'dataset.commit'>, 'dataUse'> = {
  ...{
    dataset: 'd',
    version: 1,
    commitment: planHash,
    schema: planHash,
    panel: { digest: planHash, size: 1 },
  },
  band: '20-49',
  unit: 'patient',
  ...{ qualityReport: null, public: false, simulated: false },
};
const config = { site: 'site-1' } as Parameters<typeof outsideUse>[0]['config'];

const logged = (entry: object, index = 1): LoggedEntry => ({ ...(entry as LoggedEntry), index });
const entryOf = (kind: Kind, body: object): LoggedEntry =>
  logged({
    hash: new Uint8Array(32),
    entry: { kind, body, actor: { type: 'steward', id: 'site-1', key: '' } },
  });

interface Judged {
  readonly dataUse?: string[];
  readonly ofPolicy?: Partial<typeof policy>;
  readonly log?: LoggedEntry[];
}
/** What a steward sees of a plan. */
function judge(declared: string[] | undefined, { dataUse = [GRU], ofPolicy = {}, log = [] }: Judged = {}) {
  const plan = { ...written, ...(declared && { dataUse: declared }) };
  const terms = {
    plan,
    planHash,
    code: planHash,
    policy: { ...policy, ...ofPolicy },
    commit: { ...commit, dataUse },
  };
  const outside = outsideUse({ log, config }, terms, now);
  return { outside, lines: useLines(terms, outside), check: () => verifyUse(plan.name, outside) };
}
const override: BodyOf<'policy.override'> = {
  ...{ policy: policy.policy.digest, rule: 'purposes', planHash },
  ...{ justification: 'agreed', expires: '2026-12-01T00:00:00.000Z' },
};

describe('what a steward reads of the use of data', () => {
  it('shows terms, declaration and match, and lets a matching plan be approved', () => {
    const { lines, check } = judge([GRU]);
    expect(lines).toEqual([
      'terms of the dataset: DUO:0000042 general research',
      'terms of the policy: DUO:0000042 general research',
      'declared by the plan: DUO:0000042 general research',
      'match: the declared use is within the terms',
    ]);
    expect(check).not.toThrow();
  });

  it.each<[string, Parameters<typeof judge>, string]>([
    ['nothing', [undefined], 'terms of the dataset: DUO:0000042: the plan declares no kind of research'],
    [
      'too little',
      [[GRU], { dataUse: [GRU, NCU] }],
      'terms of the dataset: DUO:0000046 (non-commercial use only)',
    ],
    ['too little for the policy', [[GRU], { ofPolicy: { dataUse: [NCU] } }], 'policy: DUO:0000046'],
    ['another purpose', [[GRU], { ofPolicy: { purposes: ['quality'] } }], 'policy: purpose research'],
    [
      'it too late',
      [[GRU], { dataUse: [GRU, 'DUO:0000025=2026-11-19'] }],
      'terms of the dataset: they ended at the end of 2026-11-19 UTC',
    ],
    [
      'it under a policy that has ended',
      [[GRU], { ofPolicy: { validUntil: '2026-11-20T00:00:00.000Z' } }],
      'policy: it ended at the end of 2026-11-19 UTC',
    ],
    [
      'it for other software',
      [[GRU], { ofPolicy: { allowedCode: [digestText(new Uint8Array(32))] } }],
      `policy: software ${planHash}`,
    ],
  ])('is refused before it is asked for when a plan declares %s', (_, [declared, site], why) => {
    const { lines, check } = judge(declared, site);
    expect(lines.join('\n')).toContain(`OUTSIDE ${why}`);
    expect(check).toThrow(
      expect.objectContaining({ code: 'E_POLICY', message: expect.stringContaining(why) as unknown }),
    );
  });

  it('says until when two persons excepted it; nobody excepts from the terms of a dataset', () => {
    const log = [entryOf('policy.override', override)];
    const { lines, check } = judge([GRU], { ofPolicy: { purposes: ['quality'] }, log });
    expect(lines.at(-1)).toBe(
      'OUTSIDE policy: purpose research; excepted by two persons until the end of 2026-11-30 UTC',
    );
    expect(check).not.toThrow();
    const ofDataset = [entryOf('policy.override', { ...override, rule: 'dataUse' })];
    expect(judge([GRU], { dataUse: [GRU, NCU], log: ofDataset }).check).toThrow(
      /outside the terms of the dataset/,
    );
    const ended = [entryOf('policy.override', { ...override, expires: '2026-11-20T11:00:00.000Z' })];
    expect(judge([GRU], { ofPolicy: { purposes: ['quality'] }, log: ended }).check).toThrow(
      /outside the policy/,
    );
  });
});

describe('a dataset that is stated', () => {
  it('shows its terms, and is refused when it is of patients and permits nothing: the hint says what to add where', () => {
    expect(termsLine({ dataUse: [GRU] })).toBe('terms of its use: DUO:0000042 general research');
    for (const dataUse of [[], [NCU]]) {
      expect(() => verifyTerms({ ...commit, dataUse })).toThrow(
        expect.objectContaining({
          code: 'E_POLICY',
          hint: expect.stringMatching(
            /^add .* under `dataset` of the daemon's configuration, e\.g\. `dataUse: /,
          ) as unknown,
        }),
      );
    }
    expect(() => verifyTerms({ ...commit, dataUse: [GRU] })).not.toThrow();
    expect(() => verifyTerms({ ...commit, dataUse: [], simulated: true })).not.toThrow();
  });
});

describe('a second person of a site', () => {
  const { roster } = federation;
  const [own, other] = [roster.members[0]!, roster.members[3]!];
  const name = { id: roster.federationId, origin: federation.genesis.origin };
  const site = { federation: { roster }, own, name } as Parameters<typeof secondPerson>[0];
  const withKey = <T>(seed: Uint8Array, work: (path: string, folder: string) => T): T => {
    const folder = mkdtempSync(join(tmpdir(), 'regulon-second-'));
    const path = join(folder, 'administrator.key');
    writeFileSync(path, `${hex(seed)}\n`, { mode: 0o600 });
    return work(path, folder);
  };
  const administrator = SampleFederation.seed('administrator', '1');

  it('is an administrator whom the roster gives this very site', () => {
    const second = withKey(administrator, (path) => secondPerson(site, path));
    expect(second).toEqual(federation.administrator(1));
    for (const seed of [
      SampleFederation.seed('administrator', '2'),
      SampleFederation.seed('steward', 'site-1'),
    ])
      expect(() => withKey(seed, (path) => secondPerson(site, path))).toThrow(
        expect.objectContaining({ code: 'E_KEY_FILE' }),
      );
  });

  it('is counted once', () => {
    const second = federation.administrator(1);
    expect(() => verifyPersons(1, [])).not.toThrow();
    expect(() => verifyPersons(2, [second])).not.toThrow();
    expect(() => verifyPersons(2, [])).toThrow(/2 persons of this site must sign this, 1 would/);
    expect(() => verifyPersons(3, [second, second])).toThrow(expect.objectContaining({ code: 'E_POLICY' }));
  });

  it('is asked for only where the site has one', () => {
    const of = (member: typeof own) => ({ ...site, own: member }) as Parameters<typeof verifyReviewers>[0];
    expect(() => verifyReviewers(of(own), 2)).not.toThrow();
    expect(() => verifyReviewers(of(own), 3)).toThrow(/the roster knows 2 of site-1/);
    expect(() => verifyReviewers(of(other), 2)).toThrow(/the roster knows 1 of site-4/);
  });

  it('states a policy that follows on the one in force, once, and under a class of the federation', () => {
    const set = federation.entry(['steward', 'site-1'], 'policy.set', {}, policy);
    const log: LoggedEntry[] = [];
    const roster = { policy: { retention: [{ class: 'hipaa6y', days: 2190 }] } };
    const link = { log, config, federation: { roster } } as unknown as SiteLink;
    const plain = { ...policy, retentionClass: 'none' };
    const statements = { policy: plain, dataset: { ...commit, dataUse: [GRU] }, policyAttachment: '' };
    const follow = (change: Partial<typeof policy>) =>
      succeeding(link, { ...statements, policy: { ...plain, ...change } }).policy;
    expect(follow({})).toMatchObject({ supersedes: null });
    log.push(logged({ hash: entryHash(set), entry: parseEntry(set) }, 1));
    const second = { ...policy, retentionClass: 'hipaa6y', supersedes: policy.policy.digest };
    expect(follow({ retentionClass: 'hipaa6y' })).toEqual(second);
    log.push(entryOf('policy.set', second));
    expect(follow({ retentionClass: 'hipaa6y' })).toEqual(second);
    log.push(entryOf('dataset.commit', { ...commit, dataUse: [GRU], version: 3 }));
    const versionOf = (change: object): number =>
      succeeding(link, { ...statements, dataset: { ...statements.dataset, ...change } }).dataset.version;
    expect([{}, { commitment: digestText(new Uint8Array(32)) }, { dataset: 'other' }].map(versionOf)).toEqual(
      [...[3, 4, 1]],
    );
    // data that were committed to keep their report: no approval ends for another look at them
    expect(versionOf({ qualityReport: digestText(new Uint8Array(32)) })).toBe(3);
    const next = { qualityReport: digestText(new Uint8Array(32)), simulated: true };
    expect(
      succeeding(link, { ...statements, dataset: { ...statements.dataset, ...next } }).dataset,
    ).toMatchObject({ version: 4, simulated: true, qualityReport: commit.qualityReport });
    expect(() => follow({ retentionClass: 'ai6m' })).toThrow(
      expect.objectContaining({ code: 'E_POLICY', hint: expect.stringContaining('hipaa6y') as unknown }),
    );
  });

  it('signs a policy with the steward when the one in force asks for two', async () => {
    const asks = federation.entry(['steward', 'site-1'], 'policy.set', {}, { ...policy, reviewersNeeded: 2 });
    const log = [logged({ hash: entryHash(asks), entry: parseEntry(asks) }, 0)];
    const taken: Uint8Array[] = [];
    const append = async (entry: Uint8Array): Promise<number> => {
      log.push(logged({ hash: entryHash(entry), entry: parseEntry(entry) }, log.length));
      return taken.push(entry);
    };
    const link = {
      ...site,
      log,
      append,
      config: { site: 'site-1', stateFolder: tmpdir() },
    } as unknown as SiteLink;
    const statements = { policy, dataset: { ...commit, dataUse: [GRU] }, policyAttachment: '' };
    expect(reviewersOf(link)).toBe(2);
    await withKey(SampleFederation.seed('steward', 'site-1'), async (path, folder) => {
      const book = new StewardBook(join(folder, 'book.json'), Person.fromKeyFile(path, 'steward', 'site-1'));
      await expect(settlePolicy(link, book, statements)).rejects.toThrow(/2 persons of this site must sign/);
      expect(taken).toEqual([]);
      await settlePolicy(link, book, statements, [federation.administrator(1)]);
      rmSync(folder, { recursive: true });
    });
    expect(taken.map((bytes) => personsOf(parseEntry(bytes), sampleLog.history.at(0)))).toEqual([2, 1]);
    expect(reviewersOf(link)).toBe(1);
  });
});
