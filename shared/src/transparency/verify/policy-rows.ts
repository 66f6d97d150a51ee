import type { VerifyContext } from './context.js';
import { ofKind, type Placed, type RunView } from './run-view.js';

/** Rows A2 and A3: an approval ends with the policy that it was made under, and no software ran that this one does not name. */
export function checkPolicy(
  { findings }: VerifyContext,
  view: RunView,
  { entry: approval, index }: Placed<'plan.approve'>,
  { entry: policy }: Placed<'policy.set'>,
): void {
  const site = approval.actor.id;
  const { validUntil, allowedCode } = policy.body;
  if (validUntil !== null && approval.body.validUntil > validUntil)
    findings.fail('A2', `${site} approved for longer than its policy holds`, index);
  if (allowedCode.length === 0) return;
  const other = view.contributions.find(
    ({ entry }) => entry.actor.id === site && !allowedCode.includes(entry.body.code),
  );
  if (other !== undefined)
    findings.fail('A3', `${site} ran code that its policy does not allow`, other.index);
}

/** Row A2: a policy takes the place of the one before it of its site, or says nothing of any. */
export function checkSuccession({ log, findings }: VerifyContext): void {
  const inForce = new Map<string, string>();
  for (const { entry, index } of ofKind(log.entries, 'policy.set')) {
    const { policy, supersedes } = entry.body;
    if (supersedes !== null && supersedes !== inForce.get(entry.actor.id))
      findings.fail('A2', `${entry.actor.id} names another policy as the one before it`, index);
    inForce.set(entry.actor.id, policy.digest);
  }
}
