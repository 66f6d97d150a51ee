import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readPlanFile } from '@regulon/cli/plan-file';
import { readDaemonConfig, readSitePolicy } from '@regulon/client/config';
import { parseConfig } from '@regulon/coordinator/config';
import { utf8 } from '@regulon/shared/crypto';

/** What the YAML reader complains about by itself, quoting the file: a key that is a map, a tag that nobody knows. */
const NOTABLE = ['{ secret-value: 1 }: 2\n', '!!nobody secret-value\n'];

let folder: string;
const readers: readonly (readonly [string, (path: string, text: string) => unknown])[] = [
  ['plan', (path) => readPlanFile(path)],
  ['daemon', (path) => readDaemonConfig(path)],
  ['site policy', (path) => readSitePolicy(path)],
  ['coordinator', (_path, text) => parseConfig(utf8(text), '/')],
];

describe('a file that the YAML reader would warn about', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-yaml-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(readers)('is refused by the reader of the %s, and nothing of it is printed', (_name, read) => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      for (const text of NOTABLE) {
        const path = join(folder, 'file.yaml');
        writeFileSync(path, text);
        const code = expect.stringMatching(/^E_(PLAN|CONFIG)$/) as unknown;
        expect(() => read(path, text)).toThrow(expect.objectContaining({ code }));
      }
      expect(warned.mock.calls).toEqual([]);
    } finally {
      warned.mockRestore();
    }
  });
});
