import { fromHex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { verifyInForce } from '@regulon/shared/plan';
import {
  contractOf,
  decodeContractFile,
  parseRunName,
  type RunContract,
  RunProgram,
} from '@regulon/shared/program';
import { digestText, type LogEntry, openEntry } from '@regulon/shared/transparency';
import type { Federation } from './federation.js';
import { verifyGateModeFits, verifyPlanAllowed } from './plan-rules.js';
import type { SiteView } from './site-view.js';

/** The signed statement of a kind. */
type Entry<K extends LogEntry['kind']> = Extract<LogEntry, { kind: K }>;

/** A run that this site may take part in. */
export interface Agreement {
  readonly contract: RunContract;
  /** approval of this site's steward */
  readonly approval: Entry<'plan.approve'>['body'];
  /** what this site's steward said about the dataset */
  readonly dataset: Entry<'dataset.commit'>['body'];
  /** sites with public data in a run that is not public: they count towards no minimum */
  readonly uncounted: readonly number[];
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
  const entries = file.entries.map((entry) => openEntry(entry, federation.keys).entry);
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
  const approvals = contract.sites.map((s) => approvalOf(entries, s.name, digestText(planHash), now));
  const datasets = contract.sites.map((s) => datasetOf(entries, s.name, plan.dataset.name));
  const isPublic = datasets.every((d) => d.public || d.simulated);
  if (isPublic !== contract.isPublic) {
    throw new RegulonError(
      'E_POLICY',
      `plan ${plan.name}: the stewards do not say that every dataset is public`,
    );
  }
  if (plan.dataset.kind === 'expression') verifyPanels(contract, datasets);
  verifyGateModeFits(site);
  verifyPlanAllowed(contract, site, new RunProgram(contract).schedule.length);
  const at = contract.sites.findIndex((s) => s.id === site.own.id);
  const [approval, dataset] = [approvals[at], datasets[at]];
  if (!approval || !dataset)
    throw new RegulonError('E_POLICY', `plan ${plan.name}: this site did not approve it`);
  const open = contract.sites.filter((_, i) => datasets[i]?.public || datasets[i]?.simulated);
  return { contract, approval, dataset, uncounted: isPublic ? [] : open.map((s) => s.id) };
}

function approvalOf(
  entries: readonly LogEntry[],
  site: string,
  planHash: string,
  now: number,
): Entry<'plan.approve'>['body'] {
  const found = entries.filter(
    (e): e is Entry<'plan.approve'> =>
      e.kind === 'plan.approve' && e.actor.id === site && e.body.planHash === planHash,
  );
  const valid = found.filter((e) => Date.parse(e.body.validUntil) > now).at(-1);
  if (valid) return valid.body;
  const why = found.length > 0 ? 'has expired' : 'is missing';
  throw new RegulonError('E_POLICY', `the approval of this plan by the steward of ${site} ${why}`);
}

function datasetOf(
  entries: readonly LogEntry[],
  site: string,
  dataset: string,
): Entry<'dataset.commit'>['body'] {
  const found = entries.filter(
    (e): e is Entry<'dataset.commit'> =>
      e.kind === 'dataset.commit' && e.actor.id === site && e.body.dataset === dataset,
  );
  const latest = found.reduce<Entry<'dataset.commit'>['body'] | undefined>(
    (best, e) => (best && best.version >= e.body.version ? best : e.body),
    undefined,
  );
  if (!latest) throw new RegulonError('E_POLICY', `site ${site} has not committed to dataset ${dataset}`);
  return latest;
}

function verifyPanels(contract: RunContract, datasets: readonly Entry<'dataset.commit'>['body'][]): void {
  const wanted = digestText(contract.panel.digest);
  datasets.forEach((dataset, i) => {
    if (dataset.panel.digest === wanted && dataset.panel.size === contract.panel.size) return;
    throw new RegulonError(
      'E_PANEL',
      `the gene panel of site ${contract.sites[i]?.name} is not the one of the run`,
    );
  });
}
