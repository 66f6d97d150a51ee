import { equalBytes, fromHex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { panelDigest, SERIES_PANEL } from '@regulon/shared/genomics';
import { verifyInForce } from '@regulon/shared/plan';
import {
  contractOf,
  decodeContractFile,
  parseRunName,
  type RunContract,
  RunProgram,
} from '@regulon/shared/program';
import {
  type BodyOf,
  digestText,
  type FederationKeys,
  type LogEntry,
  openEntry,
  parseEntry,
  verifyEntry,
} from '@regulon/shared/transparency';
import type { Federation } from './federation.js';
import { isOpen, verifyDataOpen, verifyRunOpen } from './open-data.js';
import { type Exception, exceptionsOf, signedByReviewers, verifyTimeLimit } from './exceptions.js';
import { verifyPlanAllowed } from './plan-rules.js';
import type { SiteView } from './site-view.js';
import {
  approvalOf,
  commitmentOf,
  type CommittedDataset,
  verifyOwnStatements,
} from './steward-statements.js';

/** A run that this site may take part in. */
export interface Agreement {
  readonly contract: RunContract;
  /** approval of this site's steward */
  readonly approval: BodyOf<'plan.approve'>;
  /** what this site's steward said about the dataset */
  readonly dataset: BodyOf<'dataset.commit'>;
  /** what every steward said, in the order of the plan; to be compared with the log */
  readonly datasets: readonly CommittedDataset[];
  /** sites with public data in a run that is not public: they count towards no minimum */
  readonly uncounted: readonly number[];
  /** exceptions from this site's policy by which the plan is within it; to be compared with the log */
  readonly exceptions: readonly Exception[];
}

/**
 * Check what the coordinator says about a run against the signatures of the people behind it.
 *
 * @param bytes run contract, attacker-controlled
 * @param run `run_…` that was asked for
 * @param now ms since the epoch
 * @throws E_MESSAGE, E_PLAN, E_POLICY, E_PANEL, E_LOG_ENTRY; E_ROSTER when a membership has ended
 */
export function verifyAgreement(
  bytes: Uint8Array,
  run: string,
  federation: Federation,
  site: SiteView,
  now: number,
): Agreement {
  verifyInForce(federation.roster, now);
  const file = decodeContractFile(bytes);
  if (file.run !== run) throw new RegulonError('E_MESSAGE', 'the run contract is of another run');
  const entries = file.entries.map((entry) => openStatement(entry, federation));
  const contract = contractOf({
    runId: parseRunName(run),
    plan: file.plan,
    roster: federation.roster,
    panel: { digest: fromHex(file.panel.digest, 32), size: file.panel.size },
    isPublic: file.isPublic,
  });
  const { plan, planHash } = contract;
  if (!contract.sites.some((s) => s.id === site.own.id)) {
    throw new RegulonError('E_POLICY', `plan ${plan.name}: sites: this site is not named`);
  }
  const datasets = contract.sites.map(({ name }) => commitmentOf(entries, name, plan.dataset.name));
  const known = signedByReviewers(entries, digestText(planHash), site, federation.keys);
  const approvals = datasets.map((dataset) => approvalOf(known, dataset, digestText(planHash), now));
  if (datasets.every(({ body }) => isOpen(body)) !== contract.isPublic) {
    throw new RegulonError(
      'E_POLICY',
      `plan ${plan.name}: the stewards do not say that every dataset is public`,
    );
  }
  verifyRunOpen(contract, datasets);
  verifyPanels(contract, datasets);
  verifyDataOpen(site);
  const holding = exceptionsOf(entries, digestText(planHash), site, federation.keys, now);
  const rounds = new RunProgram(contract).schedule.length;
  const needed = verifyPlanAllowed(contract, site, rounds, new Set(holding.keys()));
  const at = contract.sites.findIndex((s) => s.id === site.own.id);
  const [approval, dataset] = [approvals[at], datasets[at]?.body];
  if (!approval || !dataset)
    throw new RegulonError('E_POLICY', `plan ${plan.name}: this site did not approve it`);
  verifyOwnStatements(dataset, approval, site);
  verifyTimeLimit(approval, site);
  const exceptions = needed.flatMap((rule) => holding.get(rule) ?? []);
  return { contract, approval, dataset, datasets, uncounted: uncountedOf(contract, datasets), exceptions };
}

/**
 * An approval holds under the keys in force. What else stewards said may be older than an exchange of their keys; the log is
 * asked for it before anything leaves, see `verifyLoggedAgreement`.
 */
function openStatement(bytes: Uint8Array, { keys, versions }: Federation): LogEntry {
  const entry = parseEntry(bytes);
  if (entry.kind === 'plan.approve') return openEntry(bytes, keys).entry;
  const isSigned = (version: FederationKeys): boolean => {
    try {
      verifyEntry(entry, bytes, version);
      return true;
    } catch {
      return false;
    }
  };
  return openEntry(bytes, versions.findLast(isSigned) ?? keys).entry;
}

/** Contributors that protect nobody: in a run that is not public they count as colluders. @see docs/protocol.md, Thresholds */
export function uncountedOf(
  { isPublic, sites }: Pick<RunContract, 'isPublic' | 'sites'>,
  datasets: readonly CommittedDataset[],
): number[] {
  if (isPublic) return [];
  const open = new Set(datasets.filter(({ body }) => isOpen(body)).map(({ site }) => site));
  return sites.filter(({ name }) => open.has(name)).map(({ id }) => id);
}

/** Every site has the panel of the run; that of a series is what the plan says, whoever says otherwise. */
function verifyPanels({ panel, plan }: RunContract, datasets: readonly CommittedDataset[]): void {
  const channels = plan.dataset.channels ?? SERIES_PANEL;
  const isOther = panel.size !== channels.length || !equalBytes(panel.digest, panelDigest(channels));
  if (plan.dataset.kind === 'series' && isOther) {
    throw new RegulonError('E_PANEL', `plan ${plan.name}: a series has its channels, whatever the run says`, {
      hint: 'columnsPrefix of the dataset and dataset.channels of the plan name the same channels in one order',
    });
  }
  const other = datasets.find(
    ({ body }) => body.panel.digest !== digestText(panel.digest) || body.panel.size !== panel.size,
  );
  if (other)
    throw new RegulonError('E_PANEL', `the gene panel of site ${other.site} is not the one of the run`);
}
