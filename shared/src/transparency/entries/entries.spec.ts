import { describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes, publicKeyOf, utf8 } from '../../crypto/index.js';
import { SampleFederation, sampleRun } from '../../transparency-samples/index.js';
import { keyReference, KeyType, verifierKeyOf } from '../notes/vkey.js';
import { attachmentOf, attachmentsOf, listField } from './attachments.js';
import { isPayloadSigned, preAuthenticationEncoding, signPayload } from './dsse.js';
import { bandOf, digestText } from './fields.js';
import { kinds } from './kinds.js';
import { keysOfGenesis, openEntry, verifyPosition } from './open.js';
import { entryHash, parseEntry } from './parse.js';
import { assembleEntry, headOf, nextPosition, NO_PREVIOUS, sealEntry } from './seal.js';

const federation = new SampleFederation();
const keys = keysOfGenesis(parseEntry(federation.genesisEntry));
const { entry: policy } = federation.policy('site-1');
const edited = (change: (entry: Record<string, unknown>) => void): Uint8Array => {
  const entry = JSON.parse(Buffer.from(policy).toString()) as Record<string, unknown>;
  change(entry);
  return canonicalJsonBytes(entry);
};
const refusal = (rule: string): unknown =>
  expect.objectContaining({ code: 'E_LOG_ENTRY', details: expect.objectContaining({ rule }) as unknown });

describe('DSSE', () => {
  it('encodes and signs as published', () => {
    const payload = utf8('{"v":1}');
    expect(Buffer.from(preAuthenticationEncoding(payload)).toString()).toBe(
      'DSSEv1 38 application/vnd.regulon.audit+json;v=1 7 {"v":1}',
    );
    expect(signPayload(payload, { keyName: 'x', seed: new Uint8Array(32).fill(1) }).sig).toBe(
      'YlDUarfOnbT9ZvxUlF6cmvsAyx990W/4ODguC473bWOgXZ2p+0ZIVAgItJK6Ltm36XHXwR4zHL5QanALxqgyAA==',
    );
  });

  it('knows who signed a payload', () => {
    const seed = new Uint8Array(32).fill(1);
    const signature = signPayload(utf8('x'), { keyName: 'x', seed });
    expect(isPayloadSigned(utf8('x'), signature, publicKeyOf(seed))).toBe(true);
    expect(isPayloadSigned(utf8('y'), signature, publicKeyOf(seed))).toBe(false);
    expect(isPayloadSigned(utf8('x'), signature, publicKeyOf(new Uint8Array(32).fill(2)))).toBe(false);
  });
});

describe('entries', () => {
  it('of every kind pass their schema, their signatures and their chains', () => {
    const log = sampleRun({ reopened: true });
    const seen = new Set(log.entries.slice(1).map((bytes) => openEntry(bytes, keys).entry.kind));
    const missing = Object.keys(kinds).filter((kind) => !seen.has(kind as never));
    // each of the others is held by a specification of its own, beside the verifier's rows
    const elsewhere = {
      membership: ['member.join', 'member.revoke', 'key.rotate'],
      'role-rows': ['role.grant', 'role.revoke'],
      'withdrawal-rows': ['dataset.withdraw', 'plan.reject', 'plan.withdraw'],
      'two-persons': ['policy.override'],
      'retention-rows': ['retention.delete'],
      'egress-rows': ['egress.receipt'],
      'configuration-rows': ['config.change'],
      'baseline-rows': ['log.baseline'],
      'prune-rows': ['log.prune'],
      'bodies-deeds': ['access.request', 'admin.act'],
      'release-rows': ['model.release', 'model.export'],
      'evidence-rows': ['witness.refusal', 'fork.evidence', 'report.issued', 'anchor'],
    };
    const own = ['federation.genesis', 'config.start'];
    expect(missing.sort()).toEqual([...own, ...Object.values(elsewhere).flat()].sort());
    expect(openEntry(federation.genesisEntry, undefined).entry.kind).toBe('federation.genesis');
  });

  it('are the canonical JSON of an object, and nothing else', () => {
    const text = Buffer.from(policy).toString();
    const bad = [
      `${text} `,
      ` ${text}`,
      text.replace('"v":1', '"v":1.0'),
      text.replace('{', '{"v":1,'),
      '[]',
      'null',
      '{',
      '\ufeff{}',
    ];
    for (const form of bad)
      expect(() => parseEntry(utf8(form))).toThrow(expect.objectContaining({ code: 'E_LOG_ENTRY' }));
    expect(() => parseEntry(Uint8Array.of(0xff, 0xfe))).toThrow(refusal('L1'));
    expect(() => parseEntry(new Uint8Array(61_441))).toThrow(refusal('D1'));
    expect(() => parseEntry(utf8('['.repeat(30_000) + ']'.repeat(30_000)))).toThrow(refusal('L1'));
  });

  it.each<[string, (entry: Record<string, unknown>) => void]>([
    ['an unknown field', (e): unknown => (e.extra = 1)],
    ['an unknown field of the body', (e): unknown => ((e.body as Record<string, unknown>).patient = 'x')],
    ['an unknown kind', (e): unknown => (e.kind = 'policy.forget')],
    ['an inherited name as kind', (e): unknown => (e.kind = 'constructor')],
    ['a float', (e): unknown => ((e.body as Record<string, unknown>).minCohort = 3.5)],
    ['a float as text', (e): unknown => ((e.body as Record<string, unknown>).epsilonCap = '1e3')],
    ['a time without milliseconds', (e): unknown => (e.at = '2026-11-20T10:00:00Z')],
    ['a time that does not exist', (e): unknown => (e.at = '2026-13-40T10:00:00.000Z')],
    ['a run where there is none', (e): unknown => (e.run = `run_${'0'.repeat(32)}`)],
    ['an actor who may not', (e): unknown => ((e.actor as Record<string, unknown>).type = 'researcher')],
    ['unsorted signatures', (e): unknown => (e.sigs = [...(e.sigs as unknown[]), ...(e.sigs as unknown[])])],
    ['no signature', (e): unknown => (e.sigs = [])],
    [
      'a text that is not NFC',
      (e): unknown =>
        ((e.body as Record<string, unknown>).references = [{ kind: 'dpia', reference: 'e\u0301' }]),
    ],
    ['a negative number', (e): unknown => (e.seq = -1)],
    ['a number above 2^53', (e): unknown => (e.seq = 2 ** 53)],
  ])('with %s are refused', (_, change) => {
    expect(() => parseEntry(edited(change))).toThrow(refusal('D1'));
  });

  it('are no payload without an object', () => {
    expect(() => assembleEntry(utf8('7'), [])).toThrow(refusal('D1'));
  });

  it('name the whole entry where the rule has no path', () => {
    expect(() => parseEntry(edited((e) => (e.extra = 1)))).toThrow(/^policy\.set: entry: unknown field/);
  });

  it('name path and rule, never the value', () => {
    const secret = edited((e) => ((e.body as Record<string, unknown>).legalBasis = 'Jane Doe, born in May'));
    expect(() => parseEntry(secret)).toThrow(/^policy\.set: body\.legalBasis: /);
    expect(() => parseEntry(secret)).not.toThrow(/Jane/);
  });
});

