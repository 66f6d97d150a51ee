/** A small federation with generated keys, for specs. */
import { canonicalJsonBytes, hex, publicKeyOf, sha256, u32, utf8 } from '@regulon/shared/crypto';
import { panelDigest } from '@regulon/shared/genomics';
import {
  type Plan,
  parsePlan,
  planHashOf,
  type Roster,
  rosterHashOf,
  sitePolicySchema,
} from '@regulon/shared/plan';
import { encodeContractFile } from '@regulon/shared/program';
import type { FederationKeys } from '@regulon/shared/transparency';
import {
  attachmentOf,
  type BodyOf,
  digestText,
  type EntryDraft,
  formatVkey,
  keysOfGenesis,
  KeyType,
  MediaType,
  NO_PREVIOUS,
  parseEntry,
  sealEntry,
  statementKeyName,
  verifierKeyOf,
} from '@regulon/shared/transparency';
import type { DatasetConfig } from '../config/index.js';
import { type Federation, rosterViewOf } from './federation.js';
import type { SiteView } from './site-view.js';

export const siteNames = ['a', 'b', 'c', 'd', 'e'] as const;
export const origin = 'localhost/fed/fed_test';
export const genes = Array.from({ length: 12 }, (_, i) => `G${i}`);
export const run = `run_${'07'.repeat(16)}`;
const at = '2026-11-20T10:00:00.000Z';

/** The seed of a role, the same in every spec. */
export const seedOf = (role: string, id = 0): Uint8Array => sha256(utf8(role), u32(id));

const keyOf = (role: string, id = 0): string => hex(publicKeyOf(seedOf(role, id)));
const vkeyOf = (keyName: string, role: string, id = 0, type: KeyType = KeyType.statement): string =>
  formatVkey(verifierKeyOf({ keyName, seed: seedOf(role, id) }, type));

export function testRoster(gateMode: 'signed' | 'cosigned' = 'signed'): Roster {
  return {
    schema: 'regulon.roster/1',
    federationId: 'fed_test',
    version: 1,
    coordinatorKey: keyOf('coordinator'),
    members: siteNames.map((name, i) => ({
      ...{ id: i + 1, name, org: `Hospital ${name}` },
      ...{
        key: keyOf('site', i + 1),
        cosignerKey: keyOf('cosigner', i + 1),
        stewardKey: keyOf('steward', i + 1),
      },
      ...{ validFrom: '2026-01-01T00:00:00Z', validTo: '2036-01-01T00:00:00Z' },
    })),
    admins: [1, 2, 3].map((id) => ({ id, member: id, key: keyOf('admin', id) })),
    k: 2,
    policy: { nMin: 5, gamma: { num: 1, den: 3 }, quorumRule: 'strict', gateMode, gateLag: 1 },
  };
}

/** Entry 0 of the test federation. */
export function testGenesis(roster: Roster): Uint8Array {
  const sites = siteNames.map((name, i) => ({
    keyName: statementKeyName(origin, 'site', name),
    seed: seedOf('site', i + 1),
  }));
  const coordinator = {
    keyName: statementKeyName(origin, 'coordinator', 'coordinator'),
    seed: seedOf('coordinator'),
  };
  const body: BodyOf<'federation.genesis'> = {
    ...{
      origin,
      logKey: vkeyOf(origin, 'log', 0, KeyType.log),
      coordinatorKey: vkeyOf(coordinator.keyName, 'coordinator'),
    },
    rosterHash: digestText(rosterHashOf(roster)),
    roster: attachmentOf(canonicalJsonBytes(roster), MediaType.json),
    members: siteNames.map((name, i) => ({
      ...{ id: i + 1, name, statement: vkeyOf(statementKeyName(origin, 'site', name), 'site', i + 1) },
      cosigner: vkeyOf(`${origin}/witness/${name}`, 'cosigner', i + 1, KeyType.cosigner),
      steward: vkeyOf(statementKeyName(origin, 'steward', name), 'steward', i + 1),
      administrators: [],
    })),
    ...{
      administratorThreshold: 2,
      people: [],
      quorumPolicy: attachmentOf(utf8('quorum none\n'), MediaType.text),
    },
    ...{ gateMode: roster.policy.gateMode, colluders: 1, quorum: 4, gateLag: 1 as const, minCohort: 5 },
    ...{
      gamma: roster.policy.gamma,
      quorumRule: 'strict' as const,
      skewSeconds: 300,
      gateMaxAgeSeconds: 86_400,
    },
    ...{ mergeDelaySeconds: 600, retention: [], evidenceLevel: 1 as const, software: digestText(sha256()) },
  };
  const draft = {
    kind: 'federation.genesis',
    fed: 'fed_test',
    actor: { type: 'coordinator', id: 'coordinator' },
  };
  return sealEntry({ ...draft, body, seq: 0, prev: NO_PREVIOUS, at } as EntryDraft, [coordinator, ...sites]);
}

