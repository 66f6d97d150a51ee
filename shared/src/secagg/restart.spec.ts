import { describe, expect, it } from '@jest/globals';
import { hex, randomBytes } from '../crypto/index.js';
import type { SecAggClient } from './client.js';
import { vectorLength } from './manifest.js';
import { encodeMessage } from './message-codec.js';
import { makeCohort, restarted, runUntil, type Stage } from './secagg.support.js';
import { SecAggServer } from './server.js';

const cohort = makeCohort(6);
const id = 30;

/** Every message that the site has sent so far, asked for once more. */
const messages = (client: SecAggClient, stage: Stage): string[] => {
  const reached = ['r0', 'r1', 'r2', 'r3', 'r4'].indexOf(stage);
  const all = [
    () => hex(encodeMessage('advertise', client.advertise())),
    () => hex(encodeMessage('shares', client.shareKeys())),
    () =>
      client
        .maskPlan()
        .masks.map(({ key, sign }) => `${hex(key)}${sign}`)
        .join(),
    () => hex(encodeMessage('consistency', client.consistency())),
    () => hex(encodeMessage('answer', client.unmask())),
  ];
  return all.slice(0, reached + 1).map((again) => again());
};

describe('restart of a site', () => {
  it.each(['r0', 'r1', 'r2', 'r3', 'r4'] as const)('sends the same messages again after %s', (stage) => {
    const { clients } = runUntil(cohort, stage);
    const client = clients.get(id);
    if (!client) throw new Error('no site');
    const sent = messages(client, stage);
    const again = restarted(cohort, client, id);
    expect(messages(again, stage)).toEqual(sent);
    expect(hex(again.snapshot())).toBe(hex(client.snapshot()));
  });

  it('goes on as if nothing had happened when every site restarts after every stage', () => {
    const server = new SecAggServer(cohort);
    const ids = [...cohort.seeds.keys()];
    let clients = new Map(runUntil(cohort, 'r0').clients);
    const restart = (): void => {
      clients = new Map(
        ids.map((site) => [site, restarted(cohort, clients.get(site) as SecAggClient, site)]),
      );
    };
    const each = (step: (client: SecAggClient, site: number) => void): void => {
      for (const [site, client] of clients) step(client, site);
      restart();
    };
    each((client) => server.addAdvertise(client.advertise()));
    const keys = server.closeU1();
    each((client) => server.addShares(client.shareKeys(keys)));
    server.closeU2();
    each((client, site) => client.maskPlan(server.deliveriesFor(site)));
    each((client) => server.addCommit(client.commit(randomBytes(32), vectorLength(cohort.manifest))));
    each((client) => client.confirmUpload());
    const survivors = server.closeU3();
    each((client) => server.addConsistency(client.consistency(survivors)));
    each((client) => server.addAnswer(client.unmask(server.signatures())));
    expect(server.unmaskKeys().revealed.seeds).toHaveLength(6);
  });

  it('stays ended after a restart, without its secrets', () => {
    const client = runUntil(cohort, 'r1').clients.get(id);
    if (!client) throw new Error('no site');
    client.close();
    const again = restarted(cohort, client, id);
    expect(again.ended).toBe('CLOSED');
    expect(() => again.shareKeys()).toThrow(expect.objectContaining({ code: 'E_STATE' }));
  });

  it('refuses damaged bytes and another roster', () => {
    const client = runUntil(cohort, 'r2').clients.get(id);
    if (!client) throw new Error('no site');
    const bytes = client.snapshot();
    const seed = cohort.seeds.get(id) ?? new Uint8Array();
    const restore = (input: Uint8Array, roster = cohort.roster): unknown =>
      (client.constructor as typeof SecAggClient).restore(input, { roster, seed });
    const otherVersion = bytes.with(8, (bytes[8] ?? 0) ^ 1);
    for (const damaged of [bytes.subarray(0, 900), Uint8Array.of(...bytes, 0), otherVersion])
      expect(() => restore(damaged)).toThrow(expect.objectContaining({ code: 'E_STATE_DB' }));
    expect(() => restore(bytes)).not.toThrow();
    expect(() => restore(bytes, { ...cohort.roster, rosterHash: new Uint8Array(32) })).toThrow(
      expect.objectContaining({ code: 'E_ROSTER' }),
    );
  });
});

describe('restart of the coordinator', () => {
  it('is the same machine when the stored messages are added again', () => {
    const { server, clients } = runUntil(cohort, 'r4', { r2: [20] });
    const again = new SecAggServer(cohort);
    const members = [...clients.values()];
    members.forEach((client) => again.addAdvertise(client.advertise()));
    again.closeU1();
    members.forEach((client) => again.addShares(client.shareKeys()));
    again.closeU2();
    const committed = [...clients].filter(([site]) => server.u3.includes(site)).map(([, client]) => client);
    const length = vectorLength(cohort.manifest);
    const root = new Map(server.closeU3().map((entry) => [entry.id, entry.root]));
    committed.forEach((client) =>
      again.addCommit(client.commit(root.get(client.advertise().id) ?? new Uint8Array(), length)),
    );
    again.closeU3();
    committed.forEach((client) => again.addConsistency(client.consistency()));
    committed.forEach((client) => again.addAnswer(client.unmask()));
    expect(hex(again.h3)).toBe(hex(server.h3));
    const fields = { aggRoot: new Uint8Array(32), modelHash: new Uint8Array(32) };
    expect(hex(again.transcript(fields).T)).toBe(hex(server.transcript(fields).T));
  });
});
