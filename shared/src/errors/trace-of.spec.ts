import { describe, expect, it } from '@jest/globals';
import { RegulonError, traceOf } from './index.js';

function defect(): Error {
  return new TypeError('cannot read 4711 of patient 12');
}

describe('the trace of an error', () => {
  it('goes through all causes: kinds, own messages and frames, no foreign text', () => {
    const trace = traceOf(new RegulonError('E_INTERNAL', 'the thread ended', { cause: defect() }));
    expect(trace[0]).toBe('E_INTERNAL: the thread ended');
    expect(trace).toContain('TypeError');
    expect(trace.some((line) => /^at defect .*trace-of\.spec/.test(line))).toBe(true);
    expect(trace.join('\n')).not.toMatch(/4711|patient/);
  });

  it('names the code of a system error, and is bounded when causes run in a circle', () => {
    const busy = Object.assign(new Error('text'), { code: 'SQLITE_BUSY' });
    busy.cause = busy;
    const trace = traceOf(busy);
    expect(trace[0]).toBe('Error SQLITE_BUSY');
    expect(trace.length).toBeLessThan(100);
  });

  it('keeps no line of a message that looks like a frame', () => {
    expect(traceOf(new Error('x\n    at patient 12')).join()).not.toContain('patient');
  });

  it('is empty for what is no error', () => {
    expect(traceOf('4711')).toEqual([]);
  });
});
