import { canonicalJson } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type BodyOf, digestText, listField, type Withdrawals } from '@regulon/shared/transparency';
import type { Agreement } from './agreement.js';
import { isSameCommit } from './steward-statements.js';

/** What a site looks up in the log that it has verified. */
export interface LoggedStatements {
  /** what starts a run, at most the first two entries */
  startsOf(run: string): readonly BodyOf<'run.start'>[];
  /** the newest `dataset.commit` of a site for a dataset */
  latestCommit(site: string, dataset: string): BodyOf<'dataset.commit'> | undefined;
  /** every `policy.override` of a site */
  overridesOf(site: string): readonly BodyOf<'policy.override'>[];
  /** what stewards have taken back */
  withdrawals(): Pick<Withdrawals, 'isWithdrawn' | 'refusalOf'>;
}

/**
 * Compare what a run was agreed on with the verified log: its start, and the newest commitment of every site. The
 * coordinator chose which entries to show when the run was agreed on; here it has no choice.
 *
 * Exceptions from this site's policy count only when everybody can read them.
 *
 * @param run `run_…`
 * @throws E_POLICY when the log starts another run under this name, a site has committed to other data since, or its
 * steward has taken plan or dataset back
 */
export function verifyLoggedAgreement(
  run: string,
  { contract, datasets, exceptions }: Pick<Agreement, 'contract' | 'datasets' | 'exceptions'>,
  log: LoggedStatements,
): void {
  const [start, again] = log.startsOf(run);
  if (!start || again)
    throw new RegulonError('E_POLICY', `the log starts ${run} ${start ? 'more than once' : 'nowhere'}`);
  const sites = contract.sites.map(({ id }) => id).sort((a, b) => a - b);
  const same =
    start.planHash === digestText(contract.planHash) &&
    canonicalJson(start.sites) === canonicalJson(listField(sites).field);
  if (!same || start.public !== contract.isPublic)
    throw new RegulonError('E_POLICY', `the log starts ${run} with another plan, other sites or other data`);
  verifyLoggedConsent(run, { contract, datasets }, log);
  for (const { site, body } of datasets) {
    const latest = log.latestCommit(site, body.dataset);
    if (latest && isSameCommit(latest, body)) continue;
    const what = latest ? 'has committed to another version of' : 'has not committed to';
    throw new RegulonError('E_POLICY', `${run}: by the log, site ${site} ${what} dataset ${body.dataset}`);
  }
  for (const { site, body } of exceptions) {
    const isLogged = log.overridesOf(site).some((logged) => canonicalJson(logged) === canonicalJson(body));
    if (!isLogged)
      throw new RegulonError(
        'E_POLICY',
        `${run}: the log has no exception from ${body.rule} of the policy of ${site}`,
      );
  }
}

/**
 * No steward of a run has taken plan or dataset back, by the verified log.
 *
 * @param run `run_…`
 * @throws E_POLICY naming the first who has
 */
export function verifyLoggedConsent(
  run: string,
  { contract, datasets }: Pick<Agreement, 'contract' | 'datasets'>,
  log: Pick<LoggedStatements, 'withdrawals'>,
): void {
  const taken = log.withdrawals();
  for (const { site, body } of datasets) {
    const refusal = taken.refusalOf(site, digestText(contract.planHash));
    if (refusal || taken.isWithdrawn(site, body.dataset))
      throw new RegulonError(
        'E_POLICY',
        `${run}: by the log, the steward of ${site} has ${refusal ? `${refusal} the plan` : `withdrawn dataset ${body.dataset}`}`,
      );
  }
}
