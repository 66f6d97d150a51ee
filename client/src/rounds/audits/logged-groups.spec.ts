import { describe, expect, it } from '@jest/globals';
import { randomBytes, rootOfBytes } from '@regulon/shared/crypto';
import { hex, inclusionPath, leafHashOf } from '@regulon/shared/crypto';
import {
  type CohortView,
  ctxOf,
  hashOfSurvivors,
  MaskEngine,
  type SurvivorEntry,
} from '@regulon/shared/secagg';
import { digestText } from '@regulon/shared/transparency';
import type { Query } from '@regulon/shared/wire';
import { makeCohort } from '../../../../shared/src/secagg/secagg.support.js';
import { runGroupsUntil, sumOfGroup } from '../../../../shared/src/secagg/sub-cohorts.support.js';
import type { CoordinatorLink } from '../../transport/index.js';
import type { AuditedRound, AuditPlace } from './audit-place.js';
import { loggedGroupsOf } from './logged-groups.js';
import { auditTiles } from './spot-audit.js';

type Logged = NonNullable<ReturnType<AuditPlace['site']['log']['aggregateOf']>>;

/** A training round of ten sites in two groups, closed, as one site of it audits it. */
const cohort = makeCohort(10, { gammaNum: 0, subCohort: 5, d: 61 });
const attempt = runGroupsUntil(cohort, 'r4');
const { server } = attempt;
const opened = server.unmaskGroups();
const sums = server.groups.map((group, k) =>
  sumOfGroup(attempt, group, opened[k] as (typeof opened)[number]),
);
const engine = new MaskEngine();
const total = new Uint8Array(sums[0]?.length ?? 0);
for (const sum of sums) engine.addTile(total, sum, 32);

const own = 1;
const group = server.groups[own] as (typeof server.groups)[number];
const survivors: SurvivorEntry[] = group.closeU3();
const [id = 0] = group.u1;
const groups = server.groups.map(({ u1 }) => u1);
const view: CohortView = {
  ...{ manifest: server.manifest, roster: cohort.roster, ctx: ctxOf(server.manifest), h2: group.h2 },
  ...{ n: 5, u2: group.u2, uncounted: new Set<number>() },
};
const audited = { round: { round: 4 }, aggregateRoot: rootOfBytes(total), own: { facts: { groups } } };

const honest = {
  ...{ aggregateRoot: digestText(rootOfBytes(total)), h1: digestText(server.h1) },
  ...{ transcript: digestText(randomBytes(32)), closeSignature: Buffer.alloc(64, 1).toString('base64') },
  groups: server.groups.map(({ u1, h1, h2, h3 }, k) => ({
    ...{ sites: u1, h1: digestText(h1), h2: digestText(h2), h3: digestText(h3) },
    aggregateRoot: digestText(rootOfBytes(sums[k] ?? total)),
  })),
};
const logged = (entry: Partial<typeof honest> | undefined = honest) => {
  const site = { log: { aggregateOf: () => entry as Logged | undefined }, site: { own: { id } } };
  const place = { site, run: 'run_1' } as unknown as AuditPlace;
  return loggedGroupsOf(place, audited as unknown as AuditedRound, view, survivors);
};
const other = digestText(randomBytes(32));
const changed = (k: number, change: object) => ({
  ...honest,
  groups: honest.groups.map((entry, i) => (i === k ? { ...entry, ...change } : entry)),
});

describe('the groups of a round in the log', () => {
  it('are taken when the own one is as this site saw it, and all are those of U1', () => {
    expect(logged()).toMatchObject({ own, groups: sums.map((sum) => ({ aggRoot: rootOfBytes(sum) })) });
    expect(digestText(hashOfSurvivors(view.ctx, view.h2, survivors))).toBe(honest.groups[own]?.h3);
  });

  it.each([
    ['another sum', { ...honest, aggregateRoot: other }],
    ['a group more', { ...honest, groups: [...honest.groups, ...honest.groups.slice(0, 1)] }],
    ['another grouping', changed(0, { sites: [1, 2, 3, 4, 5] })],
    ['the groups in another order', { ...honest, groups: [...honest.groups].reverse() }],
    ['another U2 of the own group', changed(own, { h2: other })],
    ['other survivors of the own group', changed(own, { h3: other })],
    ['no groups at all', { ...honest, groups: [] }],
  ])('are E_MODEL with %s', (_, entry) => {
    expect(() => logged(entry)).toThrow(expect.objectContaining({ code: 'E_MODEL' }));
  });
});

describe('a tile of a round in groups', () => {
  const open = (bytes: Uint8Array) => ({ tile: bytes, path: inclusionPath([leafHashOf(bytes)], 0) });
  /** @param shown sums of the groups and of all, as the coordinator shows them @param roots as the log has them */
  const audit = (shown: readonly Uint8Array[], all: Uint8Array): Promise<void> => {
    const fetch = async ({ type }: Query) => [
      ...group.u3.map((site) => ({
        ...{ type, aggregate: false, site, index: 0 },
        ...open(attempt.uploads.get(site) ?? all),
      })),
      ...[all, ...shown].map((sum, site) => ({ type, aggregate: true, site, index: 0, ...open(sum) })),
    ];
    const subject = {
      ...{ run: new Uint8Array(16), round: 4, survivors, masks: opened[own]?.maskKeys ?? [] },
      ...{ aggregateRoot: rootOfBytes(all), size: all.length, ringBits: 32 as const },
      groups: {
        own,
        groups: server.groups.map(({ u1: sites, h2, h3 }, k) => ({
          ...{ sites, h2, h3, aggRoot: rootOfBytes(shown[k] ?? all) },
        })),
      },
    };
    return auditTiles({ fetch } as unknown as CoordinatorLink, subject, [0], engine);
  };
  const spoiled = (bytes: Uint8Array): Uint8Array => bytes.map((byte, k) => (k === 8 ? byte ^ 1 : byte));

  it('agrees when the own group is the sum of its uploads, and the total that of the groups', async () => {
    await expect(audit(sums, total)).resolves.toBeUndefined();
    expect(hex(total)).not.toBe(hex(sums[own] ?? total));
  });

  it('differs when the own group is another sum, or the total is not that of the groups', async () => {
    const wrong = sums.map((sum, k) => (k === own ? spoiled(sum) : sum));
    await expect(audit(wrong, total)).rejects.toMatchObject({ code: 'E_MODEL' });
    await expect(audit(sums, spoiled(total))).rejects.toMatchObject({ code: 'E_MODEL' });
  });

  it('of another group is for its own sites to audit', async () => {
    const lie = sums.map((sum, k) => (k === own ? sum : spoiled(sum)));
    const all = new Uint8Array(total.length);
    for (const sum of lie) engine.addTile(all, sum, 32);
    await expect(audit(lie, all)).resolves.toBeUndefined();
  });
});
