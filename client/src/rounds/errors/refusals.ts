import { type ErrorCode, explainError, type RegulonError, traceOf } from '@regulon/shared/errors';
import type { Notice, WireStage } from '@regulon/shared/wire';
import type { CoordinatorLink } from '../../transport/index.js';
import type { SiteContext } from '../context.js';
import { codeOf, type Consequence, consequenceOf, wireCodeOf } from './failures.js';
import { namedError } from '../../errors/index.js';

export type StageNotice = Extract<Notice, { type: 'stage' }>;

const TELL_MS = 5_000;
/** What an honest coordinator says to a message that comes too late. */
const expected: ReadonlySet<ErrorCode> = new Set(['E_STATE', 'E_NOT_FOUND', 'E_LEASE']);

interface Refusal {
  readonly notice: StageNotice;
  /** as the coordinator hears it */
  readonly code: ErrorCode;
  /** this site only did not contribute: it goes on confirming and answering */
  readonly onlyInput: boolean;
}

/** What this site said no to in a run: the coordinator hears of it, so that it does not wait for this site. */
export class Refusals {
  private last: Refusal | undefined;
  private heard = true;

  constructor(
    private readonly site: Pick<SiteContext, 'link' | 'logger'>,
    private readonly run: string,
  ) {}

  /** Code of the last refusal, or undefined while this site has refused nothing. */
  get code(): ErrorCode | undefined {
    return this.last?.onlyInput === false ? this.last.code : undefined;
  }

  /** True when this site has refused what is asked for; the coordinator is told again if it did not hear. */
  async stands(notice: StageNotice): Promise<boolean> {
    const { last } = this;
    if (last?.notice.round !== notice.round || last.notice.attempt !== notice.attempt) return false;
    if (!this.heard) await this.tell();
    return !last.onlyInput || notice.stage === 'r2';
  }

  /** Log what a failed step means, and tell the coordinator where this site refuses. */
  async judge(error: unknown, notice: StageNotice): Promise<Consequence> {
    const consequence = consequenceOf(error);
    const { run, site } = this;
    const { round, attempt, stage } = notice;
    switch (consequence) {
      case 'retry':
        this.logRetry(namedError(error));
        break;
      case 'left-out':
        site.logger[expected.has(codeOf(error)) ? 'info' : 'warn'](
          { run, round, attempt, code: codeOf(error) },
          `round ${round}, ${stage}: the attempt goes on without this site: ${namedError(error).message}`,
        );
        break;
      case 'sit-out':
      case 'refuse-attempt':
      case 'refuse-run':
      case 'run-failed':
      case 'stop':
        this.report(error, stage);
        this.last = { notice, code: wireCodeOf(error), onlyInput: consequence === 'sit-out' };
        await this.tell();
    }
    return consequence;
  }

  /** Two lines: what and where, and what to do next; for a defect also where in the program. */
  report(error: unknown, stage: WireStage): void {
    const named = namedError(error);
    const level = named.code === 'E_INTERNAL' ? 'error' : 'warn';
    const trace = level === 'error' ? { trace: traceOf(named) } : {};
    const facts = { run: this.run, stage, code: named.code, details: named.details, ...trace };
    this.site.logger[level](facts, explainError(named));
  }

  /** A lost connection is no news; what else is tried again may need a person. */
  private logRetry(error: RegulonError): void {
    const level = error.code === 'E_CONNECTION' || error.code === 'E_DEADLINE' ? 'info' : 'warn';
    this.site.logger[level]({ run: this.run, code: error.code }, explainError(error));
  }

  private async tell(): Promise<void> {
    if (!this.last) return;
    this.heard = await tellRefusal(this.site.link, this.last.notice, this.last.code);
  }
}

/** Tell the coordinator that this site does not take part in an attempt. @returns whether it heard */
export async function tellRefusal(
  link: CoordinatorLink,
  { run, round, attempt, stage }: StageNotice,
  code: ErrorCode,
): Promise<boolean> {
  const refusal = { type: 'refuse', run, round, attempt, stage, code } as const;
  try {
    await link.exchange(refusal, { timeoutMs: TELL_MS });
    return true;
  } catch {
    return false;
  }
}
