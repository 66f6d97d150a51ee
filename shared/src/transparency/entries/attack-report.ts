import { z } from 'zod';
import { canonicalJsonBytes, parseCanonicalJson, signEd25519, verifyEd25519 } from '../../crypto/index.js';
import { RegulonError } from '../../errors/index.js';
import { keyReference, KeyType, type NamedSeed, parseVkey, verifierKeyOf } from '../notes/vkey.js';
import { preAuthenticationEncoding } from './dsse.js';
import type { GenesisMember } from './federation-keys.js';
import {
  band,
  count,
  decimal,
  digest,
  keyReference as keyReferenceText,
  name,
  runName,
  signature,
} from './fields.js';

/** Of no entry: a site's signature under a report is none under an entry, and the other way round. */
const REPORT_TYPE = 'application/vnd.regulon.attack-report+json;v=1';

/** False positive rates at which an attack is reported, ascending; 0.1 % and 1 % are the ones that count. */
export const FALSE_POSITIVE_RATES = [
  ...(['0.001', '0.002', '0.005', '0.01', '0.02', '0.05', '0.1', '0.2', '0.5'] as const),
];

/** Least units on each side of a test: fewer tell of single patients, and nothing of the model. */
export const LEAST_TESTED = 20;

/** A measured value may lie so many of its standard errors above its bound. */
const ERRORS = 3;

/** Least count of a band that a test may have. */
export const LEAST_OF_BAND = {
  '20-49': 20,
  '50-99': 50,
  '100-199': 100,
  '200-499': 200,
  '500+': 500,
} as const;

const testedBand = band.exclude(['<20']);

/** What was measured is stated in 1/32: several shares of the same few units in finer digits give their number. */
export const SHARE_PARTS = 32;
/** Standard errors follow from bands, not from counts. */
export const ERROR_PARTS = 1024;

const partsOf = (parts: number) =>
  decimal.refine((text) => {
    const value = Number(text);
    return value >= 0 && value <= 1 && Number.isInteger(value * parts);
  }, `a share in 1/${parts}`);
const share = partsOf(SHARE_PARTS);

const point = z.strictObject({
  falsePositives: decimal,
  /** share of members found */
  found: share,
  /** standard error of that share with the least counts of the bands, rounded up */
  error: partsOf(ERROR_PARTS),
  /** what no attack exceeds by the (ε, δ) of the run; null without differential privacy */
  bound: decimal.nullable(),
});

const attack = z.strictObject({
  attack: z.enum(['loss-threshold', 'reference-calibrated']),
  /** area under the curve */
  area: share,
  curve: z
    .array(point)
    .length(FALSE_POSITIVE_RATES.length)
    .refine(
      (curve) => curve.every((p, i) => p.falsePositives === FALSE_POSITIVE_RATES[i]),
      'the fixed rates',
    ),
});

/** What membership tests reach against one model at one site; no value of a single patient, counts in bands. */
export const attackReport = z.strictObject({
  schema: z.literal('regulon.attack-report/1'),
  run: runName,
  arm: count,
  /** digest of the weights that were attacked */
  model: digest,
  site: name,
  /** to the dataset whose units are the members: that of the site's contributions to the run */
  commitment: digest,
  /** units that were trained on, and others of the same kind */
  members: testedBand,
  others: testedBand,
  attacks: z
    .array(attack)
    .min(1)
    .max(2)
    .refine((attacks) => attacks[0]?.attack === 'loss-threshold', 'the loss threshold first')
    .refine((attacks) => attacks[1]?.attack !== 'loss-threshold', 'each attack once'),
  /** by the statement key of the site, over everything else: nobody else can have measured it */
  signature: z.strictObject({ key: keyReferenceText, sig: signature }),
});
/** See `attackReport`. */
export type AttackReport = z.infer<typeof attackReport>;
/** What a report says, before its site signs it. */
export type AttackFindings = Omit<AttackReport, 'signature'>;
/** One attack of a report. */
export type AttackResult = AttackReport['attacks'][number];

/** The bytes of a report, as they are attached. */
export function attackReportBytes(report: AttackReport): Uint8Array {
  return canonicalJsonBytes(report);
}

const signedBytes = (findings: AttackFindings): Uint8Array =>
  preAuthenticationEncoding(canonicalJsonBytes(findings), REPORT_TYPE);

/** A site signs what its test has found. @param signer the statement key of the site */
export function signAttackReport(findings: AttackFindings, signer: NamedSeed): AttackReport {
  const sig = Buffer.from(signEd25519(signer.seed, signedBytes(findings))).toString('base64');
  return { ...findings, signature: { key: keyReference(verifierKeyOf(signer, KeyType.statement)), sig } };
}

/** Whether the site that a report names has signed it. @param member in force; undefined for a site that is none */
export function isSignedBySite(report: AttackReport, member: GenesisMember | undefined): boolean {
  if (report.site !== member?.name) return false;
  const { signature: given, ...findings } = report;
  const { publicKey, ...key } = parseVkey(member.statement);
  if (given.key !== keyReference({ ...key, publicKey })) return false;
  return verifyEd25519(publicKey, signedBytes(findings), Uint8Array.from(Buffer.from(given.sig, 'base64')));
}

/** Read a report. @param bytes attacker-controlled @throws E_RELEASE when it is none */
export function parseAttackReport(bytes: Uint8Array): AttackReport {
  const refuse = (why: string): never => {
    throw new RegulonError('E_RELEASE', `the attack report ${why}`, {
      hint: '`regulon model test` writes one of the model',
    });
  };
  let value: unknown;
  try {
    value = parseCanonicalJson(bytes, 'the attack report');
  } catch {
    return refuse('is no canonical JSON');
  }
  const { success, data, error } = attackReport.safeParse(value);
  if (success) return data;
  const [where = ''] = error.issues.map(({ path }) => path.map(String).join('.').slice(0, 100));
  return refuse(`is not of its form: ${where}`);
}

/** Rates at which an attack found more members than its bound and three standard errors allow. */
export function ratesAboveBound({ curve }: AttackResult): string[] {
  const isAbove = ({ found, error, bound }: AttackResult['curve'][number]): boolean =>
    bound !== null && Number(found) > Number(bound) + ERRORS * Number(error);
  return curve.filter(isAbove).map(({ falsePositives }) => falsePositives);
}

/**
 * Standard error of a share of members that is found at a threshold which the others set.
 *
 * @param expected share of members that is expected: the bound, or without one what was found
 * @see test of A8 in docs/privacy.md: the threshold's own error enters by the slope of the curve
 */
export function errorOfShare(
  falsePositives: number,
  expected: number,
  counts: { readonly members: number; readonly others: number },
): number {
  const slope = Math.max(1, expected / falsePositives);
  const ofThreshold = slope * Math.sqrt((falsePositives * (1 - falsePositives)) / counts.others);
  return Math.hypot(Math.sqrt((expected * (1 - expected)) / counts.members), ofThreshold);
}
