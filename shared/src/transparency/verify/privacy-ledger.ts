import type { BodyOf } from '../entries/kinds.js';
import type { BaselineState } from '../evidence/baseline.js';
import type { VerifyContext } from './context.js';
import { COUNT_NOISE, epsilonOfSteps, type StepsOfPatients, TOLERANCE } from './independent-accountant.js';
import type { PrunedStart } from './pruned-log.js';
import { ofKind, type Placed } from './run-view.js';

type Charge = NonNullable<BodyOf<'round.contribution'>['charge']>;
type Contribution = Placed<'round.contribution'>;

/** What the log knows of the ledger of a site about one dataset. */
interface Account {
  readonly events: StepsOfPatients[];
  /** runs whose count of patients was charged */
  readonly counted: Set<string>;
  /** ε after the last charge, by the δ of the policy that it is stated at */
  readonly after: Map<string, number>;
  /** a release whose cost the log does not say: totals are not recomputed from there on */
  isOpen: boolean;
}

/** The ledger of a site: numbers of charges that were seen, and what was said of them. */
interface SiteLedger {
  /** the next charge has at least this number, by a baseline */
  next: number;
  readonly charges: Map<number, { readonly round: string; readonly charge: Charge }>;
  readonly accounts: Map<string, Account>;
}

/** How much of row P2 could be judged. */
export interface LedgerReport {
  /** contributions whose totals were recomputed */
  readonly recomputed: number;
  /** contributions under a claim whose totals were not */
  readonly open: number;
}

/** Row P2: charges of every site in the order of the log, aborted attempts with them, against an accountant of its own. */
export function checkLedgers(context: VerifyContext, start?: Pick<PrunedStart, 'state'>): LedgerReport {
  const sites = ledgersOf(context, start?.state.ledgers ?? []);
  const report = { recomputed: 0, open: 0 };
  for (const contribution of ofKind(context.log.entries, 'round.contribution')) {
    const site = contribution.entry.actor.id;
    const ledger = sites.get(site) ?? newLedger();
    sites.set(site, ledger);
    const judged = checkContribution(context, ledger, contribution);
    if (judged !== undefined) report[judged ? 'recomputed' : 'open'] += 1;
  }
  return report;
}

/** @returns whether the totals were recomputed; undefined for one that no claim covers */
function checkContribution(
  context: VerifyContext,
  ledger: SiteLedger,
  contribution: Contribution,
): boolean | undefined {
  const { entry, index } = contribution;
  const { charge, dataset, role } = entry.body;
  const account = ledger.accounts.get(dataset) ?? newAccount();
  ledger.accounts.set(dataset, account);
  const steps = stepsOf(context, contribution);
  const policy = policyOf(context, contribution);
  const wrong = (note: string): void => context.findings.fail('P2', `${entry.actor.id}: ${note}`, index);
  if (charge === null) {
    if (steps === undefined) return undefined;
    if (policy?.epsilonCap != null && role === 'contributor') wrong('a noised release that was not charged');
    account.isOpen = true;
    return false;
  }
  if (steps === undefined || charge.event !== 'gaussian') {
    account.isOpen = true;
    return steps && false;
  }
  const round = `${entry.run} ${entry.round}`;
  const known = ledger.charges.get(charge.ledgerSeq);
  if (known !== undefined) {
    const same =
      known.round === round && known.charge.before === charge.before && known.charge.after === charge.after;
    if (!same) wrong(`charge ${charge.ledgerSeq} stands for two releases`);
    return !account.isOpen;
  }
  if (Math.max(ledger.next, ...ledger.charges.keys()) > charge.ledgerSeq)
    wrong('the numbers of its charges go back');
  ledger.charges.set(charge.ledgerSeq, { round, charge });
  if (policy?.epsilonCap == null || policy.delta === null) {
    wrong('a charge without a budget in its policy');
    return false;
  }
  return checkTotals(
    account,
    { ...charge, run: entry.run, steps, cap: policy.epsilonCap, delta: policy.delta },
    wrong,
  );
}

