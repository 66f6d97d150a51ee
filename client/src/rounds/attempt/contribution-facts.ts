import { fromHex } from '@regulon/shared/crypto';
import { specificationDigest } from '@regulon/shared/genomics';
import { Purpose, type ScheduledRound, STEP_SAMPLER } from '@regulon/shared/program';
import { type Manifest, samplerFor } from '@regulon/shared/secagg';
import type { AttemptFacts } from '../../state/index.js';
import type { RunSession } from '../run/run-session.js';
import type { ContributionFacts } from './entries.js';
import type { StoredUpload } from './stored-upload.js';

/** An attempt whose shares were opened. */
interface ContributionPlace {
  readonly ctx: Uint8Array;
  readonly session: RunSession;
  readonly round: ScheduledRound;
  readonly manifest: Manifest;
  readonly opened: Pick<AttemptFacts, 'h2' | 'uploadStart'>;
}

/** What the log learns of a contribution, but for gate and deadline. */
export function factsOf(
  { ctx, session, round, manifest, opened }: ContributionPlace,
  upload: StoredUpload,
): Omit<ContributionFacts, 'gate' | 'end'> {
  const { site, program, agreement } = session;
  const own = agreement.contract.plan.privacy && round.purpose === Purpose.train ? STEP_SAMPLER : null;
  return {
    ctx,
    silent: round.silent.includes(site.site.own.id),
    modelHash: manifest.modelHash,
    featureSpecification: specificationDigest(program.specification(round.arm)),
    h2: fromHex(opened.h2 ?? '', 32),
    ...{ length: upload.length, root: fromHex(upload.root, 32), units: site.site.units },
    start: opened.uploadStart ?? new Date().toISOString(),
    sampler: samplerFor(manifest, site.site.samplers)?.name ?? own,
  };
}
