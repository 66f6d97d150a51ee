import { canonicalJson, hashJson, hex, signEd25519, utf8, verifyEd25519 } from '@regulon/shared/crypto';
import { isSelfSigned, signMember } from '@regulon/shared/plan';
import { createCertificateRequest } from './certificate-request.js';
import { createSeedFile, keyPathsOf, privateFolder, readSeedFile, writeKeyFile } from './key-files.js';

/** What a site sends to the administrators who sign the roster: public halves only. */
export interface EnrolmentRequest {
  readonly schema: 'regulon.enrolment/1';
  readonly name: string;
  readonly org: string;
  /** Ed25519 identity key IK, hexadecimal */
  readonly statementKey: string;
  readonly cosignerKey: string;
  readonly csrPem: string;
  /** signature of IK for the roster, over name, organisation and both keys, hexadecimal */
  readonly memberSignature: string;
  /** signature of IK over the other fields, hexadecimal: the site holds the key it names */
  readonly selfSignature: string;
}

/**
 * Make the keys of a site and its enrolment request.
 *
 * @param folder the state folder; made with mode 0700 when absent
 * @throws E_KEY_FILE when keys exist already or the folder is open to others
 */
export async function initSite(folder: string, name: string, org: string): Promise<EnrolmentRequest> {
  const paths = keyPathsOf(folder);
  privateFolder(folder);
  privateFolder(paths.folder);
  const statementKey = hex(createSeedFile(paths.identity));
  const cosignerKey = hex(createSeedFile(paths.cosigner));
  const { keyPem, csrPem } = await createCertificateRequest(name);
  writeKeyFile(paths.tls, keyPem);
  const identity = readSeedFile(paths.identity);
  const memberSignature = signMember(identity, { name, org, key: statementKey, cosignerKey });
  const keys = { statementKey, cosignerKey, csrPem, memberSignature };
  const request = { schema: 'regulon.enrolment/1' as const, name, org, ...keys };
  const selfSignature = hex(signEd25519(identity, enrolmentDigest(request)));
  return { ...request, selfSignature };
}

/** True when the request, and what the roster will say of the site, is signed by the identity key that it names. */
export function verifyEnrolment(request: EnrolmentRequest): boolean {
  const { selfSignature, ...signed } = request;
  const { name, org, statementKey: key, cosignerKey, memberSignature } = request;
  const member = { name, org, key, cosignerKey, selfSignature: memberSignature };
  const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
  const whole = verifyEd25519(bytes(key), enrolmentDigest(signed), bytes(selfSignature));
  return whole && isSelfSigned(member);
}

function enrolmentDigest(request: Omit<EnrolmentRequest, 'selfSignature'>): Uint8Array {
  return hashJson('enrolment', utf8(canonicalJson(request)));
}
