import type { z } from 'zod';
import { accessRequestBody, adminActBody, configChangeBody } from './bodies-deeds.js';
import {
  anchorBody,
  forkEvidenceBody,
  logBaselineBody,
  logPruneBody,
  reportIssuedBody,
  witnessRefusalBody,
} from './bodies-evidence.js';
import {
  configStartBody,
  datasetBody,
  datasetWithdrawBody,
  genesisBody,
  policyBody,
  policyOverrideBody,
} from './bodies-federation.js';
import {
  keyRotateBody,
  memberJoinBody,
  memberRevokeBody,
  roleGrantBody,
  roleRevokeBody,
} from './bodies-member.js';
import {
  planApproveBody,
  planProposeBody,
  planRefusalBody,
  runFinishBody,
  runStartBody,
} from './bodies-plan.js';
import { modelExportBody, modelReleaseBody } from './bodies-release.js';
import {
  egressReceiptBody,
  roundAbortBody,
  roundAckBody,
  roundAggregateBody,
  roundContributionBody,
  roundOpenBody,
  roundReopenBody,
  roundUnmaskBody,
  retentionDeleteBody,
} from './bodies-round.js';

/** Who may act in the log. */
export type ActorType =
  'site' | 'coordinator' | 'steward' | 'administrator' | 'researcher' | 'auditor' | 'operator';

/** Whether an entry belongs to the federation, to a run, or to an attempt of a round. */
export type Scope = 'federation' | 'run' | 'round';

interface KindRule {
  readonly scope: Scope;
  readonly actors: readonly ActorType[];
  readonly body: z.ZodType;
}

const ANYBODY = [
  ...(['site', 'coordinator', 'steward', 'administrator', 'researcher', 'auditor', 'operator'] as const),
] as const;

/** Every kind of entry: where it belongs, who may write it, what it says. */
export const kinds = {
  'federation.genesis': { scope: 'federation', actors: ['coordinator'], body: genesisBody },
  'member.join': { scope: 'federation', actors: ['coordinator'], body: memberJoinBody },
  'member.revoke': { scope: 'federation', actors: ['coordinator'], body: memberRevokeBody },
  'key.rotate': { scope: 'federation', actors: ['coordinator'], body: keyRotateBody },
  'role.grant': { scope: 'federation', actors: ['steward'], body: roleGrantBody },
  'role.revoke': { scope: 'federation', actors: ['steward'], body: roleRevokeBody },
  'policy.set': { scope: 'federation', actors: ['steward'], body: policyBody },
  'policy.override': { scope: 'federation', actors: ['steward'], body: policyOverrideBody },
  'dataset.commit': { scope: 'federation', actors: ['site', 'steward'], body: datasetBody },
  'dataset.withdraw': { scope: 'federation', actors: ['steward'], body: datasetWithdrawBody },
  'plan.propose': { scope: 'federation', actors: ['researcher'], body: planProposeBody },
  'plan.approve': { scope: 'federation', actors: ['steward'], body: planApproveBody },
  'plan.reject': { scope: 'federation', actors: ['steward'], body: planRefusalBody },
  'plan.withdraw': { scope: 'federation', actors: ['steward'], body: planRefusalBody },
  'run.start': { scope: 'run', actors: ['coordinator'], body: runStartBody },
  'round.open': { scope: 'round', actors: ['coordinator'], body: roundOpenBody },
  'round.contribution': { scope: 'round', actors: ['site'], body: roundContributionBody },
  'round.unmask': { scope: 'round', actors: ['site'], body: roundUnmaskBody },
  'round.aggregate': { scope: 'round', actors: ['coordinator'], body: roundAggregateBody },
  'round.abort': { scope: 'round', actors: ['coordinator', 'site'], body: roundAbortBody },
  'round.reopen': { scope: 'round', actors: ['coordinator'], body: roundReopenBody },
  'round.ack': { scope: 'round', actors: ['site'], body: roundAckBody },
  'egress.receipt': { scope: 'round', actors: ['site'], body: egressReceiptBody },
  'retention.delete': { scope: 'round', actors: ['coordinator'], body: retentionDeleteBody },
  'run.finish': { scope: 'run', actors: ['coordinator'], body: runFinishBody },
  'model.release': { scope: 'run', actors: ['researcher'], body: modelReleaseBody },
  'model.export': { scope: 'run', actors: ['researcher'], body: modelExportBody },
  'config.start': { scope: 'federation', actors: ['site', 'coordinator'], body: configStartBody },
  'config.change': { scope: 'federation', actors: ['site', 'coordinator'], body: configChangeBody },
  'access.request': { scope: 'federation', actors: ['coordinator'], body: accessRequestBody },
  'admin.act': { scope: 'federation', actors: ['coordinator'], body: adminActBody },
  'witness.refusal': { scope: 'federation', actors: ['site'], body: witnessRefusalBody },
  'fork.evidence': { scope: 'federation', actors: ANYBODY, body: forkEvidenceBody },
  'report.issued': { scope: 'federation', actors: ['auditor', 'coordinator'], body: reportIssuedBody },
  'log.baseline': { scope: 'federation', actors: ['coordinator', 'site'], body: logBaselineBody },
  'log.prune': { scope: 'federation', actors: ['coordinator'], body: logPruneBody },
  anchor: { scope: 'federation', actors: ['coordinator'], body: anchorBody },
} as const satisfies Record<string, KindRule>;

/** Name of a kind of entry, e.g. `round.open`. */
export type Kind = keyof typeof kinds;

/** Body of a kind of entry. */
export type BodyOf<K extends Kind> = z.infer<(typeof kinds)[K]['body']>;

/** Members of an entry that say where it belongs. */
export type ScopeOf<K extends Kind> = (typeof kinds)[K]['scope'] extends 'round'
  ? { readonly run: string; readonly round: number; readonly attempt: number }
  : (typeof kinds)[K]['scope'] extends 'run'
    ? { readonly run: string; readonly round?: undefined; readonly attempt?: undefined }
    : { readonly run?: undefined; readonly round?: undefined; readonly attempt?: undefined };

/** True for the name of a kind; inherited names are none. */
export function isKind(value: unknown): value is Kind {
  return typeof value === 'string' && Object.hasOwn(kinds, value);
}
