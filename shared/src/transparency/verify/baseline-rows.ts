import { canonicalJson } from '../../crypto/index.js';
import { isRegulonError, present, refusalOf } from '../../errors/index.js';
import { attachedJson } from '../entries/attachments.js';
import { digestText } from '../entries/fields.js';
import type { BodyOf } from '../entries/kinds.js';
import { type Baseline, BaselineBuilder, baselineSchema } from '../evidence/baseline.js';
import type { VerifyContext } from './context.js';
import type { LogFiles } from './log-files.js';
import type { PrunedStart } from './pruned-log.js';
import { ofKind, type Placed } from './run-view.js';

type Stated = Placed<'log.baseline'>;
/** What is wrong with a baseline, by row. */
interface Wrong {
  readonly row: 'L5' | 'P2';
  readonly note: string;
}
const OTHER_ROOT: Wrong = { row: 'L5', note: 'the root of the baseline is another one' };
/** What some first entries give; undefined while one of them cannot be read. */
type Derived = Baseline | 'under way' | undefined;

/**
 * Rows L5 and P2: every baseline is what the first entries of the log give, its totals of privacy among it; a site signs
 * what the coordinator proposed before. The row says how many sites signed.
 */
export function checkBaselines(
  { log, findings, history }: Pick<VerifyContext, 'log' | 'findings' | 'history'>,
  { entries, tree, minimum }: Pick<LogFiles, 'entries' | 'tree' | 'minimum'>,
  start?: Pick<PrunedStart, 'state'>,
): void {
  const proposed = new Map<string, Set<string>>();
  const known = new Map<number, Derived>();
  const hashes = start ? Array.from({ length: minimum }, (_, index) => tree.leaf(index)) : [];
  const builder = (): BaselineBuilder =>
    start ? BaselineBuilder.after(start.state, hashes) : new BaselineBuilder();
  const derived = (size: number): Derived => {
    const of = known.get(size) ?? derive(builder(), entries.slice(minimum, size));
    known.set(size, of);
    return of;
  };
  for (const placed of ofKind(log.entries, 'log.baseline')) {
    const { body, actor } = placed.entry;
    const text = canonicalJson(body);
    const wrong =
      body.size > minimum || body.size > placed.index
        ? misstatement(placed, derived, log.resolve(body.state.digest))
        : otherRoot(body, tree);
    if (wrong !== undefined) findings.fail(wrong.row, wrong.note, placed.index);
    const signers = proposed.get(text);
    if (actor.type === 'coordinator') proposed.set(text, signers ?? new Set());
    else if (signers) signers.add(actor.id);
    else
      findings.fail('L5', `${actor.id} signs a baseline that the coordinator did not propose`, placed.index);
  }
  if (proposed.size === 0) return;
  const { quorum } = history.last.genesis;
  const signed = [...proposed].map(([text, { size }]) => {
    const { size: entryCount } = JSON.parse(text) as Stated['entry']['body'];
    return `the first ${entryCount} entries in short, signed by ${size} sites of ${quorum} needed`;
  });
  findings.remark('L5', 'pass', signed.slice(-3).join('; '));
}

/** Of entries that were pruned only the root is left. */
const otherRoot = ({ size, root }: BodyOf<'log.baseline'>, tree: LogFiles['tree']): Wrong | undefined =>
  root === digestText(tree.root(size)) ? undefined : OTHER_ROOT;

/** What a baseline says otherwise than the entries before it; undefined also while these or its state cannot be read. */
function misstatement(
  { entry, index }: Stated,
  derivedOf: (size: number) => Derived,
  state: Uint8Array | undefined,
): Wrong | undefined {
  const { size, root, state: stated } = entry.body;
  if (size > index) return { row: 'L5', note: `a baseline of ${size} entries that the log had not yet` };
  const derived = derivedOf(size);
  if (derived === 'under way') return { row: 'L5', note: 'a baseline while a run was under way' };
  if (derived === undefined || state === undefined) return undefined;
  if (root !== digestText(derived.root)) return OTHER_ROOT;
  if (Buffer.compare(state, derived.bytes) === 0) return undefined;
  return onlyLedgersDiffer(state, derived)
    ? { row: 'P2', note: 'the baseline states other totals of privacy than the log' }
    : { row: 'L5', note: `the baseline ${stated.digest} is not what the entries before it give` };
}

function derive(builder: BaselineBuilder, entries: readonly (Uint8Array | undefined)[]): Derived {
  try {
    for (const bytes of entries) builder.add(present(bytes, 'an entry behind those that were pruned'));
    return builder.baseline();
  } catch (error) {
    if (isRegulonError(error, 'E_STATE')) return 'under way';
    refusalOf(error, 'E_LOG_ENTRY');
    return undefined;
  }
}

function onlyLedgersDiffer(bytes: Uint8Array, { state }: Baseline): boolean {
  const { data } = baselineSchema.safeParse(attachedJson(bytes));
  return data !== undefined && canonicalJson({ ...data, ledgers: state.ledgers }) === canonicalJson(state);
}
