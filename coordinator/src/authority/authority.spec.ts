import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Authority, siteUri } from './authority.js';
import { renewOwnCertificate } from './own-certificate.js';

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

describe('the certificate of a coordinator', () => {
  it('is renewed at a start for its names and its key, once it is older than a day', async () => {
    const authority = await Authority.create('fed_test', 3);
    const names = { dns: ['coordinator.example', 'localhost'], ip: ['127.0.0.1'] };
    const { certificate: cert, privateKey: key } = await authority.issueServer(names);
    const folder = mkdtempSync(join(tmpdir(), 'regulon-own-'));
    const own = { cert, key, file: join(folder, 'tls.cert.pem') };
    expect(await renewOwnCertificate(authority, own, Date.now())).toBe(cert);
    const renewed = await renewOwnCertificate(authority, own, Date.now() + 86_400_000);
    expect(readFileSync(own.file, 'utf8')).toBe(renewed);
    const [before, after] = [new X509Certificate(cert), new X509Certificate(renewed)];
    expect(after.subjectAltName).toBe(before.subjectAltName);
    expect(after.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(after.serialNumber).not.toBe(before.serialNumber);
    rmSync(folder, { recursive: true });
  });
});

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
