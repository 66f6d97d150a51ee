import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BoardView } from './board-view.js';
import { runDemo } from './demo.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-demo-spec-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the demo', () => {
  it('refuses before any work to write its bundle over a file, or into a folder that is not there', async () => {
    const taken = join(folder, 'run.zip');
    writeFileSync(taken, 'mine');
    const lines: string[] = [];
    for (const exportBundle of [taken, join(folder, 'nowhere', 'run.zip')]) {
      const view = new BoardView({
        write: (line) => void lines.push(line),
        isTerminal: false,
        width: () => 80,
      });
      await expect(
        runDemo(
          { backend: 'wasm', keep: false, format: 'table', exportBundle },
          view,
          new AbortController().signal,
        ),
      ).rejects.toMatchObject({
        code: 'E_ARGUMENT',
        message: expect.stringContaining(exportBundle) as unknown,
      });
    }
    expect(lines).toEqual([]);
    expect(readFileSync(taken, 'utf8')).toBe('mine');
  });
});
