import { isRegulonError } from '@regulon/shared/errors';
import type { Target } from './target.js';

/** What came of one input. */
export interface Verdict {
  /** equal for inputs that ended in the same way: new ones are worth keeping */
  readonly feature: string;
  /** set when a property was broken: name and text of the error */
  readonly failure?: string;
}

/** Run one input and judge how it ended. */
export async function judge(target: Target, input: Uint8Array): Promise<Verdict> {
  try {
    const pending = target.run(input);
    if (pending !== undefined) await pending;
    return { feature: `accepted, 2^${Math.ceil(Math.log2(input.length + 1))} bytes` };
  } catch (error) {
    if (isRegulonError(error) && isAllowed(target, error.code)) {
      return { feature: `${error.code} ${shape(error.message)}` };
    }
    const failure = error instanceof Error ? failureOf(error) : `threw ${typeof error}`;
    return { feature: failure, failure };
  }
}

function isAllowed({ codes }: Target, code: NonNullable<Target['codes']>[number]): boolean {
  return codes === undefined ? code !== 'E_INTERNAL' : codes.includes(code);
}

/** Name, text and the first place in the project: what tells one defect from another. */
function failureOf(error: Error): string {
  const place = (error.stack ?? '')
    .split('\n')
    .find((line) => /(shared|client|coordinator|cli)\//.test(line));
  const at =
    /((?:shared|client|coordinator|cli)\/.*?):\d+:\d+/.exec(place ?? '')?.[1] ?? 'outside the project';
  const code = isRegulonError(error) ? ` ${error.code}` : '';
  return `${error.name}${code}: ${shape(error.message)} (${at})`;
}

/** A message without what differs from input to input. */
function shape(message: string): string {
  return message
    .replace(/[0-9a-f]{8,}/g, '…')
    .replace(/\d+/g, '#')
    .replace(/(#[.,]?)+/g, '#')
    .slice(0, 120);
}