/** The federation as a site sees it after its checks. */
export function testFederation(gateMode: 'signed' | 'cosigned' = 'signed'): Federation {
  const roster = testRoster(gateMode);
  const genesis = testGenesis(roster);
  const keys: FederationKeys = keysOfGenesis(parseEntry(genesis));
  const own = roster.members[0];
  if (!own) throw new TypeError('no members');
  return { roster, rosterView: rosterViewOf(roster), own, keys, genesis };
}

export const testPlan = (changes: Readonly<Record<string, unknown>> = {}): Plan =>
  parsePlan({
    ...{ schema: 'regulon.plan/1', name: 'toy', seed: 3, sites: siteNames, task: 'classify' },
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

/** An entry of a steward or a site. */
export function signedEntry(
  kind: string,
  type: 'steward' | 'site' | 'coordinator',
  id: number,
  body: unknown,
  place: object = {},
): Uint8Array {
  const name = type === 'coordinator' ? 'coordinator' : (siteNames[id - 1] ?? '');
  const draft = {
    kind,
    fed: 'fed_test',
    ...place,
    actor: { type, id: name },
    body,
    seq: 0,
    prev: NO_PREVIOUS,
    at,
  };
  return sealEntry(draft as EntryDraft, [
    { keyName: statementKeyName(origin, type, name), seed: seedOf(type, id) },
  ]);
}

const policyDigest = digestText(sha256(utf8('policy')));
const commitment = digestText(sha256(utf8('commitment')));

export function approvalBy(id: number, plan: Plan, changes: object = {}): Uint8Array {
  return signedEntry('plan.approve', 'steward', id, {
    ...{
      planHash: digestText(planHashOf(plan)),
      policy: policyDigest,
      dataset: plan.dataset.name,
      datasetVersion: 1,
    },
    ...{ commitment, conditions: [], validUntil: '2036-01-01T00:00:00.000Z', ...changes },
  });
}

export function datasetBy(id: number, changes: object = {}): Uint8Array {
  return signedEntry('dataset.commit', 'steward', id, {
    ...{ dataset: 'toy', version: 1, commitment, schema: commitment, band: '20-49', unit: 'patient' },
    ...{ panel: { digest: digestText(panelDigest(genes)), size: genes.length } },
    ...{ qualityReport: null, dataUse: [], public: false, simulated: true, ...changes },
  });
}

/** A contract as an honest coordinator sends it. */
export function contractBytes(
  plan: Plan,
  changes: { isPublic?: boolean; entries?: Uint8Array[] } = {},
): Uint8Array {
  const ids = siteNames.map((_, i) => i + 1);
  return encodeContractFile({
    ...{ run, plan, isPublic: changes.isPublic ?? true },
    panel: { digest: hex(panelDigest(genes)), size: genes.length },
    entries: changes.entries ?? ids.flatMap((id) => [approvalBy(id, plan), datasetBy(id)]),
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
      ...{ public: false, simulated: true, ...changes.dataset },
    },
    panel: { digest: panelDigest(panel), size: panel.length },
    units: changes.units ?? 40,
  };
}
