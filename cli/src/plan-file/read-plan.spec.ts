import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readPlanFile } from './index.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-plan-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a plan file', () => {
  it.each([
    ['is empty', '', 'is empty'],
    ['is binary', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0xff, 0xfe), 'not a text in UTF-8'],
    ['is in UTF-16', Buffer.from('\ufeffseed: 1', 'utf16le'), 'not a text in UTF-8'],
    ['repeats a key', 'seed: 1\nseed: 2\n', 'line 2 repeats a key'],
    ['holds two documents', 'seed: 1\n---\nseed: 2\n', 'line 2 begins a second document'],
    ['refers to itself', 'a: &a 1\nb: *a\n', 'anchors and aliases (& and *) are not read'],
    ['asks for code', 'seed: !!js/function "x"\n', 'line 1 is not YAML (TAG_RESOLVE_FAILED)'],
    ['is of another YAML', '%YAML 9.9\n---\nseed: 1\n', 'line 1 is not YAML (BAD_DIRECTIVE)'],
    ['does not end', `seed: ${'['.repeat(20_000)}`, 'nested too deeply'],
    ['is too large', ' '.repeat((1 << 20) + 1), 'larger than 1 MiB'],
  ])('that %s is refused by file, line and rule, and nothing else is printed', (_, content, rule) => {
    const path = join(folder, 'plan.yaml');
    writeFileSync(path, content);
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    expect(() => readPlanFile(path)).toThrow(
      expect.objectContaining({
        code: 'E_PLAN',
        message: expect.stringContaining(`${path}: ${rule}`) as unknown,
      }),
    );
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });
});
