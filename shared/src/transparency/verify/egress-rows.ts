import type { LogEntry } from '../entries/schema.js';
import type { VerifyContext } from './context.js';
import type { OpenedRound } from './opened-rounds.js';
import { ofKind, type Placed, type RunView } from './run-view.js';

/** Names in a remark at most. */
const MOST_NAMED = 10;

type Receipt = Placed<'egress.receipt'>;

/**
 * Row S2: what a site says that left it is the upload that it logged, which in turn is the one that the coordinator says it
 * took; it is said once, before the sum, under a policy that lets it out.
 */
export function checkEgress(
  { log, findings }: Pick<VerifyContext, 'log' | 'findings'>,
  { egress, contributions, aggregates }: Pick<RunView, 'egress' | 'contributions' | 'aggregates'>,
  opened: ReadonlyMap<string, Pick<OpenedRound, 'manifest'>>,
): void {
  const policies = egress.length === 0 ? [] : ofKind(log.entries, 'policy.set');
  const seen = new Set<string>();
  for (const receipt of egress) {
    const { entry, index } = receipt;
    const fail = (why: string): void =>
      findings.fail('S2', `the receipt of ${entry.actor.id} for round ${entry.round} ${why}`, index);
    const place = placeOf(entry);
    if (seen.has(place)) fail('is a second one');
    seen.add(place);
    if (aggregates.some((a) => a.index < index && a.entry.body.context === entry.body.context))
      fail('was written after the sum');
    const upload = contributions.find((c) => c.index < index && placeOf(c.entry) === place);
    const wrong = upload
      ? misstated(receipt, upload, opened)
      : 'is of an upload that was not logged before it';
    if (wrong !== undefined) fail(wrong);
    else if (!isLetOut(receipt, policies)) fail(`is of a kind that the policy does not let out`);
  }
}

/** What a receipt says otherwise than the contribution of its attempt. */
function misstated(
  { entry }: Receipt,
  upload: Placed<'round.contribution'>,
  opened: ReadonlyMap<string, Pick<OpenedRound, 'manifest'>>,
): string | undefined {
  const { body } = entry;
  const { context, policy, charge, maskedInput } = upload.entry.body;
  if (body.context !== context || body.digest !== maskedInput.root || body.count !== 1)
    return 'states another upload than the contribution';
  const manifest = opened.get(context)?.manifest;
  if (manifest && body.bytes !== (maskedInput.length * manifest.ringBits) / 8)
    return 'states another number of bytes than the upload has';
  if (body.rule !== policy) return 'names another policy than the contribution';
  return body.charge === (charge?.ledgerSeq ?? null)
    ? undefined
    : 'names another charge than the contribution';
}

/** Whether the site had set the policy, and it names the kind. A policy that was not set is for row A2 to say. */
function isLetOut({ entry, index }: Receipt, policies: readonly Placed<'policy.set'>[]): boolean {
  const own = policies.filter((p) => p.index < index && p.entry.actor.id === entry.actor.id);
  const policy = own.find((p) => p.entry.body.policy.digest === entry.body.rule);
  return policy === undefined || policy.entry.body.egressKinds.includes(entry.body.kind);
}

/** Row S2 names the uploads without receipt, once any site of the log writes receipts. */
export function remarkEgress({ log, findings }: Pick<VerifyContext, 'log' | 'findings'>): void {
  const receipts = new Set(ofKind(log.entries, 'egress.receipt').map(({ entry }) => placeOf(entry)));
  if (receipts.size === 0) return;
  const without = ofKind(log.entries, 'round.contribution').filter(
    ({ entry }) => !receipts.has(placeOf(entry)),
  );
  if (without.length === 0) return;
  const named = without.slice(0, MOST_NAMED).map(({ entry, index }) => `${entry.actor.id} (entry ${index})`);
  const more = without.length > MOST_NAMED ? ` and ${without.length - MOST_NAMED} more` : '';
  findings.remark('S2', 'needs-human', `uploads without egress.receipt: ${named.join(', ')}${more}`);
}

const placeOf = ({ actor, run, round, attempt }: LogEntry<'egress.receipt' | 'round.contribution'>): string =>
  `${actor.id} ${run} ${round} ${attempt}`;
