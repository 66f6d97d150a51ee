import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { hex } from '@regulon/shared/crypto';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
x509.cryptoProvider.set(webcrypto);

/** PEM texts for one side of mutual TLS. */
export interface Material {
  ca: string;
  cert: string;
  key: string;
}

/** A certificate authority made on the spot, for tests on loopback. */
export class TestAuthority {
  private constructor(
    private readonly certificate: x509.X509Certificate,
    private readonly keys: webcrypto.CryptoKeyPair,
  ) {}

  static async make(name = 'CN=test authority'): Promise<TestAuthority> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name,
      ...validity(),
      signingAlgorithm: P256,
      keys,
      extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    });
    return new TestAuthority(certificate, keys);
  }

  /** A coordinator's certificate for loopback. @param daysLeft negative for one that is over */
  coordinator(daysLeft = 1): Promise<Material> {
    const names = [
      { type: 'ip', value: '127.0.0.1' },
      { type: 'dns', value: 'localhost' },
    ] as const;
    return this.issue('CN=coordinator', [...names], daysLeft);
  }

  /** A site's certificate: its SAN binds roster id and identity key. */
  site(id: number, key: Uint8Array, daysLeft = 1): Promise<Material> {
    return this.issue(`CN=site ${id}`, [{ type: 'url', value: `regulon:site:${id}:${hex(key)}` }], daysLeft);
  }

  private async issue(subject: string, names: x509.JsonGeneralName[], daysLeft: number): Promise<Material> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject,
      issuer: this.certificate.subject,
      ...validity(daysLeft),
      signingAlgorithm: P256,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      extensions: [new x509.SubjectAlternativeNameExtension(names)],
    });
    const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    return {
      ca: this.certificate.toString('pem'),
      cert: certificate.toString('pem'),
      key: x509.PemConverter.encode(key, 'PRIVATE KEY'),
    };
  }
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);

const DAY_MS = 86_400_000;
const validity = (daysLeft = 1): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() + Math.min(0, daysLeft - 1) * DAY_MS - 60_000),
  notAfter: new Date(Date.now() + daysLeft * DAY_MS),
});
