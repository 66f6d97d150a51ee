import { describe, expect, it } from '@jest/globals';
import { utf8 } from '../../crypto/index.js';
import { sampleRelease, sampleRun } from '../../transparency-samples/index.js';
import { keysOfGenesis } from './open.js';
import { parseEntry } from './parse.js';
import { type AttackReport, attackReportBytes, isSignedBySite, parseAttackReport } from './attack-report.js';

const log = sampleRun();
sampleRelease(log);
const report = parseAttackReport([...log.attachments.values()].at(-1)!);
const [attack] = report.attacks;
const read = (attacks: AttackReport['attacks']) =>
  parseAttackReport(attackReportBytes({ ...report, attacks }));

describe('an attack report', () => {
  it('holds each attack once, the loss threshold first', () => {
    const other = { ...attack!, attack: 'reference-calibrated' } as const;
    expect(read([attack!, other]).attacks).toHaveLength(2);
    expect(() => read([attack!, attack!])).toThrow('is not of its form: attacks');
    expect(() => read([other])).toThrow('is not of its form: attacks');
  });

  it('is refused when it is no canonical JSON', () => {
    expect(() => parseAttackReport(utf8('{'))).toThrow(expect.objectContaining({ code: 'E_RELEASE' }));
  });

  it('is signed by the site that it names, and by no other', () => {
    const sites = keysOfGenesis(parseEntry(log.federation.genesisEntry)).members;
    expect(isSignedBySite(report, sites[0])).toBe(true);
    expect(isSignedBySite(report, sites[1])).toBe(false);
    expect(isSignedBySite(report, undefined)).toBe(false);
  });
});
