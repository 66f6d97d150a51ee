import { describe, expect, it } from '@jest/globals';
import { RegulonError } from '@regulon/shared/errors';
import { bytesText, Exit, Output, shareText, tableLines } from './index.js';

function captured(format: string | undefined, outIsTerminal = false, quiet = false) {
  const out: string[] = [];
  const err: string[] = [];
  const streams = {
    out: (t: string) => void out.push(t),
    err: (t: string) => void err.push(t),
    outIsTerminal,
  };
  return { output: new Output('run.show', { format, quiet }, streams), out, err };
}

describe('the output of a command', () => {
  it('prints a table on a terminal and one JSON envelope otherwise', () => {
    const terminal = captured(undefined, true);
    terminal.output.result({ data: { a: 1 }, lines: ['a', '1'] });
    expect(terminal.out.join('')).toBe('a\n1\n');
    const piped = captured(undefined);
    piped.output.result({ data: { a: 1 }, lines: [] });
    expect(JSON.parse(piped.out.join(''))).toEqual({
      schema: 'regulon.cli/1',
      command: 'run.show',
      status: 'ok',
      data: { a: 1 },
      warnings: [],
      error: null,
    });
  });

  it('lets no text of others steer the terminal', () => {
    const { output, out, err } = captured('table', true);
    const text = 'plan\u001b[2J\u009b1m\u202e\ttext';
    const shown = 'plan\u{fffd}[2J\u{fffd}1m\u{fffd}\ttext\n';
    output.result({ data: null, lines: [text], warnings: [text] });
    output.event({}, text);
    output.progress(text);
    expect([out.join(''), err.join('')]).toEqual([shown + shown, `warning: ${shown}${shown}`]);
    output.error(new RegulonError('E_CONNECTION', text));
    expect(err.join('')).not.toContain('\u001b');
    const json = captured('json');
    json.output.result({ data: { text }, lines: [] });
    expect(json.out.join('')).not.toMatch(/[\u009b\u202e]/);
    expect(JSON.parse(json.out.join(''))).toMatchObject({ data: { text } });
  });

  it('ends JSON lines with a line that says terminal', () => {
    const { output, out } = captured('jsonl');
    output.event({ round: 1 }, 'round 1');
    output.result({ data: null, lines: [], rows: [], partial: true });
    const lines = out.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toEqual({ round: 1 });
    expect(lines.at(-1)).toMatchObject({ terminal: true, status: 'partial' });
  });

  it('writes an error as two lines on stderr and gives the exit code of the registry', () => {
    const { output, out, err } = captured('json');
    const code = output.error(new RegulonError('E_CONNECTION', 'http://127.0.0.1:1: connection refused'));
    expect(code).toBe(Exit.connection);
    expect(err.join('').trimEnd().split('\n')).toEqual([
      'E_CONNECTION: http://127.0.0.1:1: connection refused',
      expect.stringMatching(/^next: /),
    ]);
    expect(JSON.parse(out.join(''))).toMatchObject({
      status: 'error',
      error: { code: 'E_CONNECTION', retryable: true },
    });
  });

  it('prints a result that says no with its data, the error and two lines', () => {
    const failure = new RegulonError('E_VERIFY', 'entry 7 is wrong');
    for (const format of ['json', 'jsonl']) {
      const { output, out, err } = captured(format);
      output.result({ data: { entries: 9 }, lines: [], failure });
      const last = JSON.parse(out.at(-1) ?? '') as Record<string, unknown>;
      expect(last).toMatchObject({
        status: 'error',
        error: { code: 'E_VERIFY', message: 'entry 7 is wrong' },
      });
      expect(JSON.parse(out[0] ?? '')).toMatchObject(
        format === 'json' ? { data: { entries: 9 } } : { entries: 9 },
      );
      expect(err.join('')).toMatch(/^E_VERIFY: entry 7 is wrong\nnext: .*\n$/);
    }
  });

  it('keeps progress to itself when quiet, not warnings and not errors', () => {
    const failure = new RegulonError('E_VERIFY', 'entry 7 is wrong');
    for (const quiet of [false, true]) {
      const { output, out, err } = captured('jsonl', false, quiet);
      output.progress('starting');
      output.event({ round: 1 }, 'round 1');
      output.result({ data: null, lines: [], rows: [], warnings: ['few sites'], failure });
      output.error(new RegulonError('E_CONNECTION', 'lost'));
      const [head] = err.splice(0, quiet ? 0 : 1);
      expect(head).toBe(quiet ? undefined : 'starting\n');
      expect(err.join('')).toMatch(
        /^warning: few sites\nE_VERIFY: .*\nnext: .*\nE_CONNECTION: lost\nnext: .*\n$/,
      );
      expect(out[0]).toBe('{"round":1}\n');
    }
  });

  it('names a missing file as a wrong argument', () => {
    const { output, err } = captured('table');
    const missing = Object.assign(new Error('x'), { code: 'ENOENT', path: 'plan.yaml' });
    expect(output.error(missing)).toBe(Exit.argument);
    expect(err.join('')).toContain('E_ARGUMENT: plan.yaml: no such file');
  });

  it('names a path through a file, and a file where a folder should be made', () => {
    const { output, err } = captured('table');
    for (const code of ['ENOTDIR', 'EEXIST', 'EROFS', 'EPERM']) {
      expect(output.error(Object.assign(new Error('x'), { code, path: 'a/b' }))).toBe(Exit.argument);
    }
    expect(err.join('')).toMatch(/^(E_ARGUMENT: a\/b: .*\nnext: .*\n){4}$/);
  });

  it('refuses an unknown format', () => {
    expect(() => captured('xml')).toThrow('--format');
  });
});

describe('tables', () => {
  it('aligns columns and shows a dash for what is missing', () => {
    const columns = [
      { title: 'site', value: (r: { s: string; n: number | null }) => r.s },
      { title: 'units', value: (r: { s: string; n: number | null }) => r.n, right: true },
    ];
    const rows = [
      { s: 'c1', n: 15 },
      { s: 'c2', n: null },
    ];
    expect(tableLines(columns, rows)).toEqual(['site  units', 'c1       15', 'c2        –']);
  });

  it('prints shares and bytes as people read them', () => {
    expect([shareText(0.7941), shareText(1), shareText(-0.25), shareText(null)]).toEqual([
      '.794',
      '1.000',
      '-.250',
      '–',
    ]);
    expect([bytesText(812), bytesText(13_420), bytesText(5_200_000)]).toEqual(['812 B', '13.4 KB', '5.2 MB']);
  });
});
