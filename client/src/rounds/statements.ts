import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  canonicalJsonBytes,
  enc,
  fromHex,
  hex,
  hkdf,
  randomBytes,
  sha256,
  utf8,
} from '@regulon/shared/crypto';
import { decimalOf, endOfPolicy, type SitePolicy, sitePolicySchema } from '@regulon/shared/plan';
import {
  attachmentOf,
  bandOf,
  type BodyOf,
  digestText,
  MediaType,
  SECURE_AGGREGATION,
} from '@regulon/shared/transparency';
import type { DatasetConfig } from '../config/index.js';
import { readSeedFile, writeKeyFile } from '../enrol/index.js';
import type { DatasetDescription } from '../datasets/index.js';

/** What the steward of a site is asked to sign and post: bodies of `policy.set` and `dataset.commit`. */
export interface StewardStatements {
  readonly dataset: BodyOf<'dataset.commit'>;
  readonly policy: BodyOf<'policy.set'>;
  /** the policy attachment, base64 */
  readonly policyAttachment: string;
}

/**
 * Bodies that describe this site without showing its data.
 *
 * @param saltFolder private folder; the salt of the commitment is made there once and stays
 */
export function statementsOf(
  policy: SitePolicy,
  dataset: DatasetConfig,
  description: DatasetDescription,
  saltFolder: string,
): StewardStatements {
  const { dataUse = [] } = dataset;
  const { qualityReport } = description;
  const attachment = canonicalJsonBytes(sitePolicySchema.parse(policy));
  const manifest = canonicalJsonBytes({
    ...{ name: dataset.name, kind: dataset.kind, scale: dataset.scale, unit: dataset.unit },
    ...{ content: hex(description.content), panel: hex(description.panel.digest) },
    // an approval names the commitment, so it ends when the terms change
    ...(dataUse.length > 0 && { dataUse }),
  });
  const salt = saltOf(saltFolder);
  const commitment = sha256(salt, manifest);
  return {
    dataset: {
      dataset: dataset.name,
      version: 1,
      commitment: digestText(commitment),
      schema: digestText(sha256(utf8(`${dataset.kind}/${dataset.scale}/${dataset.unit}`))),
      panel: { digest: digestText(description.panel.digest), size: description.panel.size },
      band: bandOf(description.units),
      unit: dataset.unit,
      qualityReport: qualityReport && digestText(sha256(reportKey(salt, commitment), qualityReport)),
      dataUse,
      public: dataset.public,
      simulated: dataset.simulated,
    },
    policy: policyBody(policy, dataset, attachment),
    policyAttachment: Buffer.from(attachment).toString('base64'),
  };
}

/**
 * Secret under which a commitment names its quality report: the report could be guessed from its bare digest, and who is shown
 * one report and its key learns nothing of other digests of the site.
 *
 * @param salt of the site, 32 bytes
 * @param commitment 32 bytes
 * @returns 32 bytes
 */
function reportKey(salt: Uint8Array, commitment: Uint8Array): Uint8Array {
  return hkdf(salt, new Uint8Array(32), enc('regulon/quality-report/v1', commitment), 32);
}

function policyBody(
  policy: SitePolicy,
  dataset: DatasetConfig,
  attachment: Uint8Array,
): BodyOf<'policy.set'> {
  return {
    policy: attachmentOf(attachment, MediaType.json),
    supersedes: null,
    dataUse: policy.dataUse ?? [],
    purposes: [...policy.purposes],
    legalBasis: policy.legalBasis ?? 'none',
    references: policy.references ?? [],
    epsilonCap: policy.privacy ? decimalOf(policy.privacy.epsilon) : null,
    delta: policy.privacy ? decimalOf(policy.privacy.delta) : null,
    unit: dataset.unit,
    minCohort: policy.nMin,
    gamma: policy.gamma,
    allowedPlans: policy.plans === 'approved-by-steward' ? [] : policy.plans,
    allowedCode: policy.code ?? [],
    reviewersNeeded: policy.reviewersNeeded ?? 1,
    egressKinds: [SECURE_AGGREGATION],
    leaveSiteOut: policy.leaveSiteOut,
    stableCohort: policy.stableCohort,
    allowDifference: false,
    retentionClass: policy.retentionClass ?? 'none',
    validUntil: endOfPolicy(policy) ?? null,
  };
}

/** Secret of the site that is made once and stays: salt of commitments, key of the digests of units; 32 bytes. */
export function saltOf(folder: string): Uint8Array {
  const path = join(folder, 'dataset.salt');
  if (!existsSync(path)) writeKeyFile(path, `${hex(randomBytes(32))}\n`);
  return fromHex(hex(readSeedFile(path)), 32);
}
