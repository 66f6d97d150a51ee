import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { readDaemonConfig, readSitePolicy } from './read-config.js';
import { temporaryFolder } from '../state/temporary-folder.support.js';

const folder = temporaryFolder('config');
const good = {
  ...{
    schema: 'regulon.daemon/1',
    site: 'a',
    stateFolder: 'state',
    federation: 'fed',
    rosterHash: 'ab'.repeat(32),
  },
  coordinator: { host: 'localhost', controlPort: 1 },
  tls: { cert: 'c.pem', key: '/abs/k.pem', ca: 'ca.pem' },
  policyFile: 'policy.yaml',
  dataset: { name: 'toy', kind: 'expression', scale: 'counts', unit: 'patient', counts: 'x.tsv' },
};

function read(value: unknown): ReturnType<typeof readDaemonConfig> {
  const file = join(folder, 'daemon.yaml');
  writeFileSync(file, typeof value === 'string' ? value : stringify(value));
  return readDaemonConfig(file);
}

describe('the configuration of a daemon', () => {
  it('is one file whose relative paths start at its folder', () => {
    const config = read(good);
    expect(config.stateFolder).toBe(join(folder, 'state'));
    expect(config.dataset.counts).toBe(join(folder, 'x.tsv'));
    expect(config.tls.key).toBe('/abs/k.pem');
    expect(config).toMatchObject({ logLevel: 'info', allowTesting: false, training: { backend: 'auto' } });
    expect(config.secretMaxAgeDays).toBe(7);
  });

  it.each([
    [{ ...good, colour: 'red-secret' }, 'colour: unknown key'],
    [{ ...good, dataset: { ...good.dataset, path: 'red-secret' } }, 'dataset.path: unknown key'],
    [{ ...good, coordinator: { host: 'h', controlPort: 99_999 } }, 'coordinator.controlPort'],
    [{ ...good, rosterHash: 'red-secret' }, 'rosterHash'],
    [{ ...good, secretMaxAgeDays: 0 }, 'secretMaxAgeDays'],
    [{ ...good, testing: { crashAt: 'trained' } }, 'testing: needs allowTesting'],
    [{ ...good, allowTesting: true, testing: { crashAt: 'red-secret' } }, 'testing.crashAt'],
  ])('refuses a wrong key by its path and never shows the value (%#)', (value, expected) => {
    expect(() => read(value)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
    expect(() => read(value)).toThrow(expected);
    expect(() => read(value)).not.toThrow(/red-secret/);
  });

  it('names the line of a file that is no YAML, and a file that is not there', () => {
    expect(() => read('a: [1\nb: 2')).toThrow(/line \d is not YAML/);
    expect(() => readDaemonConfig(join(folder, 'missing.yaml'))).toThrow(/ENOENT/);
  });

  it('takes a crash point for tests only', () => {
    const testing = { crashAt: 'y-written#3', roundingSecret: '07'.repeat(32) };
    expect(read({ ...good, allowTesting: true, testing }).testing).toEqual(testing);
  });

  it('reads the site policies of the examples, and refuses an unknown rule', () => {
    const file = join(folder, 'policy.yaml');
    writeFileSync(
      file,
      stringify({ schema: 'regulon.site-policy/1', purposes: ['research'], requireSecAgg: false }),
    );
    expect(() => readSitePolicy(file)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
    writeFileSync(file, stringify({ schema: 'regulon.site-policy/1', purposes: ['research'] }));
    expect(readSitePolicy(file)).toMatchObject({ nMin: 5, leaveSiteOut: 'off', requireSecAgg: true });
    const papers =
      'legalBasis: gdpr-9-2-j\nreferences: [{ kind: ethics, reference: vote 1/2026 }]\nvalidUntil: 2027-02-28\n';
    writeFileSync(file, `schema: regulon.site-policy/1\npurposes: [research]\n${papers}`);
    expect(readSitePolicy(file)).toMatchObject({ legalBasis: 'gdpr-9-2-j', validUntil: '2027-02-28' });
    for (const wrong of [
      'validUntil: 2027-02-30',
      'validUntil: 9999-12-31',
      'legalBasis: art 9',
      'references: [{ kind: other, reference: x }]',
      'code: []',
    ]) {
      writeFileSync(file, `schema: regulon.site-policy/1\npurposes: [research]\n${wrong}\n`);
      expect(() => readSitePolicy(file)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
    }
  });
});
