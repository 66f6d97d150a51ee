import { describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes, leafHashOf, utf8 } from '../../crypto/index.js';
import {
  noRoot,
  pruneLog,
  SampleLog,
  type SpoiledBaseline,
  type SpoiledPruning,
  writeBaseline,
  writePrune,
} from '../../transparency-samples/index.js';
import { attachmentOf } from '../entries/attachments.js';
import { digestText } from '../entries/fields.js';
import { parseEntry } from '../entries/parse.js';
import { BaselineBuilder, type BaselineState } from '../evidence/baseline.js';
import { LogTree } from '../merkle/tree.js';
import { checkBaselines } from './baseline-rows.js';
import { checkConfigurations } from './configuration-rows.js';
import type { VerifyContext } from './context.js';
import { Findings } from './findings.js';
import type { IndexedEntry } from './log-entries.js';
import type { LogFiles } from './log-files.js';
import { checkPrunings } from './prune-rows.js';
import { startOfPruned } from './pruned-log.js';

const SIZE = 256;
const retention = [{ class: 'brief', days: 0 }];
const all = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];
const coordinator = ['coordinator', 'coordinator'] as const;
const [a, b] = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string];
const newLog = (): SampleLog => new SampleLog({ retention });
const pruned = (spoil: SpoiledPruning = {}): SampleLog => {
  const log = newLog();
  pruneLog(log, spoil);
  return log;
};
const configure = (log: SampleLog, configuration: string): number =>
  log.write(
    ['site', 'site-1'],
    'config.start',
    {},
    {
      ...{ nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration },
    },
  );

/** A log without its first entries, as its files give it. */
function filesOf(log: SampleLog, minimum = SIZE): LogFiles {
  const tree = new LogTree();
  log.entries.forEach((bytes) => tree.append(leafHashOf(bytes)));
  const entries = log.entries.map((bytes, index) => (index < minimum ? undefined : bytes));
  return { checkpoint: undefined, entries, minimum, tree };
}
const resolver = (log: SampleLog) => (digest: string) => log.attachments.get(digest);
const saidBy = ({ list }: Findings): string[] =>
  list.map(({ rule, index, note }) => `${rule} ${index}: ${note}`);

/** Where the verification starts, and what is wrong when it cannot. */
function started(log: SampleLog) {
  const findings = new Findings();
  const start = startOfPruned(filesOf(log), resolver(log), findings);
  return { start, found: saidBy(findings) };
}

/** What the rows say of the entries from an index on. */
function judged(
  log: SampleLog,
  minimum: number,
  check: (context: VerifyContext, files: LogFiles) => void,
): string[] {
  const findings = new Findings();
  const entries = log.entries
    .map((bytes, index) => ({ index, entry: parseEntry(bytes) }))
    .filter(({ index }) => index >= minimum) as unknown as IndexedEntry[];
  const context = { findings, history: log.history, log: { entries, resolve: resolver(log) } };
  check(context as unknown as VerifyContext, filesOf(log, minimum));
  return saidBy(findings);
}

