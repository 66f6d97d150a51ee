import { identifierIn } from '../entries/identifiers.js';
import type { VerifyContext } from './context.js';
import type { ClosedRound } from './opened-rounds.js';

/** Row D1: no text of an entry looks like an identifier or a secret. */
export function checkTexts({ log, findings }: VerifyContext): void {
  for (const { entry, index } of log.entries) {
    const text = identifierIn(entry);
    if (text !== undefined) findings.fail('D1', `a text of the entry holds ${text.found}`, index);
  }
}

/** Row D2: what a round says about its cohort is what its evidence gives, silent survivors counted or not. */
export function checkCoverage({ findings }: VerifyContext, rounds: readonly ClosedRound[]): void {
  for (const { aggregate, manifest, derived } of rounds) {
    const contributors = new Set(manifest.roles.filter(({ role }) => role === 0).map(({ id }) => id));
    const covered = derived.u3.filter((id) => contributors.has(id)).length;
    const { sites } = aggregate.entry.body.coverage;
    if (sites === covered || sites === derived.u3.length) continue;
    const note = `round ${manifest.round} states ${sites} sites, ${covered} contributed`;
    findings.fail('D2', note, aggregate.index);
  }
}
