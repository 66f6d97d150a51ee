import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { readJsonFile, writeWhole } from './index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('files', () => {
  it('appear whole, and nothing is left where they cannot be written', () => {
    const path = join(folder, 'a.txt');
    writeWhole(path, 'old');
    writeWhole(path, 'new');
    expect(readFileSync(path, 'utf8')).toBe('new');
    mkdirSync(join(folder, 'taken'));
    expect(() => writeWhole(join(folder, 'taken'), 'x')).toThrow(
      expect.objectContaining({ code: 'E_ARGUMENT' }),
    );
    expect(() => writeWhole(join(folder, 'none', 'a'), 'x')).toThrow(
      expect.objectContaining({ code: 'E_ARGUMENT' }),
    );
    expect(readdirSync(folder).sort()).toEqual(['a.txt', 'taken']);
  });

  it('replace no pipe or device', () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(() => writeWhole(pipe, 'x')).toThrow(expect.objectContaining({ code: 'E_ARGUMENT' }));
    expect(statSync(pipe).isFIFO()).toBe(true);
    symlinkSync(pipe, join(folder, 'link'));
    expect(() => writeWhole(join(folder, 'link'), 'x')).toThrow('is no file');
  });

  it('of JSON are read by a schema; the error names file, path and rule, never the value', () => {
    const path = join(folder, 'a.json');
    const schema = z.strictObject({ port: z.int() });
    writeFileSync(path, '{"port": 7}');
    expect(readJsonFile(path, schema, 'E_CONFIG')).toEqual({ port: 7 });
    for (const [text, rule] of [
      ['{"port": "secret"}', 'port: '],
      ['{secret', 'not JSON'],
    ] as const) {
      writeFileSync(path, text);
      const read = (): unknown => readJsonFile(path, schema, 'E_CONFIG');
      expect(read).toThrow(`${path}: ${rule}`);
      expect(read).not.toThrow('secret');
    }
  });
});