describe('signatures', () => {
  it('must be those of the actor, all valid, of known keys', () => {
    const other = signPayload(utf8('x'), federation.signer('steward', 'site-2'));
    const stranger = { ...other, key: 'nobody+00000000' };
    const sorted = (list: { key: string }[]): unknown => list.sort((a, b) => (a.key < b.key ? -1 : 1));
    const [own] = parseEntry(policy).sigs;
    for (const list of [[other], [own ?? other, other], [own ?? other, stranger]]) {
      const bytes = edited((e) => (e.sigs = sorted(list)));
      expect(() => openEntry(bytes, keys)).toThrow(refusal('L3'));
    }
    const moved = edited((e) => ((e.actor as Record<string, unknown>).id = 'site-2'));
    expect(() => openEntry(moved, keys)).toThrow(refusal('L3'));
    expect(() => openEntry(policy, undefined)).toThrow(refusal('L3'));
    expect(() => openEntry(federation.genesisEntry, keys)).toThrow(refusal('L3'));
    expect(() =>
      openEntry(
        edited((e) => (e.fed = 'fed_other')),
        keys,
      ),
    ).toThrow(refusal('L3'));
  });

  it('have one text: nobody can give a signed entry another hash', () => {
    const [own] = parseEntry(policy).sigs;
    const sig = own?.sig ?? '';
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const last = digits.indexOf(sig.charAt(85));
    for (let unused = 1; unused < 16; unused++) {
      const other = `${sig.slice(0, 85)}${digits.charAt(last + unused)}==`;
      expect(Buffer.from(other, 'base64')).toEqual(Buffer.from(sig, 'base64'));
      const bytes = edited((e) => (e.sigs = [{ ...own, sig: other }]));
      expect(() => openEntry(bytes, keys)).toThrow(refusal('D1'));
    }
  });

  it("need the steward's for a dataset that is called public", () => {
    const log = sampleRun();
    const commit = log.entries.find((bytes) => parseEntry(bytes).kind === 'dataset.commit') ?? policy;
    const entry = parseEntry(commit);
    const alone = canonicalJsonBytes({
      ...entry,
      sigs: entry.sigs.filter(({ key }) => key === entry.actor.key),
    });
    expect(() => openEntry(alone, keys)).toThrow(/steward.* is missing/);
  });
});

