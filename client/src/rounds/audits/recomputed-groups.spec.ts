import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { hex, randomBytes, sha256, utf8 } from '@regulon/shared/crypto';
import {
  type CohortView,
  ctxOf,
  encodeManifest,
  encodeMessage,
  hashOfAnswer,
  signTranscript,
} from '@regulon/shared/secagg';
import type { Item } from '@regulon/shared/wire';
import { makeCohort } from '../../../../shared/src/secagg/secagg.support.js';
import { runGroupsUntil } from '../../../../shared/src/secagg/sub-cohorts.support.js';
import { type AttemptRow, Step } from '../../state/index.js';
import { temporaryFolder } from '../../state/temporary-folder.support.js';
import type { AuditPlace } from './audit-place.js';
import type { LoggedGroups } from './logged-groups.js';
import { verifyGroupsRecomputed } from './recomputed-close.js';

/** A training round of ten sites in two groups, closed, as one site of the second group audits it. */
const cohort = makeCohort(10, { gammaNum: 0, subCohort: 5, d: 9 });
const { server, clients } = runGroupsUntil(cohort, 'r4');
const { ctx, manifest } = server;
const own = 1;
const group = server.groups[own] as (typeof server.groups)[number];
const [id = 0] = group.u1;
const view: CohortView = {
  ...{ manifest, roster: cohort.roster, ctx: ctxOf(manifest), h2: group.h2 },
  ...{ n: group.u1.length, u2: group.u2, uncounted: new Set<number>() },
};
const modelOut = sha256(utf8('model'));
const aggregateRoot = sha256(utf8('sum'));
const sums = server.groups.map((_, k) => sha256(utf8(`sum ${k}`)));
const used = server.groups.flatMap(({ u2, thresholds: { t } }) => u2.slice(0, t));
const T = server.transcript({ aggRoot: aggregateRoot, groupRoots: sums }, used, modelOut);
const logged: LoggedGroups = {
  ...{ own, h1: server.h1, transcript: T },
  signature: signTranscript(cohort.coordinatorSeed, ctx, 'CLOSE', T),
  groups: server.groups.map(({ u1: sites, h2, h3 }, k) => ({
    ...{ sites, h2, h3, aggRoot: sums[k] ?? aggregateRoot },
  })),
};
const answerOf = (site: number) => {
  const answer = clients.get(site)?.unmask();
  if (!answer) throw new TypeError(`no site ${site}`);
  return answer;
};
const shown: Item[] = used.map((site) => {
  const { entries, sig: signature } = answerOf(site);
  return { type: 'answers', site, digest: hashOfAnswer(ctx, server.groupOf(site).h3, entries), signature };
});
const row: AttemptRow = {
  ...{ run: 'run_1', round: manifest.round, attempt: manifest.attempt, step: Step.answered, snapshot: null },
  ...{ manifest: encodeManifest(manifest), signature: cohort.coordinatorSignature },
  facts: { h1: hex(group.h1), h2: hex(group.h2) },
};
const answered = { attempt: manifest.attempt, h3: group.h3, answer: encodeMessage('answer', answerOf(id)) };

let folder: string;
beforeEach(() => {
  folder = join(temporaryFolder('groups'), 'run_1');
  mkdirSync(folder);
});
const evidence = (): string => join(folder, `evidence-close-${manifest.round}-${manifest.attempt}.json`);

function verified(groups = logged, items = shown): Promise<void> {
  const place = {
    site: {
      ...{ site: { own: { id } }, link: { fetch: async () => items }, answered: { find: () => answered } },
      logger: pino({ level: 'silent' }),
    },
    ...{ run: 'run_1', runId: manifest.runId, folder },
  } as unknown as AuditPlace;
  return verifyGroupsRecomputed(place, { own: row, aggregateRoot, modelOut }, view, groups, group.closeU3());
}

describe('the close of a round with sub-cohorts', () => {
  it('is taken when T follows from the own group, the logged others, the answers of all and the result', async () => {
    await verified();
    expect(existsSync(evidence())).toBe(false);
  });

  it.each<[string, LoggedGroups]>([
    ['another T', { ...logged, transcript: randomBytes(32) }],
    ['another h1', { ...logged, h1: randomBytes(32) }],
    [
      'another sum of the other group',
      {
        ...logged,
        groups: logged.groups.map((g, k) => (k === own ? g : { ...g, aggRoot: randomBytes(32) })),
      },
    ],
  ])('is refused with %s in the log, and what it says is kept', async (_, groups) => {
    await expect(verified(groups)).rejects.toMatchObject({ code: 'E_FORK' });
    const kept = JSON.parse(readFileSync(evidence(), 'utf8')) as Record<string, unknown>;
    expect(kept).toMatchObject({ schema: 'regulon.wrong-close/1', transcript: hex(groups.transcript) });
    expect(kept['groups']).toHaveLength(2);
    expect(kept['closeSignature']).toBe(Buffer.from(logged.signature).toString('base64'));
  });

  it('is refused when an answer of the other group is missing', async () => {
    const [first] = server.groups[0]?.u2 ?? [];
    const fewer = shown.filter((item) => item.type !== 'answers' || item.site !== first);
    await expect(verified(logged, fewer)).rejects.toMatchObject({ code: 'E_FORK' });
  });
});
