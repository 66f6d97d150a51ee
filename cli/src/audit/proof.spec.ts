import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sampleRun } from '@regulon/shared/transparency-samples';
import { checkProofCommand, proofCommand } from './index.js';

describe('a proof of one entry', () => {
  const [cosigned, signed] = [sampleRun({ gateMode: 'cosigned' }), sampleRun()];
  let folder: string;
  const file = (name: string): string => join(folder, name);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-proof-'));
    writeFileSync(file('policy'), cosigned.policy);
    writeFileSync(file('signed.policy'), signed.policy);
    writeFileSync(file('cosigned.zip'), cosigned.bundle());
    writeFileSync(file('signed.zip'), signed.bundle());
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const written = async (bundle: string, index: number): Promise<string> => {
    await proofCommand({ bundle: file(bundle), index, out: file('x.tlog-proof') });
    return readFileSync(file('x.tlog-proof'), 'utf8');
  };
  const check = (policy = 'policy') =>
    checkProofCommand({ proof: file('x.tlog-proof'), policy: file(policy) });

  it('holds for every entry, and shows it', async () => {
    for (let index = 0; index < cosigned.entries.length; index += 11) {
      expect(await written('cosigned.zip', index)).toMatch(
        /^c2sp\.org\/tlog-proof@v1\nextra \S+\nindex \d+\n/,
      );
      expect(await check()).toMatchObject({ index, size: 68, quorum: 4, cosigners: { length: 5 } });
    }
  });

  it('fails for another entry, index, hash or checkpoint', async () => {
    const text = await written('cosigned.zip', 20);
    const other = Buffer.from(cosigned.entries[21] ?? []).toString('base64');
    const changes = [
      text.replace(/^extra .*$/m, `extra ${other}`),
      text.replace('index 20', 'index 21'),
      text.replace(/^index 20\n.*\n/m, 'index 20\n'),
      text.replace('\n68\n', '\n69\n'),
      text.replace(/^extra .*\n/m, ''),
      text.replace('@v1', '@v2'),
    ];
    for (const changed of changes) {
      expect(changed).not.toBe(text);
      writeFileSync(file('x.tlog-proof'), changed);
      await expect(check()).rejects.toMatchObject({ code: 'E_VERIFY' });
    }
  });

  it('is refused below the quorum of the policy; in gate mode signed the policy wants none', async () => {
    await written('signed.zip', 3);
    await expect(check()).rejects.toThrow(/^0 sites cosigned/);
    expect(await check('signed.policy')).toMatchObject({ cosigners: [], quorum: 0 });
  });

  it('is not written for an entry that is not there', async () => {
    await expect(written('signed.zip', 68)).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });
});
