import { RegulonError } from '@regulon/shared/errors';
import {
  type Baseline,
  BaselineBuilder,
  type BodyOf,
  digestText,
  MediaType,
  parseEntry,
  TILE_WIDTH,
} from '@regulon/shared/transparency';
import { stateOfPruned } from './prune.js';
import type { Sequencer } from './sequencer.js';

type Log = Pick<
  Sequencer,
  | 'prunable'
  | 'minimum'
  | 'keys'
  | 'latest'
  | 'cosigned'
  | 'entries'
  | 'entry'
  | 'indexesOfKind'
  | 'putAttachment'
  | 'appendOwn'
>;

/** What a daemon fetches of an attachment at most: one that joins later begins with the state of a baseline. */
const MAX_STATE_BYTES = 15 << 20;

/**
 * Propose the baseline of the first entries: from then on sites that find the same sign it. Proposing it again changes
 * nothing.
 *
 * @param size whole bundles of 256 entries, under a checkpoint that a quorum has cosigned
 * @returns index of the coordinator's `log.baseline`
 * @throws E_ARGUMENT for another size; E_STATE while a run is under way there, or when daemons could not fetch it
 */
export async function proposeBaseline(log: Log, size: number): Promise<number> {
  const head = log.keys.genesis.gateMode === 'signed' ? log.latest() : log.cosigned();
  const most = Math.floor((head?.size ?? 0) / TILE_WIDTH) * TILE_WIDTH;
  if (size <= 0 || size % TILE_WIDTH !== 0 || size > most)
    throw new RegulonError('E_ARGUMENT', `a baseline is over ${TILE_WIDTH}, ${2 * TILE_WIDTH}, … entries`, {
      hint: `at most ${most} now: so many whole bundles lie under the newest checkpoint of the sites`,
    });
  const { root, bytes } = await baselineOf(log, size);
  if (bytes.length > MAX_STATE_BYTES)
    throw new RegulonError(
      'E_STATE',
      `the baseline of ${size} entries has ${bytes.length} bytes; daemons fetch at most ${MAX_STATE_BYTES}`,
      {
        hint: 'propose a smaller one, with fewer plans and approvals; the log itself may stay as long as it is',
      },
    );
  const state = await log.putAttachment(bytes, MediaType.json);
  const body: BodyOf<'log.baseline'> = { size, root: digestText(root), state };
  return known(log, state.digest) ?? log.appendOwn({ kind: 'log.baseline', body }).index;
}

/** Reads bundle by bundle: rounds go on meanwhile. */
async function baselineOf(log: Log, size: number): Promise<Baseline> {
  const { rows, attachments } = log.prunable;
  const { minimum } = log;
  const start = minimum > 0 ? stateOfPruned(rows, attachments) : undefined;
  const builder = start ? BaselineBuilder.after(start, rows.hashesBelow(minimum)) : new BaselineBuilder();
  while (builder.size < size) {
    log.entries(builder.size, builder.size + TILE_WIDTH).forEach((bytes) => builder.add(bytes));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return builder.baseline();
}

function known(log: Log, digest: string): number | undefined {
  return log.indexesOfKind('log.baseline').find((index) => {
    const { kind, actor, body } = parseEntry(log.entry(index));
    return kind === 'log.baseline' && actor.type === 'coordinator' && body.state.digest === digest;
  });
}