describe('keys of a federation', () => {
  const genesis = parseEntry(federation.genesisEntry);
  const withBody = (body: Record<string, unknown>): unknown => ({
    ...genesis,
    body: { ...(genesis.body as object), ...body },
  });

  it('serve one role each', () => {
    const { members } = genesis.body as { members: Record<string, unknown>[] };
    const doubled = members.map((member, i) =>
      i === 1 ? { ...member, cosigner: members[0]?.cosigner } : member,
    );
    expect(() => keysOfGenesis(withBody({ members: doubled }) as typeof genesis)).toThrow(/two roles/);
    const wrong = members.map((member) => ({ ...member, steward: member.cosigner }));
    expect(() => keysOfGenesis(withBody({ members: wrong }) as typeof genesis)).toThrow(
      /another type or name/,
    );
    expect(() => keysOfGenesis(withBody({ logKey: 'x+00000000+AAAA' }) as typeof genesis)).toThrow(
      refusal('L3'),
    );
    const admins = members.map((member) => ({ ...member, administrators: [member.cosigner] }));
    expect(() => keysOfGenesis(withBody({ members: admins }) as typeof genesis)).toThrow(
      /another type or name/,
    );
    expect(() => keysOfGenesis(parseEntry(policy))).toThrow('entry 0 is not federation.genesis');
  });

  it('belong to one actor each', () => {
    const { members, people } = genesis.body as Record<'members' | 'people', Record<string, unknown>[]>;
    // listed once more under keys of its own: only the name, or only the id, stands twice
    const other = keysOfGenesis(parseEntry(new SampleFederation(9).genesisEntry)).members[8];
    const refuse = (body: Record<string, unknown>, rule: RegExp): void =>
      expect(() => keysOfGenesis(withBody(body) as typeof genesis)).toThrow(rule);
    refuse({ members: [...members, { ...other, name: 'site-1' }] }, /member site-1 stands twice/);
    refuse({ members: [...members, { ...other, id: 1 }] }, /roster id 1 stands twice/);
    refuse({ people: [...people, { ...people[0], key: other?.steward }] }, /researcher r1 stands twice/);
  });

  it('are read from the attachment when the members are many', () => {
    const many = new SampleFederation(70);
    const attached = new Map(
      many.genesis.attachments.map((bytes) => [attachmentOf(bytes, 'application/json').digest, bytes]),
    );
    const opened = openEntry(many.genesisEntry, undefined, (digest) => attached.get(digest));
    expect(keysOfGenesis(opened.entry, (digest) => attached.get(digest)).members).toHaveLength(70);
    expect(() => keysOfGenesis(opened.entry)).toThrow(refusal('L3'));
    expect(() => keysOfGenesis(opened.entry, () => utf8('['))).toThrow(/cannot be read/);
  });

  it('follow from the roster', () => {
    const { origin } = federation.genesis;
    const steward = verifierKeyOf(federation.signer('steward', 'site-3'), KeyType.statement);
    expect(keys.find(keyReference(steward))).toMatchObject({ type: 'steward', id: 'site-3' });
    expect(keys.logKey.name).toBe(origin);
    expect(keys.logKey.publicKey).toEqual(publicKeyOf(federation.logSeed));
  });
});

describe('chains', () => {
  it('start at zeros and never go back in time', () => {
    const now = new Date('2026-11-20T10:00:00.000Z');
    expect(nextPosition(undefined, now)).toEqual({
      seq: 0,
      prev: NO_PREVIOUS,
      at: '2026-11-20T10:00:00.000Z',
    });
    const head = { seq: 4, hash: new Uint8Array(32), at: '2026-11-20T10:00:05.000Z' };
    expect(nextPosition(head, now)).toEqual({ seq: 5, prev: digestText(new Uint8Array(32)), at: head.at });
    expect(headOf(policy)).toMatchObject({ seq: 0, hash: entryHash(policy) });
    const later = parseEntry(federation.policy('site-1').entry);
    const known = headOf(policy);
    expect(() => verifyPosition(later, known)).not.toThrow();
    expect(() => verifyPosition(later, { ...known, at: '2030-01-01T00:00:00.000Z' })).toThrow(refusal('L4'));
  });
});

describe('attachments', () => {
  it('are found wherever an entry refers to them', () => {
    const found = attachmentsOf(parseEntry(federation.genesisEntry)).map(({ size }) => size);
    expect(found.sort()).toEqual(federation.genesis.attachments.map((bytes) => bytes.length).sort());
  });

  it('take lists of more than 64 members', () => {
    const list = Array.from({ length: 65 }, (_, i) => i);
    expect(listField(list.slice(1)).field).toHaveLength(64);
    const { field, bytes } = listField(list);
    expect(field).toEqual(attachmentOf(bytes ?? new Uint8Array(0), 'application/json'));
  });

  it('are refused as entries that are too large', () => {
    const { body } = parseEntry(policy) as { body: Record<string, unknown> };
    const references = Array.from({ length: 16 }, () => ({ kind: 'dpia', reference: '\u20ac'.repeat(2000) }));
    const draft = {
      kind: 'policy.set',
      fed: 'fed_sample',
      actor: { type: 'steward', id: 'site-1' },
      ...nextPosition(undefined, new Date()),
    };
    expect(() =>
      sealEntry({ ...draft, body: { ...body, references } } as never, [
        federation.signer('steward', 'site-1'),
      ]),
    ).toThrow(refusal('D1'));
  });
});

describe('bands', () => {
  it.each([
    [0, '<20'],
    [19, '<20'],
    [20, '20-49'],
    [99, '50-99'],
    [100, '100-199'],
    [499, '200-499'],
    [500, '500+'],
  ] as const)('%i units are %s', (units, expected) => {
    expect(bandOf(units)).toBe(expected);
  });
});
