import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { webcrypto, X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Authority, siteUri } from './authority.js';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const site = { id: 3, name: 'site-3', identityKey: 'ab'.repeat(32) };

async function request(): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=site-3',
    keys,
    signingAlgorithm: algorithm,
  });
  return csr.toString('pem');
}

describe('the authority of a federation', () => {
  it('issues a client certificate whose alternative name binds the identity key', async () => {
    const authority = await Authority.create('fed_test');
    const certificate = new X509Certificate(await authority.issueSite(await request(), site));
    const root = new X509Certificate(authority.certificate);
    expect(certificate.subjectAltName).toBe(`URI:${siteUri(site)}`);
    expect(certificate.verify(root.publicKey)).toBe(true);
    expect(certificate.checkIssued(root)).toBe(true);
    expect(root.ca).toBe(true);
    expect(certificate.ca).toBe(false);
  });

  it('issues a server certificate for loopback', async () => {
    const authority = await Authority.create('fed_test');
    const { certificate } = await authority.issueServer({ dns: ['localhost'], ip: ['127.0.0.1'] });
    const parsed = new X509Certificate(certificate);
    expect(parsed.checkHost('localhost')).toBe('localhost');
    expect(parsed.checkIP('127.0.0.1')).toBe('127.0.0.1');
  });

  it('refuses a request with a changed byte', async () => {
    const authority = await Authority.create('fed_test');
    const der = Buffer.from(x509.PemConverter.decodeFirst(await request()));
    der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
    const forged = x509.PemConverter.encode(der, 'CERTIFICATE REQUEST');
    await expect(authority.issueSite(forged, site)).rejects.toMatchObject({ code: 'E_CERTIFICATE' });
  });
});