describe('where a pruned log begins', () => {
  it('is with its baseline, whatever else cannot be read behind it', () => {
    const log = pruned();
    log.entries.push(utf8('{}'));
    const { start, found } = started(log);
    expect(found).toEqual([]);
    expect(start?.pruned).toBe(262);
    expect(start?.heads.get('coordinator coordinator')?.seq).toBe(255);
    expect(start?.files.entries[0]).toEqual(Buffer.from(log.entries[0] ?? []));
  });

  const spaced = (log: SampleLog, state: BaselineState): Uint8Array => utf8(JSON.stringify(state, null, 1));
  const attached = (bytesOf: (log: SampleLog, state: BaselineState) => Uint8Array) => (): SampleLog => {
    const log = newLog();
    let state: BaselineState | undefined;
    const index = writeBaseline(log, [], { state: (own) => (state = own) });
    log.entries.length = index;
    const said = log.attach(bytesOf(log, state!), 'application/json');
    writePrune(
      log,
      log.write(
        coordinator,
        'log.baseline',
        {},
        { size: SIZE, root: digestText(log.rootAt(SIZE)), state: said },
      ),
    );
    return log;
  };
  it.each<[string, string, () => SampleLog]>([
    [
      'names a later baseline',
      'L5 262: the entries before 256 were pruned without a baseline',
      () => pruned({ prune: { baseline: 400 } }),
    ],
    [
      'has no state',
      'L5 256: the state of the baseline is missing or cannot be read',
      () => pruned({ body: { state: attachmentOf(utf8('gone'), 'application/json') } }),
    ],
    [
      'has a state that is no JSON',
      'L5 256: the state of the baseline is missing or cannot be read',
      attached(() => utf8('{')),
    ],
    [
      'has a state of another form',
      'L5 256: the state of the baseline is missing or cannot be read',
      () => pruned({ state: () => ({}) }),
    ],
    [
      'has a state with blanks',
      'L5 256: the state of the baseline is missing or cannot be read',
      attached(spaced),
    ],
    [
      'names heads behind it',
      'L5 256: the baseline with which the log begins names an entry behind its end',
      () =>
        pruned({
          state: (state) => ({ ...state, heads: state.heads.map((head) => ({ ...head, index: SIZE })) }),
        }),
    ],
    [
      'repeats a start of the coordinator',
      'L5 256: the baseline with which the log begins repeats entry 5, which cannot be read or is of no kind that a baseline repeats',
      attached((log, state) => canonicalJsonBytes(repeating(state, log.entries[5]!))),
    ],
  ])('is nowhere when its baseline %s', (_, why, make) => {
    expect(started(make())).toEqual({ start: undefined, found: [why] });
  });

  it('is nowhere when its baseline repeats what nobody can read', () => {
    const log = newLog();
    let state: BaselineState | undefined;
    log.entries.length = writeBaseline(log, [], { state: (own) => (state = own) });
    log.entries[5] = utf8('{}');
    const hashes = log.entries.slice(0, SIZE).map(leafHashOf);
    const again = BaselineBuilder.after(repeating(state!, log.entries[5]), hashes).baseline();
    const body = {
      size: SIZE,
      root: digestText(again.root),
      state: log.attach(again.bytes, 'application/json'),
    };
    writePrune(log, log.write(coordinator, 'log.baseline', {}, body));
    expect(started(log).found).toEqual([expect.stringContaining('repeats entry 5, which cannot be read')]);
  });
});

/** A state that repeats entry 5, too. */
const repeating = (state: BaselineState, bytes: Uint8Array): BaselineState => ({
  ...state,
  repeated: [...state.repeated, { index: 5, entry: Buffer.from(bytes).toString('base64') }],
});

describe('what a pruned log says after its beginning', () => {
  const baselines = (log: SampleLog): string[] => {
    const { start } = started(log);
    return judged(log, SIZE, (context, files) => checkBaselines(context, files, start));
  };
  const second = (spoil: SpoiledBaseline = {}): SampleLog => {
    const log = pruned();
    writeBaseline(log, all, spoil, 2 * SIZE);
    return log;
  };

  it('is a later baseline that goes on from the first', () => {
    expect(baselines(second())).toEqual([]);
    expect(baselines(second({ state: (state) => ({ ...state, chain: noRoot }) }))[0]).toMatch(
      /^L5 512: the baseline sha256:\S+ is not what the entries before it give$/,
    );
  });

  it('is no other root of the entries that went', () => {
    const log = pruned();
    log.write(
      coordinator,
      'log.baseline',
      {},
      { size: SIZE, root: noRoot, state: attachmentOf(utf8('gone'), 'application/json') },
    );
    expect(baselines(log)).toEqual(['L5 263: the root of the baseline is another one']);
  });

  it('is no other configuration than the one that the baseline names, without a change', () => {
    const log = newLog();
    configure(log, a);
    log.write(['site', 'site-1'], 'config.change', {}, { before: a, after: b });
    pruneLog(log);
    const [same, other] = [configure(log, b), configure(log, a)];
    const { start } = started(log);
    expect(same).toBe(263);
    expect(judged(log, SIZE, (context) => checkConfigurations(context, start))).toEqual([
      `L3 ${other}: site site-1 states another configuration than its last one, and no change`,
    ]);
  });
});

describe('rules of a log.prune', () => {
  const prunings = (log: SampleLog, minimum = 0): string[] =>
    judged(log, 0, (context) => checkPrunings(context, minimum));

  it('hold for a baseline that all sites signed, and ask nothing of what went with a later one', () => {
    expect(prunings(pruned())).toEqual([]);
    const wrong = pruned({ prune: { baseline: 3 } });
    expect(prunings(wrong)).toEqual(['L5 262: the entries before 256 were pruned without a baseline']);
    expect(prunings(wrong, 2 * SIZE)).toEqual([]);
  });

  it('fail where more went than there was', () => {
    const log = newLog();
    writePrune(log, writeBaseline(log, all, { body: { size: 2 * SIZE } }), { size: 2 * SIZE });
    expect(prunings(log)).toEqual([
      'L5 262: the entries before 512 were pruned before their class had ended',
    ]);
  });
});
