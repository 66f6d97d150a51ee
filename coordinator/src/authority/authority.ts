import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import { RegulonError } from '@regulon/shared/errors';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const BACKDATE_MS = 300_000;
/** the authority outlives its certificates: everybody pins it once */
const ROOT_DAYS = 3650;
/** of a certificate, unless the founder says otherwise */
export const CERTIFICATE_DAYS = 90;

/** A certificate with its private key, both as PEM text. */
export interface Credential {
  readonly certificate: string;
  readonly privateKey: string;
}

/** What the certificate of a site says: the roster id and the identity key IK it is bound to. */
export interface SiteName {
  readonly id: number;
  readonly name: string;
  /** IK, 64 hexadecimal digits */
  readonly identityKey: string;
}

/** The URI in a site's certificate that binds the TLS name to the identity key. */
export const siteUri = (site: Pick<SiteName, 'id' | 'identityKey'>): string =>
  `regulon:site:${site.id}:${site.identityKey}`;

/**
 * The certificate authority of a federation, held by the operator; it answers certificate requests and nothing else.
 *
 * Certificates never replace the identity keys: they open the TLS door, the roster says who is who.
 */
export class Authority {
  private constructor(
    private readonly root: x509.X509Certificate,
    private readonly keys: webcrypto.CryptoKeyPair,
    private readonly validDays: number,
  ) {}

  /**
   * Make a self-signed authority for one federation.
   *
   * @param validDays of the certificates that it issues
   */
  static async create(federationId: string, validDays = CERTIFICATE_DAYS): Promise<Authority> {
    const keys = await newKeys();
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: newSerial(),
      name: `CN=${federationId} authority`,
      ...validity(Math.max(ROOT_DAYS, validDays)),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new Authority(root, keys, validDays);
  }

  /**
   * The authority whose two files were written earlier.
   *
   * @param certificate PEM
   * @param privateKey PKCS#8 PEM
   * @throws E_CERTIFICATE when one of them cannot be read, or they do not belong together
   */
  static async load(
    certificate: string,
    privateKey: string,
    validDays = CERTIFICATE_DAYS,
  ): Promise<Authority> {
    try {
      const root = new x509.X509Certificate(certificate);
      const spki = Buffer.from(root.publicKey.rawData);
      const keys = await keysOf(privateKey, spki);
      const authority = new Authority(root, keys, validDays);
      await authority.verifyPair();
      return authority;
    } catch (cause) {
      throw new RegulonError('E_CERTIFICATE', 'certificate and key of the authority cannot be used', {
        cause,
        hint: 'put back the files of the authority as `regulon fed create` made them',
      });
    }
  }

  /** The authority's certificate as PEM text: what everybody pins. */
  get certificate(): string {
    return `${this.root.toString('pem')}\n`;
  }

  /** The authority's private key as PEM text; belongs into a 0600 file of the operator. */
  async privateKey(): Promise<string> {
    return privateKeyPem(this.keys.privateKey);
  }

  /**
   * Issue the client certificate of a site for its own request.
   *
   * @throws E_CERTIFICATE when the request is not signed by its own key
   */
  async issueSite(requestPem: string, site: SiteName): Promise<string> {
    const request = requestOf(requestPem);
    if (request === undefined || !(await request.verify())) {
      throw new RegulonError(
        'E_CERTIFICATE',
        `the certificate request of ${site.name} is not signed by its key`,
      );
    }
    return this.issue(
      `CN=${site.name}`,
      request.publicKey,
      [x509.ExtendedKeyUsage.clientAuth],
      [{ type: 'url', value: siteUri(site) }],
    );
  }

  /**
   * Issue the server certificate of the coordinator, valid for the given DNS names and addresses.
   *
   * @param held PKCS#8 PEM of the key to be certified; by default a fresh one
   */
  async issueServer(
    names: { dns: readonly string[]; ip: readonly string[] },
    held?: string,
  ): Promise<Credential> {
    const keys = await (held === undefined ? newKeys() : keysOf(held));
    const alternatives: x509.JsonGeneralNames = [
      ...names.dns.map((value) => ({ type: 'dns' as const, value })),
      ...names.ip.map((value) => ({ type: 'ip' as const, value })),
    ];
    const certificate = await this.issue(
      'CN=coordinator',
      keys.publicKey,
      // the bulk server connects to itself at its start to measure its windows
      [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
      alternatives,
    );
    return { certificate, privateKey: await privateKeyPem(keys.privateKey) };
  }

  private async verifyPair(): Promise<void> {
    const probe = randomBytes(32);
    const { privateKey, publicKey } = this.keys;
    const signature = await webcrypto.subtle.sign(ALGORITHM, privateKey, probe);
    if (!(await webcrypto.subtle.verify(ALGORITHM, publicKey, signature, probe)))
      throw new RegulonError('E_CERTIFICATE', 'the key of the authority is another one', {
        hint: 'put back the folder authority as `regulon fed create` made it',
      });
  }

  private async issue(
    subject: string,
    publicKey: webcrypto.CryptoKey | x509.PublicKey,
    usages: x509.ExtendedKeyUsage[],
    alternatives: x509.JsonGeneralNames,
  ): Promise<string> {
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: newSerial(),
      subject,
      issuer: this.root.subject,
      ...validity(this.validDays),
      signingAlgorithm: ALGORITHM,
      publicKey,
      signingKey: this.keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(usages, true),
        new x509.SubjectAlternativeNameExtension(alternatives),
        await x509.AuthorityKeyIdentifierExtension.create(this.root, false),
      ],
    });
    return `${certificate.toString('pem')}\n`;
  }
}

/** 126 random bits: no register of numbers to keep, and none repeats. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(now + days * DAY_MS) };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** @param spki DER of the public half; by default that of the key */
async function keysOf(
  pem: string,
  spki = createPublicKey(pem).export({ format: 'der', type: 'spki' }),
): Promise<webcrypto.CryptoKeyPair> {
  const pkcs8 = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, ALGORITHM, true, ['verify']),
  };
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  return `${x509.PemConverter.encode(der, 'PRIVATE KEY')}\n`;
}

function requestOf(pem: string): x509.Pkcs10CertificateRequest | undefined {
  try {
    return new x509.Pkcs10CertificateRequest(pem);
  } catch {
    return undefined;
  }
}
