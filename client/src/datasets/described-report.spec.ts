import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sha256 } from '@regulon/shared/crypto';
import { importFile } from '../data/index.js';
import { fileOf } from '../data/source-files.support.js';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { DatasetStore } from './dataset-store.js';

describe('what is said of an imported dataset', () => {
  it('has the digest of the quality report that the import wrote, as long as it is there', async () => {
    const file = fileOf('gene\tP1\tP2\nENSG00000091831\t5\t0\nENSG00000129514\t7\t9\n');
    const { folder: counts } = await importFile(file, { name: 'd', folder: temporaryFolder('described') });
    const reportOf = async (): Promise<Uint8Array | null> => {
      const config = { name: 'd', kind: 'expression', scale: 'counts', unit: 'library', counts } as const;
      return (await DatasetStore.load({ ...config, public: false, simulated: true })).describe()
        .qualityReport;
    };
    expect(await reportOf()).toEqual(sha256(readFileSync(join(counts, 'report.html'))));
    rmSync(join(counts, 'report.html'));
    expect(await reportOf()).toBeNull();
  });
});
