import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const program = fileURLToPath(new URL('../../bin/regulon.js', import.meta.url));
const compiled = existsSync(fileURLToPath(new URL('../../dist/main.js', import.meta.url)));

describe('a command whose reader has left', () => {
  (compiled ? it : it.skip)('ends without a trace of errors (needs the compiled program)', async () => {
    const child = spawn(process.execPath, [program, 'describe', '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const code = await new Promise((done) => child.once('close', done));
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });
});
