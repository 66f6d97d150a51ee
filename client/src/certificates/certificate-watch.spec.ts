import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { RegulonError } from '@regulon/shared/errors';
import { CertificateWatch } from './certificate-watch.js';

/** Valid for the whole of 2026, self-signed, P-256; nobody trusts it. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBDzCBtaADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMTBHRlc3QwHhcN
MjYwMTAxMDAwMDAwWhcNMjcwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDEwR0ZXN0MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFeisQMKNtxpEqtFjm4hz704fSDSl9JZj
J76ZGS2+k3e8oQ/DBYmaut3P7Hbu2thUt8BpK2CoQDOvU3H9eVZ6nqMCMAAwCgYI
KoZIzj0EAwIDSQAwRgIhAJ+/BCgb6A8IPJcHg/6Jaf24ARbC+GZ6ioA3mpg1kZw1
AiEAzPIz4yRBA0VZY12QwQVoX3urRMFLdfgJCQ53AAOy00k=
-----END CERTIFICATE-----
`;
let folder: string;
let told: unknown[];
const used: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-watch-'));
  told = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A watch at a site whose coordinator answers with an error. */
function watchAt(date: string, certificate = CERTIFICATE): CertificateWatch {
  const tls = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(tls.cert, certificate);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(tls.key, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  const renewed = { tls, site: 'a', federationId: 'fed_test', identity: new Uint8Array(32) };
  const link = {
    exchange: () => Promise.reject(new RegulonError('E_CONNECTION', 'gone')),
    useCertificate: (cert: string) => void used.push(cert),
  };
  const logger = pino(
    { base: null },
    { write: (line: string) => void told.push(JSON.parse(line) as unknown) },
  );
  return new CertificateWatch({ link, logger, renewed }, () => Date.parse(date));
}

describe('the watch over the certificate', () => {
  it('asks for nothing in the first two thirds of its life', async () => {
    await watchAt('2026-08-01T00:00:00Z').look();
    expect([told, used]).toEqual([[], []]);
  });

  it('tells of a failure by its code and goes on with the present certificate', async () => {
    await watchAt('2026-11-01T00:00:00Z').look();
    await watchAt('2026-08-01T00:00:00Z', 'no certificate').look();
    expect(told).toMatchObject([
      { level: 40, code: 'E_CONNECTION', msg: expect.stringMatching(/ends soon and was not renewed; gone/) },
      { level: 40, code: 'E_INTERNAL' },
    ]);
    expect(used).toEqual([]);
  });
});
