import { RegulonError } from '@regulon/shared/errors';
import type { Plan, Roster } from '@regulon/shared/plan';
import { runName } from '@regulon/shared/program';
import type { RunRows } from '../storage/index.js';

/** Which sites have a part in which run; a plan never changes, so it is read once. */
export class RunMembers {
  private readonly sites = new Map<string, readonly number[]>();

  constructor(
    private readonly runs: RunRows,
    private readonly roster: Roster,
  ) {}

  /** Roster ids of the sites of a run's plan, ascending; none when there is no such run. */
  of(runId: Uint8Array): readonly number[] {
    const name = runName(runId);
    const known = this.sites.get(name);
    if (known) return known;
    const row = this.runs.get(runId);
    if (!row) return [];
    const plan = JSON.parse(row.plan) as Plan;
    const sites = this.roster.members.filter((m) => plan.sites.includes(m.name)).map((m) => m.id);
    this.sites.set(name, sites);
    return sites;
  }

  /** @throws E_NOT_FOUND when there is no such run, or its plan does not name the site */
  expect(runId: Uint8Array, site: number): void {
    if (this.of(runId).includes(site)) return;
    throw new RegulonError('E_NOT_FOUND', `site ${site} has no part in ${runName(runId)}`);
  }
}
