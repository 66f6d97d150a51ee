import { webcrypto } from 'node:crypto';

/**
 * A fresh TLS key and its certificate request; the identifier of the site is added by the federation's CA,
 * which binds the certificate to the identity key.
 *
 * @param name common name of the request: the name of the site
 * @returns PKCS#8 PEM of the key (ECDSA P-256) and PEM of the PKCS#10 request
 */
export async function createCertificateRequest(name: string): Promise<{ keyPem: string; csrPem: string }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    keyPem: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
    csrPem: `${request.toString('pem')}\n`,
  };
}
