import type { VerifyContext } from './context.js';
import type { ClosedRound } from './opened-rounds.js';
import type { RunView } from './run-view.js';

/** Row S4: what comes out of a round goes into the next one of its arm, and every site derived the same. */
export function checkModels(context: VerifyContext, view: RunView, rounds: readonly ClosedRound[]): void {
  checkSequence(context, rounds);
  checkSpecifications(context, view, rounds);
  checkAcknowledgements(context, view, rounds);
  checkFinish(context, view, rounds);
}

function checkSequence({ findings }: VerifyContext, rounds: readonly ClosedRound[]): void {
  const out = new Map<string, string>();
  for (const { open, aggregate } of rounds) {
    const { purpose, arm, modelIn, stepId } = open.entry.body;
    const isValidation = stepId === 'validate';
    if (purpose === 'evaluation' && !isValidation) continue;
    const key = isValidation ? `train ${arm}` : `${purpose} ${arm}`;
    const expected = out.get(key);
    if (expected !== undefined && expected !== modelIn) {
      findings.fail(
        'S4',
        `round ${open.entry.round} does not start from what the round before it gave`,
        open.index,
      );
    }
    if (!isValidation) out.set(key, aggregate.entry.body.modelOut);
  }
}

function checkSpecifications(
  { findings }: VerifyContext,
  view: RunView,
  rounds: readonly ClosedRound[],
): void {
  const fitted = new Map<number, string>();
  const purposes = new Map(rounds.map(({ open }) => [open.entry.body.context, open.entry.body]));
  for (const { open, aggregate } of rounds) {
    const { purpose, arm } = open.entry.body;
    if (purpose === 'statistics') fitted.set(arm, aggregate.entry.body.modelOut);
  }
  const used = new Map<number, string>();
  for (const { entry, index } of view.contributions) {
    const round = purposes.get(entry.body.context);
    if (round === undefined) continue;
    if (entry.body.modelIn !== round.modelIn)
      findings.fail('S4', `${entry.actor.id} used another model than the round's`, index);
    if (round.purpose !== 'train') continue;
    const expected = fitted.get(round.arm) ?? used.get(round.arm);
    if (expected !== undefined && entry.body.featureSpecification !== expected) {
      findings.fail('S4', `${entry.actor.id} used another feature specification than the run's`, index);
    }
    used.set(round.arm, entry.body.featureSpecification);
  }
}

function checkAcknowledgements(
  { findings }: VerifyContext,
  view: RunView,
  rounds: readonly ClosedRound[],
): void {
  const out = new Map(
    rounds.map(({ aggregate }) => [aggregate.entry.body.context, aggregate.entry.body.modelOut]),
  );
  for (const { entry, index } of view.acks) {
    const expected = out.get(entry.body.context);
    if (expected !== undefined && entry.body.modelOut !== expected) {
      findings.fail('S4', `${entry.actor.id} derived another result from round ${entry.round}`, index);
    }
    if (entry.body.audited.result === 'differ') {
      findings.fail('S4', `${entry.actor.id} found a wrong tile in the sum of round ${entry.round}`, index);
    }
  }
}

function checkFinish({ findings }: VerifyContext, view: RunView, rounds: readonly ClosedRound[]): void {
  if (view.finish === undefined) return;
  const { finalModel, rounds: count } = view.finish.entry.body;
  const models = rounds
    .filter(({ open }) => open.entry.body.purpose === 'train')
    .map(({ aggregate }) => aggregate.entry.body.modelOut);
  if (finalModel !== null && !models.includes(finalModel))
    findings.fail('S4', 'the final model comes from no round', view.finish.index);
  if (count !== view.aggregates.length)
    findings.fail('S4', `${count} rounds are stated, ${view.aggregates.length} closed`, view.finish.index);
}
