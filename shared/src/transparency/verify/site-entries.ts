import { digestText } from '../entries/fields.js';
import { integersOf, type VerifyContext } from './context.js';
import type { DerivedGroup, DerivedRound } from '../evidence/verify-evidence.js';
import type { ClosedRound } from './opened-rounds.js';
import type { Placed, RunView } from './run-view.js';

/** Row S2: every masked input in the sum has the contribution that its site logged before. */
export function checkContributions(context: VerifyContext, view: RunView, round: ClosedRound): void {
  const { log, findings, history } = context;
  const { aggregate, evidence, derived } = round;
  const own = view.contributions.filter(({ entry }) => entry.body.context === aggregate.entry.body.context);
  const listed = new Set(integersOf(aggregate.entry.body.contributions, log.resolve));
  for (const { id, length, root } of evidence.commits) {
    const name = history.nameOf(id) ?? `site ${id}`;
    const logged = own.find(({ entry }) => entry.actor.id === name);
    if (logged === undefined || logged.index > aggregate.index || !listed.has(logged.index)) {
      findings.fail(
        'S2',
        `the masked input of ${name} in round ${aggregate.entry.round} has no contribution before it`,
        aggregate.index,
      );
      continue;
    }
    const { maskedInput, cohort } = logged.entry.body;
    if (
      maskedInput.length !== length ||
      maskedInput.root !== digestText(root) ||
      cohort !== digestText(groupOf(derived, id)?.h2 ?? derived.h2)
    ) {
      findings.fail('S2', `${name} logged another masked input than the one in the sum`, logged.index);
    }
  }
}

/** Row S2: every answering site logged what it revealed, one kind of share for each site. */
export function checkUnmasks(context: VerifyContext, view: RunView, round: ClosedRound): void {
  const { findings, history } = context;
  const { aggregate, evidence } = round;
  const own = view.unmasks.filter(({ entry }) => entry.body.context === aggregate.entry.body.context);
  for (const unmask of own) {
    const wrong = misrevealed(context, unmask, round);
    if (wrong !== undefined) findings.fail('S2', `${unmask.entry.actor.id} ${wrong}`, unmask.index);
  }
  for (const id of evidence.responders) {
    const name = history.nameOf(id);
    if (!own.some(({ entry }) => entry.actor.id === name)) {
      findings.fail(
        'S2',
        `${name ?? `site ${id}`} answered round ${aggregate.entry.round} without logging it`,
        aggregate.index,
      );
    }
  }
}

function misrevealed(
  { log, history }: VerifyContext,
  { entry }: Placed<'round.unmask'>,
  { derived }: ClosedRound,
): string | undefined {
  const { body } = entry;
  const list = (field: typeof body.survivors): string => String(integersOf(field, log.resolve));
  const id = history.idOf(entry.actor.id) ?? -1;
  const { u2, u3, h3 } = groupOf(derived, id) ?? derived;
  const dropped = u2.filter((other) => !u3.includes(other));
  if (body.consistency !== digestText(h3)) return 'answered for another survivor set than the sum';
  if (list(body.survivors) !== String(u3) || list(body.dropped) !== String(dropped))
    return 'names other survivors than the sum';
  if (list(body.selfMask) !== String(u3) || list(body.maskKey) !== String(dropped))
    return 'revealed the wrong kind of share';
  const answer = derived.answers.get(id);
  return answer === undefined || digestText(answer) === body.answer
    ? undefined
    : 'logged another answer than it gave';
}

const groupOf = ({ groups }: DerivedRound, id: number): DerivedGroup | undefined =>
  groups.find(({ u1 }) => u1.includes(id));
