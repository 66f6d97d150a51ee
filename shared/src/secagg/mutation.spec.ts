import { describe, expect, it } from '@jest/globals';
import { hex } from '../crypto/index.js';
import { isRegulonError } from '../errors/index.js';
import type { SecAggClient } from './client.js';
import { encodeManifest } from './manifest.js';
import { mutationsOf, type Mutation } from './mutations.support.js';
import { joinSite, makeCohort, restarted, runUntil } from './secagg.support.js';
import { SecAggServer } from './server.js';

const cohort = makeCohort(5);
const id = 30;

/** Paths of the changed messages that were accepted; there must be none. */
function accepted<T>(mutations: readonly Mutation<T>[], receive: (changed: T) => unknown): string[] {
  return mutations.flatMap(({ path, message }) => {
    try {
      receive(message);
      return [path];
    } catch (error) {
      if (!isRegulonError(error)) throw error;
      return [];
    }
  });
}

/** A fresh copy of the site as it was after a stage. */
const copyAt = (stage: 'r0' | 'r1' | 'r2' | 'r3'): { copy: () => SecAggClient; server: SecAggServer } => {
  const { clients, server } = runUntil(cohort, stage);
  const client = clients.get(id);
  if (!client) throw new Error('no site');
  return { copy: () => restarted(cohort, client, id), server };
};

describe('any single changed field is refused', () => {
  it('in the manifest', () => {
    const all = mutationsOf(cohort.manifest).filter(({ path }) => path !== '.deadlines.length');
    expect(accepted(all, (manifest) => joinSite({ ...cohort, manifest }, id))).toEqual([]);
    const digests = all.flatMap(({ message }) => {
      try {
        return [hex(encodeManifest(message))];
      } catch {
        return [];
      }
    });
    expect(new Set(digests).size).toBe(digests.length);
    expect(digests).not.toContain(hex(encodeManifest(cohort.manifest)));
  });

  it('in the keys, at a site and at the coordinator', () => {
    const { copy, server } = copyAt('r0');
    const keys = server.closeU1();
    expect(() => copy().shareKeys(keys)).not.toThrow();
    expect(accepted(mutationsOf(keys), (list) => copy().shareKeys(list))).toEqual([]);
    const message = copy().advertise();
    expect(accepted(mutationsOf(message), (m) => new SecAggServer(cohort).addAdvertise(m))).toEqual([]);
  });

  it('in the shares, at the coordinator and at a site', () => {
    const { copy, server } = copyAt('r1');
    const fresh = new SecAggServer(cohort);
    server.closeU1().forEach((m) => fresh.addAdvertise(m));
    fresh.closeU1();
    expect(accepted(mutationsOf(copy().shareKeys()), (m) => fresh.addShares(m))).toEqual([]);
    server.closeU2();
    const deliveries = server.deliveriesFor(id);
    expect(() => copy().maskPlan(deliveries)).not.toThrow();
    expect(accepted(mutationsOf(deliveries), (list) => copy().maskPlan(list))).toEqual([]);
  });

  it('in the commit, at the coordinator, and in the survivors, at a site', () => {
    const { copy, server } = copyAt('r2');
    const survivors = server.closeU3();
    const own = survivors.find((entry) => entry.id === id);
    if (!own) throw new Error('no survivor');
    const { server: open, clients } = runUntil(cohort, 'r2', { upload: [id] });
    const client = clients.get(id);
    if (!client) throw new Error('no site');
    const commit = client.commit(own.root, cohort.manifest.d + 2);
    expect(accepted(mutationsOf(commit), (m) => open.addCommit(m))).toEqual([]);
    expect(
      accepted(
        mutationsOf(survivors).filter((m) => m.path !== '.length'),
        (list) => copy().consistency(list),
      ),
    ).toEqual([]);
  });

  it('in the confirmations and in the answer', () => {
    const { copy, server } = copyAt('r3');
    const enough = server.signatures().slice(0, server.thresholds.t);
    expect(() => copy().unmask(enough)).not.toThrow();
    expect(accepted(mutationsOf(enough), (list) => copy().unmask(list))).toEqual([]);
    const answer = copy().unmask(enough);
    expect(accepted(mutationsOf(answer), (m) => server.addAnswer(m))).toEqual([]);
    expect(() => server.addAnswer(answer)).not.toThrow();
  });
});
