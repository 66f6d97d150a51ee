import { describe, expect, it } from '@jest/globals';
import { utf8 } from '../crypto/index.js';
import { MAX_YAML_BYTES, parseYaml } from './parse-yaml.js';

const read = (text: string): unknown => parseYaml(utf8(text), 'plan.yaml', 'E_PLAN');

describe('a YAML document', () => {
  it('becomes plain values', () => {
    expect(read('a: 1\nb: [x, {c: null}]\n')).toEqual({ a: 1, b: ['x', { c: null }] });
    expect(read('{"a": 1}')).toEqual({ a: 1 });
    expect(JSON.stringify(read(`${'{a: '.repeat(64)}1${'}'.repeat(64)}`))).toHaveLength(64 * 6 + 1);
  });

  it.each([
    ['is empty', ' \n', 'plan.yaml: is empty'],
    ['repeats a key', 'a: 1\nb: 2\na: 3\n', 'plan.yaml: line 3 repeats a key'],
    ['repeats a key deep inside', 'a:\n  - {b: 1, c: 2,\n     b: 3}\n', 'plan.yaml: line 3 repeats a key'],
    ['repeats a key as a number', '1: a\n"1": b\n', 'plan.yaml: line 2 repeats a key'],
    ['holds two documents', 'a: 1\n---\na: 2\n', 'plan.yaml: line 2 begins a second document'],
    ['is indented by tabs', 'a:\n\tb: 1\n', 'plan.yaml: line 2 is indented by a tab'],
    [
      'has a mapping for a key',
      'a: 1\n{b: 2}: 3\n',
      'plan.yaml: line 2 has a key that is a list or a mapping',
    ],
    ['has an anchor', 'a: &x 1\nb: *x\n', 'plan.yaml: anchors and aliases (& and *) are not read'],
    ['asks for code', 'a: !!js/function "x"\n', 'plan.yaml: line 1 is not YAML (TAG_RESOLVE_FAILED)'],
    ['does not end', `a: ${'['.repeat(20_000)}`, /^plan\.yaml: (line 1 is not YAML|nested too deeply)/],
    ['is nested deeply', `a: ${'['.repeat(64)}${']'.repeat(64)}`, 'plan.yaml: nested too deeply'],
    ['is a deep list of lists', `${'- '.repeat(65)}a`, 'plan.yaml: nested too deeply'],
    ['is too large', `a: ${'x'.repeat(MAX_YAML_BYTES)}`, 'plan.yaml: larger than 1 MiB'],
  ])('that %s is refused', (_, text, message) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'E_PLAN' }));
    expect(() => read(text)).toThrow(message);
  });

  it('that is no UTF-8 is refused', () => {
    expect(() => parseYaml(Uint8Array.of(0x61, 0xff), 'p', 'E_CONFIG')).toThrow('p: not a text in UTF-8');
  });

  it('with sixty thousand keys is read in one pass', () => {
    const lines = Array.from({ length: 60_000 }, (_, k) => `k${k}: 1`);
    expect(Object.keys(read(lines.join('\n')) as object)).toHaveLength(60_000);
    expect(() => read([...lines, 'k7: 2'].join('\n'))).toThrow('line 60001 repeats a key');
  });
});
