import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { hex, randomBytes, sha256, u32 } from '@regulon/shared/crypto';
import {
  decodeMessage,
  encodeMessage,
  foldAndUnmaskTile,
  MaskEngine,
  type MaskedCommit,
  memberKey,
  SecAggServer,
  type SiteId,
  vectorLength,
} from '@regulon/shared/secagg';
import { temporaryFolder } from '../../../client/src/state/temporary-folder.support.js';
import { uploadReceipt, verifyUploadSignature } from '../../../coordinator/src/rounds/upload-statements.js';
import type { ExpectedUpload, SpoolContext } from '../../../coordinator/src/transport/ports.js';
import { committedPath } from '../../../coordinator/src/transport/spool-files.js';
import { SpoolUploads } from '../../../coordinator/src/transport/spool.js';
import { signTagged } from '../../../shared/src/secagg/hashing.js';
import { makeCohort } from '../../../shared/src/secagg/secagg.support.js';
import { MemoryRows } from '../../support/transport/fake-coordinator.js';
import { eachTile, LyingCoordinator } from '../support/lying-coordinator.js';
import { refused } from '../support/refused.js';
import { plus } from '../support/ring-words.js';

const engine = new MaskEngine();

describe('D1: uploads that die, gap, overrun, come twice or are others than was signed', () => {
  const CHUNK = 256 * 1024;
  const all = [10, 20, 30, 40, 50, 60, 70, 80];
  // two chunks; six of eight must survive
  const cohort = makeCohort(8, { d: 70_000 });
  const length = vectorLength(cohort.manifest);

  /** All sites have masked; an honest coordinator with its real spool waits for their bytes. */
  function waiting() {
    const sites = new LyingCoordinator(cohort).joinAll();
    const server = new SecAggServer(cohort);
    all.forEach((id) => server.addAdvertise(sites.site(id).advertised));
    sites.deal(all);
    server.closeU1();
    all.forEach((id) => server.addShares(sites.site(id).shares ?? (undefined as never)));
    server.closeU2();
    sites.upload(all, all, all, false);
    const uploadId = (id: SiteId): Uint8Array => sha256(u32(id)).slice(0, 16);
    const facts = { ctx: server.ctx, h2: server.h2 };
    const [strikes, accepted]: [SiteId[], SiteId[]] = [[], []];
    const expected = (id: SiteId): ExpectedUpload => ({
      ...{ site: id, runId: cohort.manifest.runId, round: 4, attempt: 1, ctx: server.ctx, size: 4 * length },
    });
    const context: SpoolContext = {
      folder: temporaryFolder('spool'),
      rows: new MemoryRows(),
      book: {
        expected: (id) => all.map(expected).find(({ site }) => hex(uploadId(site)) === hex(id)),
        checkLease: () => 1,
        progress: () => undefined,
        verifyCommit: ({ site }, message) => {
          const commit = decodeMessage('commit', message);
          verifyUploadSignature(facts, memberKey(cohort.roster, site), commit);
          return commit.root;
        },
        receipt: ({ site }, root) => uploadReceipt(facts, cohort.coordinatorSeed, site, root),
        accepted: ({ site }, { message }) => {
          server.addCommit(decodeMessage('commit', message));
          accepted.push(site);
        },
        strike: ({ site }) => void strikes.push(site),
        blob: () => undefined,
      },
    };
    const spool = new SpoolUploads(context);
    const open = (id: SiteId) => spool.open(id, { uploadId: uploadId(id), leaseId: new Uint8Array(16) });
    const bytesOf = (id: SiteId): Uint8Array => sites.site(id).upload ?? new Uint8Array();
    const commitOf = (id: SiteId, change: Partial<MaskedCommit> = {}): Uint8Array => {
      const { root = new Uint8Array(32), sig = new Uint8Array(64) } = sites.site(id).commit ?? {};
      return encodeMessage('commit', { id, length, root, sig, ...change });
    };
    /** The chunks of an upload, as a site sends them. */
    const send = async (id: SiteId, chunks: readonly Uint8Array[], commit = commitOf(id)) => {
      const session = await open(id);
      for (const chunk of chunks) await session.write(chunk);
      return session.commit(commit);
    };
    const chunks = (id: SiteId): Uint8Array[] => [
      bytesOf(id).subarray(0, CHUNK),
      bytesOf(id).subarray(CHUNK),
    ];
    const honest = async (...ids: readonly SiteId[]): Promise<void> => {
      for (const id of ids) {
        await send(id, chunks(id));
        sites.site(id).client.confirmUpload();
      }
    };
    /** R3 and R4; the sum over what lies in the spool. */
    const sum = (): Uint8Array => {
      const survivors = server.closeU3();
      all.forEach((id) => server.addConsistency(sites.site(id).client.consistency(survivors)));
      all.forEach((id) => server.addAnswer(sites.site(id).client.unmask(server.signatures())));
      const { maskKeys } = server.unmaskKeys();
      const stored = server.u3.map(
        (site) => new Uint8Array(readFileSync(committedPath(context.folder, { ...expected(site), site }))),
      );
      const out = new Uint8Array(4 * length);
      eachTile(out, (tile, byteOffset) => {
        const spools = stored.map((bytes) => bytes.subarray(byteOffset, byteOffset + tile.length));
        foldAndUnmaskTile(tile, { spools, masks: maskKeys, byteOffset, ringBits: 32 }, engine);
      });
      return out;
    };
    const plain = (ids: readonly SiteId[]): string => hex(plus(...ids.map((id) => sites.site(id).vector)));
    return {
      ...{
        sites,
        server,
        spool,
        open,
        chunks,
        commitOf,
        send,
        honest,
        sum,
        plain,
        strikes,
        accepted,
        bytesOf,
      },
    };
  }

  const six = all.slice(0, 6);

  it('D1 an upload that dies is in no sum; the sum over the others is exact to the bit', async () => {
    const at = waiting();
    await at.honest(...six);
    const dying = await at.open(70);
    await dying.write(at.chunks(70)[0] ?? new Uint8Array());
    await dying.suspend();
    expect(hex(at.sum())).toBe(at.plain(six));
    expect(at.accepted).toEqual(six);
  });

  it('D1 a gap, an overrun, swapped chunks and changed bytes are E_UPLOAD_ROOT and leave nothing behind', async () => {
    const at = waiting();
    await at.honest(...six);
    const [first, second] = at.chunks(70) as [Uint8Array, Uint8Array];
    const changed = first.slice();
    changed[5] = (changed[5] ?? 0) ^ 1;
    const tries = [[second], [first, second, second.subarray(0, 4)], [second, first], [changed, second]];
    for (const [k, chunks] of tries.entries()) {
      await expect(at.send(70 + 10 * (k % 2), chunks)).rejects.toThrow(refused('E_UPLOAD_ROOT'));
    }
    expect(at.strikes).toEqual([70, 80, 70, 80]);
    expect(hex(at.sum())).toBe(at.plain(six));
  });

  it('D1 a root, a length or a signature that the site did not sign is E_SIG_R2', async () => {
    const at = waiting();
    await at.honest(...six);
    const other = randomBytes(32);
    const changes: [SiteId, Partial<MaskedCommit>][] = [
      [70, { root: other }],
      [80, { length: length - 1 }],
      [70, { sig: randomBytes(64) }],
    ];
    for (const [id, change] of changes)
      await expect(at.send(id, at.chunks(id), at.commitOf(id, change))).rejects.toThrow(refused('E_SIG_R2'));
    expect(hex(at.sum())).toBe(at.plain(six));
  });

  it('D1 the same commit again gets the same receipt; another root, signed, is E_STATE and counts nowhere', async () => {
    const at = waiting();
    await at.honest(...six);
    const receipt = await at.send(70, at.chunks(70));
    expect(await (await at.open(70)).commit(at.commitOf(70))).toEqual(receipt);
    const root = randomBytes(32);
    const seed = cohort.seeds.get(70) ?? root;
    const sig = signTagged(seed, at.server.ctx, 'R2', at.server.h2, u32(70), u32(length), root);
    await expect((await at.open(70)).commit(at.commitOf(70, { root, sig }))).rejects.toThrow(
      refused('E_STATE'),
    );
    expect(() => at.server.addCommit({ id: 70, length, root, sig })).toThrow(refused('E_STATE'));
    expect(hex(at.sum())).toBe(at.plain([...six, 70]));
  });

  it('D1 a commit after the survivors are fixed is E_STATE and changes no sum', async () => {
    const at = waiting();
    await at.honest(...six);
    at.server.closeU3();
    await expect(at.send(80, at.chunks(80))).rejects.toThrow(refused('E_STATE'));
    expect(at.accepted).toEqual(six);
    expect(at.server.u3).toEqual(six);
  });

  it('D1 control: were the bytes of a dead upload summed all the same, the sum would be noise', async () => {
    const at = waiting();
    await at.honest(...six);
    const sum = plus(at.sum(), at.bytesOf(70));
    expect(hex(sum)).not.toBe(at.plain(six));
    expect(hex(sum)).not.toBe(at.plain([...six, 70]));
  });
});
