import { describe, expect, it } from '@jest/globals';
import { hex, inclusionPath, leafHashOf, rootOfBytes, sha256, utf8 } from '@regulon/shared/crypto';
import { KeyedGenerator } from '@regulon/shared/models';
import { MaskEngine } from '@regulon/shared/secagg';
import type { CoordinatorLink } from '@regulon/client/transport';
import { auditTiles, tilesToAudit } from '../../../client/src/rounds/audits/spot-audit.js';
import { makeCohort } from '../../../shared/src/secagg/secagg.support.js';
import { LyingCoordinator } from '../support/lying-coordinator.js';
import { refused } from '../support/refused.js';
import { Spoils } from '../support/spoils.js';

const engine = new MaskEngine();

describe('D2: a wrong tile in the aggregate', () => {
  const LEAF = 65_536;
  const all = [10, 20, 30, 40, 50];
  const TILES = 20;
  const closed = () => {
    const cohort = makeCohort(5, { d: (TILES * LEAF) / 4 - 2 });
    const coordinator = new LyingCoordinator(cohort).joinAll();
    const spoils = new Spoils(coordinator, all, 4).take(...coordinator.run(all));
    return { coordinator, masks: spoils.masksOf(all), sum: spoils.sumOf(all) };
  };
  const { coordinator, masks, sum } = closed();
  const leaves = (bytes: Uint8Array): Uint8Array[] =>
    Array.from({ length: TILES }, (_, k) => bytes.slice(k * LEAF, (k + 1) * LEAF));
  /** A coordinator that opens what it holds. */
  const opening = (aggregate: Uint8Array): CoordinatorLink => {
    const open = (bytes: Uint8Array, index: number) => ({
      ...{ index, tile: leaves(bytes)[index] ?? bytes },
      path: inclusionPath(leaves(bytes).map(leafHashOf), index),
    });
    const fetch = async ({ tiles }: { tiles: number[] }) =>
      tiles.flatMap((index) => [
        ...all.map((site) => ({
          aggregate: false,
          site,
          ...open(coordinator.site(site).upload ?? sum, index),
        })),
        { aggregate: true, site: 0, ...open(aggregate, index) },
      ]);
    return { fetch } as unknown as CoordinatorLink;
  };
  const audit = (aggregate: Uint8Array, tiles: readonly number[], root = rootOfBytes(aggregate)) =>
    auditTiles(
      opening(aggregate),
      {
        ...{ run: new Uint8Array(16), round: 4, masks, size: sum.length, ringBits: 32, aggregateRoot: root },
        survivors: coordinator.survivors(all),
      },
      tiles,
      engine,
    );
  const wrong = sum.slice();
  wrong[7 * LEAF + 12] = (wrong[7 * LEAF + 12] ?? 0) ^ 1;
  const choice = (name: string) => new KeyedGenerator(sha256(utf8(name)));

  it('D2 the honest aggregate agrees in every tile', async () => {
    const every = Array.from({ length: TILES }, (_, k) => k);
    await expect(audit(sum, every)).resolves.toBeUndefined();
  });

  it('D2 one changed bit is E_MODEL for every site that looks at its tile, and for no other', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const tiles = tilesToAudit(sum.length, 32, 5, choice(name));
      expect(tiles).toHaveLength(10);
      const audited = audit(wrong, tiles);
      if (tiles.includes(7)) await expect(audited).rejects.toThrow(refused('E_MODEL', /is not the sum/));
      else await expect(audited).resolves.toBeUndefined();
    }
  });

  it('D2 the right tile does not lie under the root of the wrong aggregate: E_MODEL', async () => {
    await expect(audit(sum, [7], rootOfBytes(wrong))).rejects.toThrow(refused('E_MODEL', /not opened/));
  });

  it('D2 in the 64-bit ring, where statistics are small, every tile is looked at', () => {
    expect(tilesToAudit(10 * LEAF, 64, 5, choice('a'))).toHaveLength(10);
  });

  it('D2 forty-eight looks over all sites find a wrong share f with probability 1 − (1 − f)^m', () => {
    const [tiles, rounds] = [1000, 400];
    for (const share of [0.01, 0.05, 0.1]) {
      const [bad, m] = [share * tiles, 5 * Math.ceil(48 / 5)];
      let found = 0;
      for (let round = 0; round < rounds; round++) {
        const looks = all.flatMap((id) => tilesToAudit(tiles * LEAF, 32, 5, choice(`${round} ${id}`)));
        expect(looks).toHaveLength(m);
        if (looks.some((tile) => tile < bad)) found += 1;
      }
      const expected = 1 - (1 - share) ** m;
      const deviation = Math.sqrt((expected * (1 - expected)) / rounds);
      expect(Math.abs(found / rounds - expected)).toBeLessThan(4 * deviation + 1 / rounds);
    }
  });

  it('D2 control: a site that looks at no tile takes the wrong sum over: its root is the announced one', async () => {
    await expect(audit(wrong, [])).resolves.toBeUndefined();
    expect(hex(rootOfBytes(wrong))).not.toBe(hex(rootOfBytes(sum)));
  });
});
