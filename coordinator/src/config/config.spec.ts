import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { utf8 } from '@regulon/shared/crypto';
import { parseConfig, readSettings } from './index.js';

const minimal = `
schema: regulon.coordinator/1
federation: ../federation
stateFolder: state
keys: { statement: statement.key, log: log.key }
tls: { cert: tls.cert.pem, key: tls.key.pem, ca: ../federation/ca.pem }
bearerTokenFile: token
`;
const refusal = (text: string): unknown => {
  try {
    return parseConfig(utf8(text), '/etc/regulon');
  } catch (error) {
    return error;
  }
};

describe('configuration', () => {
  it('fills in defaults and counts relative paths from the folder of the file', () => {
    const config = parseConfig(utf8(minimal), '/etc/regulon');
    expect(config).toMatchObject({
      federation: '/etc/federation',
      stateFolder: '/etc/regulon/state',
      listen: { host: '127.0.0.1', controlPort: 0 },
      rounds: { maxAttempts: 3, leases: 16 },
      retention: { spools: 'next-close', auditRounds: 1, aggregates: 'keep' },
    });
  });

  it('refuses an unknown key, naming its path and not its value', () => {
    const error = refusal(`${minimal}\nlisten: { hots: secret-host }\n`);
    expect(error).toMatchObject({ code: 'E_CONFIG', message: 'configuration: listen.hots: unknown key' });
  });

  it('refuses the section for crash tests unless it is allowed', () => {
    expect(refusal(`${minimal}\ntesting: { crashAt: u2 }\n`)).toMatchObject({ code: 'E_CONFIG' });
    expect(
      parseConfig(utf8(`${minimal}\nallowTesting: true\ntesting: { crashAt: u2#3 }\n`), '/').testing,
    ).toEqual({
      crashAt: 'u2#3',
    });
    expect(refusal(`${minimal}\nallowTesting: true\ntesting: { crashAt: lunch }\n`)).toMatchObject({
      code: 'E_CONFIG',
    });
  });

  it('refuses what is no YAML', () => {
    expect(refusal('a: [')).toMatchObject({ code: 'E_CONFIG' });
  });

  describe('files', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'regulon-config-'));
      writeFileSync(join(folder, 'coordinator.yaml'), minimal);
    });
    afterEach(() => rmSync(folder, { recursive: true }));
    const read = (): unknown => readSettings(join(folder, 'coordinator.yaml'));

    it('names a file that is missing', () => {
      expect(read).toThrow(
        expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining('statement.key') }),
      );
    });

    it('refuses a key that others can read', () => {
      writeFileSync(join(folder, 'statement.key'), 'ab'.repeat(32), { mode: 0o644 });
      expect(read).toThrow(expect.objectContaining({ code: 'E_KEY_FILE' }));
    });

    it('refuses a key file that holds something else, without showing it', () => {
      writeFileSync(join(folder, 'statement.key'), 'hunter2', { mode: 0o600 });
      expect(read).toThrow(
        expect.objectContaining({ code: 'E_KEY_FILE', message: expect.not.stringContaining('hunter2') }),
      );
    });
  });
});
