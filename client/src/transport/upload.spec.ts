import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { RegulonError } from '@regulon/shared/errors';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import type { BulkClient } from './bulk-client.js';
import type { ConnectionOptions, CoordinatorLink, UploadJob } from './connection-types.js';
import { uploadFile } from './upload.js';

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);
let job: UploadJob;
beforeEach(() => {
  const path = join(temporaryFolder('upload'), 'masked.bin');
  writeFileSync(path, 'x');
  job = { run: bytes(16), round: 0, attempt: 0, ctx: bytes(32), h2: bytes(32), path, commit: bytes(4) };
});

/** A coordinator that cannot open the streams of a site under the keys that it gave before its last start. */
function upload(restarts: number): { done: Promise<unknown>; renewed: () => number } {
  let [left, renewed] = [restarts, 0];
  const leases = { exchange: () => Promise.resolve({ leaseId: bytes(16) }) };
  const bulk = {
    where: 'here:1',
    forgetBoxKey: () => (renewed += 1),
    put: () =>
      Promise.reject(
        left-- > 0 ? new RegulonError('E_SEAL', 'changed') : new RegulonError('E_UPLOAD_ROOT', 'reached'),
      ),
  };
  const done = uploadFile(leases as unknown as CoordinatorLink, bulk as unknown as BulkClient, job, {
    site: 1,
    random: () => 0,
  } as unknown as ConnectionOptions);
  return { done, renewed: () => renewed };
}

describe('an upload to a coordinator that starts again', () => {
  it.each([1, 2, 5])(
    'asks for its new key as often as it starts again in a row: %i times',
    async (restarts) => {
      const { done, renewed } = upload(restarts);
      await expect(done).rejects.toMatchObject({ code: 'E_UPLOAD_ROOT' });
      expect(renewed()).toBe(restarts);
    },
  );

  it('ends when frames are changed whatever the key', async () => {
    await expect(upload(100).done).rejects.toMatchObject({ code: 'E_SEAL' });
  });
});
