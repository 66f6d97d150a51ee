import { describe, expect, it } from '@jest/globals';
import { hex, randomBytes, sha256, u32 } from '../crypto/index.js';
import { aggRootOf } from './attempt-server.js';
import { signTagged } from './hashing.js';
import { makeCohort } from './secagg.support.js';
import { hashOverGroups } from './sub-cohorts.js';
import { runGroupsUntil, type GroupedAttempt } from './sub-cohorts.support.js';
import { abortTranscript } from './transcript.js';

const refused = (words: string): unknown =>
  expect.objectContaining({ code: 'E_STATE', message: expect.stringContaining(words) as unknown });
const sorted = (ids: number[]): number[] => [...ids].sort((a, b) => a - b);

describe.each([
  ['one group', 0],
  ['two groups', 5],
])('the coordinator of an attempt with %s', (_, subCohort) => {
  const cohort = makeCohort(10, { gammaNum: 0, subCohort, d: 7 });
  const run = (...args: [Parameters<typeof runGroupsUntil>[1], Parameters<typeof runGroupsUntil>[2]?]) =>
    runGroupsUntil(cohort, ...args);

  it('knows nothing of groups before U1 is fixed', () => {
    const { server, clients } = run('r0');
    const message = [...clients.values()].map((client) => client.advertise())[0];
    expect(server.groups).toEqual([]);
    expect(server.canUnmask()).toBe(false);
    expect(() => server.groupOf(10)).toThrow(refused('in no group'));
    expect(() => server.h1).toThrow(refused('U1 is open'));
    expect(() => server.h2).toThrow(refused('U1 is open'));
    expect(() => server.h3).toThrow(refused('U1 is open'));
    server.closeU1();
    expect(server.groups).toHaveLength(subCohort === 0 ? 1 : 2);
    expect(() => server.groupOf(110)).toThrow(refused('in no group'));
    expect(message && server.groupOf(message.id).u1).toContain(message?.id);
    expect(() => server.h2).toThrow(refused('U2 is open'));
  });

  it('keeps its groups when U1 is closed again', () => {
    const { server } = run('r1');
    const before = server.groups;
    expect(server.closeU1().map(({ id }) => id)).toEqual(server.u1);
    expect(server.groups).toBe(before);
  });

  it('has the sites of all groups in its sets, by id', () => {
    const { server } = run('r4', { r1: [30], r2: [40] });
    expect(server.u1).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect(server.u2).toEqual(server.u1.filter((id) => id !== 30));
    expect(server.u3).toEqual(server.u2.filter((id) => id !== 40));
    expect(sorted(server.groups.flatMap(({ u3 }) => u3))).toEqual(server.u3);
    expect(server.canUnmask()).toBe(true);
  });

  it('keeps a complaint in the group of the site', () => {
    const { server } = run('r2');
    const [group] = server.groups;
    const [id = 0, sender = 0] = group?.u2 ?? [];
    const envelope = group?.deliveriesFor(id).find(({ from }) => from === sender)?.envelope;
    const digest = sha256(envelope ?? new Uint8Array());
    const seed = cohort.seeds.get(id) ?? new Uint8Array();
    const h1 = group?.h1 ?? new Uint8Array();
    const sig = signTagged(seed, server.ctx, 'CMP', h1, u32(sender), digest);
    server.addComplaint({ id, sender, digest, sig });
    expect(server.groups.map(({ complaints }) => complaints.length)).toEqual(subCohort === 0 ? [1] : [1, 0]);
  });

  it('ends with the hash that was fixed last', () => {
    const expectLast = ({ server }: GroupedAttempt, last: Uint8Array): void =>
      expect(hex(server.abortTranscript('E_COHORT'))).toBe(
        hex(abortTranscript(server.ctx, 'E_COHORT', last)),
      );
    const began = run('r0');
    expectLast(began, new Uint8Array(32));
    began.server.closeU1();
    expectLast(began, began.server.h1);
    const uploaded = run('r2');
    expectLast(uploaded, uploaded.server.h2);
    uploaded.server.closeU3();
    expectLast(uploaded, uploaded.server.h3);
    uploaded.server.closeU2();
    expectLast(uploaded, uploaded.server.h3);
  });

  it('covers the sums of all groups, or the one sum itself', () => {
    const { manifest, ctx } = run('r1').server;
    const [aggRoot, one, two] = [randomBytes(32), randomBytes(32), randomBytes(32)];
    const root = hex(aggRootOf(manifest, ctx, { aggRoot, groupRoots: [one, two] }));
    const all = hashOverGroups(manifest, ctx, [one, two, aggRoot]);
    expect(root).toBe(hex(subCohort === 0 ? aggRoot : all));
    const none = (): Uint8Array => aggRootOf(manifest, ctx, { aggRoot, groupRoots: [] });
    if (subCohort === 0) expect(none()).toBe(aggRoot);
    else expect(none).toThrow(expect.objectContaining({ code: 'E_INTERNAL' }));
  });
});