/** A charge with what its run and its policy say. */
interface PlacedCharge extends Pick<Charge, 'before' | 'after'> {
  readonly run: string;
  readonly steps: StepsOfPatients;
  readonly cap: string;
  readonly delta: string;
}

function checkTotals(
  account: Account,
  { before, after, run, steps, cap, delta }: PlacedCharge,
  wrong: (note: string) => void,
): boolean {
  const [from, to] = [Number(before), Number(after)];
  const isBelow = (stated: number, least: number): boolean => stated < least * (1 - TOLERANCE);
  if (isBelow(from, account.after.get(delta) ?? 0)) wrong('spent privacy came back');
  account.after.set(delta, to);
  const spent = (): number => epsilonOfSteps(account.events, Number(delta));
  const least = account.isOpen ? 0 : spent();
  account.events.push(steps);
  if (!account.counted.has(run)) account.events.push({ q: 1, z: COUNT_NOISE, steps: 1 });
  account.counted.add(run);
  if (to > Number(cap) * (1 + TOLERANCE)) wrong(`ε = ${after} exceeds the ${cap} of its policy`);
  if (account.isOpen) return false;
  const most = spent();
  // above the cap a site may state the tighter value of sampled steps
  if (most > Number(cap) && account.events.some(({ q }) => q < 1)) return false;
  if (isBelow(from, least)) wrong(`ε = ${before} before a charge, where ${least.toPrecision(7)} was spent`);
  if (isBelow(to, most)) wrong(`ε = ${after} after a charge, where ${most.toPrecision(7)} was spent`);
  return true;
}

const newLedger = (): SiteLedger => ({ next: 0, charges: new Map(), accounts: new Map() });

/** Where a baseline left the ledgers: what was spent is a lower limit of what follows, at the δ of its policy. */
function ledgersOf(context: VerifyContext, totals: BaselineState['ledgers']): Map<string, SiteLedger> {
  const sites = new Map<string, SiteLedger>();
  for (const { site, dataset, ledgerSeq, after, policy } of totals) {
    const ledger = sites.get(site) ?? newLedger();
    sites.set(site, ledger);
    ledger.next = Math.max(ledger.next, ledgerSeq + 1);
    const account = newAccount();
    const delta = policyBy(context, site, policy)?.delta;
    if (delta != null) account.after.set(delta, Number(after));
    ledger.accounts.set(dataset, account);
  }
  return sites;
}

const newAccount = (): Account => ({ events: [], counted: new Set(), after: new Map(), isOpen: false });

/** The steps that a contribution releases, by the proposal of its run; undefined when that claims no privacy. */
function stepsOf({ log }: VerifyContext, { entry }: Contribution): StepsOfPatients | undefined {
  const start = ofKind(log.entries, 'run.start').find((other) => other.entry.run === entry.run);
  const proposal = ofKind(log.entries, 'plan.propose').find(
    ({ index }) => index === start?.entry.body.proposal,
  );
  const privacy = proposal?.entry.body.privacy;
  if (!proposal || !privacy) return undefined;
  const steps = privacy.steps / proposal.entry.body.rounds;
  return { q: Number(privacy.samplingRate), z: Number(privacy.sigma), steps };
}

/** The policy that a contribution was made under. */
function policyOf(context: VerifyContext, { entry }: Contribution): Budget | undefined {
  return policyBy(context, entry.actor.id, entry.body.policy);
}

type Budget = Pick<BodyOf<'policy.set'>, 'epsilonCap' | 'delta'>;

function policyBy({ log }: VerifyContext, site: string, digest: string): Budget | undefined {
  const own = ofKind(log.entries, 'policy.set').find(
    ({ entry }) => entry.actor.id === site && entry.body.policy.digest === digest,
  );
  return own?.entry.body;
}
