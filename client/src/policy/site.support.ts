/** A small federation with generated keys, for specs. */
import { hex, publicKeyOf, sha256, signEd25519, u32, utf8 } from '@regulon/shared/crypto';
import { panelDigest } from '@regulon/shared/genomics';
import {
  type Plan,
  parsePlan,
  planHashOf,
  type Roster,
  rosterHashOf,
  type SignedRoster,
  signMember,
  sitePolicySchema,
} from '@regulon/shared/plan';
import { encodeContractFile } from '@regulon/shared/program';
import {
  assembleEntry,
  attachmentOf,
  type BodyOf,
  digestText,
  type EntryDraft,
  genesisOf,
  keysOfGenesis,
  MediaType,
  type NamedSeed,
  NO_PREVIOUS,
  parseEntry,
  sealEntry,
  signPayload,
  statementKeyName,
} from '@regulon/shared/transparency';
import type { DatasetConfig } from '../config/index.js';
import { rosterViewOf } from '@regulon/shared/program';
import type { Federation } from './federation.js';
import type { SiteView } from './site-view.js';

export const siteNames = ['a', 'b', 'c', 'd', 'e'] as const;
export const origin = 'localhost/fed/fed_test';
export const genes = Array.from({ length: 12 }, (_, i) => `G${i}`);
export const run = `run_${'07'.repeat(16)}`;
/** declared by the test plan, and terms of every test dataset */
export const generalResearch = ['DUO:0000042'];
const at = '2026-11-20T10:00:00.000Z';

/** The seed of a role, the same in every spec. */
export const seedOf = (role: string, id = 0): Uint8Array => sha256(utf8(role), u32(id));

const keyOf = (role: string, id = 0): string => hex(publicKeyOf(seedOf(role, id)));
export function testRoster(
  gateMode: 'signed' | 'cosigned' = 'signed',
  quorumRule: Roster['policy']['quorumRule'] = 'strict',
): Roster {
  return {
    schema: 'regulon.roster/1',
    federationId: 'fed_test',
    version: 1,
    coordinatorKey: keyOf('coordinator'),
    members: siteNames.map((name, i) => memberOf(name, i + 1)),
    admins: [1, 2, 3].map((id) => ({ id, member: id, key: keyOf('admin', id) })),
    k: 2,
    policy: { nMin: 5, gamma: { num: 1, den: 3 }, quorumRule, gateMode, gateLag: 1 },
  };
}

function memberOf(name: string, id: number): Roster['members'][number] {
  const self = { name, org: `Hospital ${name}`, key: keyOf('site', id), cosignerKey: keyOf('cosigner', id) };
  const valid = { validFrom: '2026-01-01T00:00:00Z', validTo: '2036-01-01T00:00:00Z' };
  return {
    id,
    ...self,
    selfSignature: signMember(seedOf('site', id), self),
    stewardKey: keyOf('steward', id),
    ...valid,
  };
}

/** A roster with the signatures of two administrators. */
export function signedRoster(roster: Roster): SignedRoster {
  const sign = (admin: number): string => hex(signEd25519(seedOf('admin', admin), rosterHashOf(roster)));
  return { roster, signatures: [1, 2].map((admin) => ({ admin, signature: sign(admin) })) };
}

/** Entry 0 of the test federation before its signatures. */
export const genesisDraft = (roster: Roster): Uint8Array =>
  genesisOf({
    ...{ signedRoster: signedRoster(roster), coordinatorHost: 'localhost', people: [] },
    ...{ logPublicKey: publicKeyOf(seedOf('log')), software: digestText(sha256()), at: new Date(at) },
  }).payload;

/** Entry 0, signed by the coordinator and every site. @param payload of an attacker, else what the roster implies */
export function testGenesis(roster: Roster, payload = genesisDraft(roster)): Uint8Array {
  const sign = (type: string, name: string, seed: Uint8Array) =>
    signPayload(payload, { keyName: statementKeyName(origin, type, name), seed });
  return assembleEntry(payload, [
    sign('coordinator', '', seedOf('coordinator')),
    ...siteNames.map((name, i) => sign('site', name, seedOf('site', i + 1))),
  ]);
}

/** The federation as a site sees it after its checks. */
export function testFederation(...policy: Parameters<typeof testRoster>): Federation {
  const roster = testRoster(...policy);
  const genesis = testGenesis(roster);
  const keys = keysOfGenesis(parseEntry(genesis));
  const own = roster.members[0];
  if (!own) throw new TypeError('no members');
  return {
    roster,
    rosterView: rosterViewOf(roster),
    own,
    keys,
    versions: [keys],
    formerRosters: [],
    genesis,
  };
}

export const testPlan = (changes: Readonly<Record<string, unknown>> = {}): Plan =>
  parsePlan({
    ...{ schema: 'regulon.plan/1', name: 'toy', seed: 3, sites: siteNames, task: 'classify' },
    dataUse: generalResearch,
    dataset: { name: 'toy', kind: 'expression', scale: 'counts', unit: 'patient' },
    label: {
      classes: [
        { name: 'x', rule: 'x' },
        { name: 'y', rule: 'not x' },
      ],
    },
    prepare: [{ step: 'log2-cpm' }, { step: 'z-score' }],
    model: { blocks: [{ name: 'head', layers: [{ type: 'dense', units: 'outputs' }] }] },
    training: { rounds: 3, optimizer: { name: 'adam' } },
    evaluation: { split: 'holdout' },
    secureAggregation: { weightCap: 64 },
    ...changes,
  });

