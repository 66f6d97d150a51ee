import { notExcepted, type OverrideRule, overrideFault, personsOf } from '../entries/overrides.js';
import type { LogEntry } from '../entries/schema.js';
import type { VerifyContext } from './context.js';
import { ofKind, type Placed } from './run-view.js';

/** Row A4: what a policy asks two persons for has their signatures, and so has every exception from a policy. */
export function checkTwoPersons(context: VerifyContext): void {
  const { log, findings } = context;
  /** persons that the last policy of a site asks for, and that each of its policies does */
  const needed = new Map<string, number>();
  let [asks, overrides] = [0, 0];
  for (const { entry, index } of log.entries) {
    const site = entry.actor.id;
    if (entry.kind === 'plan.approve') {
      judge(context, entry, index, needed.get(`${site} ${entry.body.policy}`));
    } else if (entry.kind === 'policy.set') {
      const { policy, reviewersNeeded } = entry.body;
      const own = `${site} ${policy.digest}`;
      judge(context, entry, index, needed.get(site));
      needed.set(site, reviewersNeeded);
      needed.set(own, Math.max(reviewersNeeded, needed.get(own) ?? 0));
      if (reviewersNeeded > 1) asks += 1;
    } else if (entry.kind === 'policy.override') {
      overrides += 1;
    }
  }
  for (const override of ofKind(log.entries, 'policy.override')) {
    const fault = faultOf(context, override);
    if (fault !== undefined) findings.fail('A4', fault, override.index);
  }
  if (overrides === 0 && asks === 0)
    findings.remark('A4', 'not-applicable', 'no policy asks for two persons, and none was overridden');
  else findings.remark('A4', 'pass', `${asks} policies ask for two persons, ${overrides} exceptions`);
}

function judge(
  { history, findings }: VerifyContext,
  entry: LogEntry<'plan.approve' | 'policy.set'>,
  index: number,
  needed = 1,
): void {
  if (personsOf(entry, history.at(index)) >= Math.max(1, needed)) return;
  const what = entry.kind === 'plan.approve' ? 'an approval' : 'a change of the policy';
  const note = `${what} of ${entry.actor.id} was signed by fewer than the ${needed} persons that its policy asks for`;
  findings.fail('A4', note, index);
}

/** What is wrong with an exception at its place in the log. */
function faultOf(
  { log, history }: VerifyContext,
  { entry, index }: Placed<'policy.override'>,
): string | undefined {
  const site = entry.actor.id;
  const policy = ofKind(log.entries, 'policy.set').findLast(
    (p) => p.index < index && p.entry.actor.id === site,
  );
  const isProposed = ofKind(log.entries, 'plan.propose').some(
    (proposal) => proposal.index < index && proposal.entry.body.planHash === entry.body.planHash,
  );
  if (policy?.entry.body.policy.digest !== entry.body.policy)
    return `an exception of ${site} from a policy that was not in force`;
  return isProposed
    ? overrideFault(entry, history.at(index))
    : `an exception of ${site} for a plan that was not proposed`;
}

/** A rule of a policy that the plan of a run breaks. */
export interface BrokenRule {
  readonly rule: OverrideRule;
  /** what row A1 says when nobody excepted the plan */
  readonly note: string;
}

/**
 * A plan outside a policy needs an exception that holds at the start of the run and at every contribution of the site.
 *
 * @param own contributions of the site to the run
 */
export function judgeException(
  context: VerifyContext,
  start: Placed<'run.start'>,
  { entry: approval }: Placed<'plan.approve'>,
  own: readonly Placed<'round.contribution'>[],
  { rule, note }: BrokenRule,
): void {
  const { log, findings } = context;
  const { planHash, policy } = approval.body;
  const wanted = { planHash, policy, rule, at: start.entry.at };
  const said = ofKind(log.entries, 'policy.override').filter(
    ({ entry, index }) =>
      index < start.index && entry.actor.id === approval.actor.id && entry.body.rule === rule,
  );
  const whyNot = (override: Placed<'policy.override'>): string | undefined =>
    faultOf(context, override) ?? notExcepted(override.entry.body, wanted);
  const holding = said.filter((override) => whyNot(override) === undefined);
  if (holding.length === 0) {
    findings.fail('A1', note, start.index);
    const last = said.at(-1);
    if (last)
      findings.fail('A4', `the exception of entry ${last.index} does not help: ${whyNot(last)}`, start.index);
    return;
  }
  const late = own.find(({ entry: { at } }) => holding.every(({ entry }) => at > entry.body.expires));
  if (late) findings.fail('A4', `the exception of ${approval.actor.id} had expired`, late.index);
}
