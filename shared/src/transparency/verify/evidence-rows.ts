import { refusalOf } from '../../errors/index.js';
import { judgeFork, judgeRefusal, type Proven, verifyQuoted } from '../evidence/log-states.js';
import type { VerifyContext } from './context.js';
import type { RowId } from './findings.js';
import type { LogFiles } from './log-files.js';
import type { IndexedEntry } from './log-entries.js';

/**
 * Rows L1 to L3 of what the log says about itself: reports and anchors name states of it, a proven fork of the log fails,
 * evidence that proves nothing fails. Two entries that a member signed under one number, and a refusal whose notes are
 * both states of this log, are for a person to judge.
 */
export function checkEvidence(context: VerifyContext, { tree }: Pick<LogFiles, 'tree'>): void {
  const { log, history, findings } = context;
  const judged = { tree, history, resolve: log.resolve };
  const said: Record<'L2' | 'L3', string[]> = { L2: [], L3: [] };
  for (const placed of log.entries) {
    try {
      const told = wordsOf(placed, judged);
      if (told === undefined) continue;
      if (told.isWrong) findings.fail('L2', told.note, placed.index);
      else said[told.row].push(`${told.note} (entry ${placed.index})`);
    } catch (error) {
      const { message, details } = refusalOf(error, 'E_LOG_ENTRY');
      const rule = details.rule === 'L1' ? 'L1' : 'L3';
      findings.fail(rule satisfies RowId, message, placed.index);
    }
  }
  for (const row of ['L2', 'L3'] as const)
    if (said[row].length > 0) findings.ask(row, said[row].slice(0, 5).join('; '));
}

interface Told {
  readonly row: 'L2' | 'L3';
  readonly isWrong: boolean;
  readonly note: string;
}

function wordsOf({ entry, index }: IndexedEntry, log: Parameters<typeof judgeFork>[2]): Told | undefined {
  if (entry.kind === 'report.issued' || entry.kind === 'anchor') verifyQuoted(entry, index, log);
  if (entry.kind === 'witness.refusal') return toldOf(judgeRefusal(entry.body, index, log), entry.actor.id);
  if (entry.kind === 'fork.evidence') return toldOf(judgeFork(entry.body, index, log), entry.actor.id);
  return undefined;
}

function toldOf(proven: Proven | undefined, teller: string): Told | undefined {
  if (proven?.by === 'log')
    return {
      row: 'L2',
      isWrong: true,
      note: `${teller} holds a signed checkpoint that is no state of this log: it was forked`,
    };
  if (proven?.by === 'actor') {
    const { actor, seq } = proven;
    return {
      row: 'L3',
      isWrong: false,
      note: `${actor.type} ${actor.id} signed two entries with number ${seq}`,
    };
  }
  if (proven?.by === 'nobody')
    return { row: 'L2', isWrong: false, note: `${teller} refused a checkpoint that is a state of this log` };
  return undefined;
}
