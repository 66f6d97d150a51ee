import { createPrivateKey, createPublicKey, webcrypto } from 'node:crypto';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/**
 * A TLS key and its certificate request; the identifier of the site is added by the federation's CA,
 * which binds the certificate to the identity key.
 *
 * @param name common name of the request: the name of the site
 * @param held PKCS#8 PEM of the key to be certified; by default a fresh one
 * @returns PKCS#8 PEM of the key (ECDSA P-256) and PEM of the PKCS#10 request
 */
export async function createCertificateRequest(
  name: string,
  held?: string,
): Promise<{ keyPem: string; csrPem: string }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const keys = await (held === undefined
    ? webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    : keysOf(held));
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

async function keysOf(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const pkcs8 = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(pem).export({ format: 'der', type: 'spki' });
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
  };
}