/** A plan over series: one recurrent layer forecasts the last steps. */
export const seriesPlan = (): Plan =>
  testPlan({
    dataset: { name: 'toy', kind: 'series', scale: 'log-ratio', unit: 'gene' },
    ...{ task: 'forecast', label: undefined, prepare: [], evaluation: { split: 'chronological' } },
    model: {
      blocks: [
        {
          name: 'net',
          layers: [
            { type: 'gru', units: 4 },
            { type: 'dense', units: 'outputs' },
          ],
        },
      ],
    },
  });

/** An entry of a steward or a site. */
export function signedEntry(
  kind: string,
  type: 'steward' | 'site' | 'coordinator',
  id: number,
  body: unknown,
  place: object = {},
  seconds: readonly NamedSeed[] = [],
): Uint8Array {
  const name = type === 'coordinator' ? 'coordinator' : (siteNames[id - 1] ?? '');
  const draft = {
    kind,
    fed: 'fed_test',
    actor: { type, id: name },
    body,
    seq: 0,
    prev: NO_PREVIOUS,
    at,
    ...place,
  };
  return sealEntry(draft as EntryDraft, [
    { keyName: statementKeyName(origin, type, name), seed: seedOf(type, id) },
    ...seconds,
  ]);
}

/** The administrator of site 1, 2 or 3. */
export const administrator = (id: number): NamedSeed => ({
  keyName: statementKeyName(origin, 'administrator', `${siteNames[id - 1]}-${id}`),
  seed: seedOf('admin', id),
});

const policyFile = utf8('policy');
export const policyDigest = digestText(sha256(policyFile));
const commitment = digestText(sha256(utf8('commitment')));

export function approvalBy(
  id: number,
  plan: Plan,
  changes: object = {},
  seconds: readonly NamedSeed[] = [],
): Uint8Array {
  const body = {
    ...{
      planHash: digestText(planHashOf(plan)),
      policy: policyDigest,
      dataset: plan.dataset.name,
      datasetVersion: 1,
    },
    ...{ commitment, conditions: [], validUntil: '2036-01-01T00:00:00.000Z', ...changes },
  };
  return signedEntry('plan.approve', 'steward', id, body, {}, seconds);
}

const datasetBody: BodyOf<'dataset.commit'> = {
  ...{ dataset: 'toy', version: 1, commitment, schema: commitment, band: '20-49', unit: 'patient' },
  ...{ panel: { digest: digestText(panelDigest(genes)), size: genes.length } },
  ...{ qualityReport: null, dataUse: generalResearch, public: false, simulated: true },
};

export function datasetBy(id: number, changes: object = {}, place: object = {}): Uint8Array {
  return signedEntry('dataset.commit', 'steward', id, { ...datasetBody, ...changes }, place);
}

/** Where a second entry of somebody stands. */
export const second = { seq: 1, prev: digestText(new Uint8Array(32)) };

/** What every steward of the test federation says about a plan. */
export const statementsAbout = (plan: Plan, dataset: object = {}): Uint8Array[] =>
  siteNames.flatMap((_, i) => [approvalBy(i + 1, plan), datasetBy(i + 1, dataset)]);

/** A contract as an honest coordinator sends it. */
export function contractBytes(
  plan: Plan,
  changes: { isPublic?: boolean; entries?: Uint8Array[]; panel?: { digest: string; size: number } } = {},
): Uint8Array {
  return encodeContractFile({
    ...{ run, plan, isPublic: changes.isPublic ?? true },
    panel: changes.panel ?? { digest: hex(panelDigest(genes)), size: genes.length },
    entries: changes.entries ?? statementsAbout(plan),
  });
}

/** What site 1 knows of itself. */
export function testSite(
  federation: Federation,
  changes: {
    policy?: object;
    dataset?: Partial<DatasetConfig>;
    units?: number;
    panel?: readonly string[];
    samplers?: SiteView['samplers'];
    /** what differs in the data as loaded from what the steward signed */
    said?: Partial<BodyOf<'dataset.commit'>>;
  } = {},
): SiteView {
  const panel = changes.panel ?? genes;
  return {
    roster: federation.roster,
    own: federation.own,
    policy: sitePolicySchema.parse({
      ...{
        schema: 'regulon.site-policy/1',
        purposes: ['research'],
        leaveSiteOut: 'exact',
        ...changes.policy,
      },
    }),
    dataset: {
      ...{ name: 'toy', kind: 'expression', scale: 'counts', unit: 'patient', counts: 'counts.tsv' },
      ...{ dataUse: generalResearch, public: false, simulated: true, ...changes.dataset },
    },
    panel: { digest: panelDigest(panel), size: panel.length, names: panel },
    samplers: changes.samplers ?? new Map(),
    ...{ units: changes.units ?? 40, content: sha256(utf8('content')) },
    statement: {
      dataset: { ...datasetBody, ...changes.said },
      policy: { policy: attachmentOf(policyFile, MediaType.json) },
    },
  };
}
