import { isRegulonError } from './regulon-error.js';

/** Frames of a stack that a log line keeps. */
const FRAMES = 12;

/**
 * Where a defect arose: kind, code and stack frames of an error and of its causes, innermost last.
 *
 * Messages stay out, unless they are our own: a foreign message may quote the data that it choked on.
 */
export function traceOf(error: unknown): string[] {
  const lines: string[] = [];
  for (let at: unknown = error; at instanceof Error && lines.length < 4 * FRAMES; at = at.cause) {
    lines.push(headOf(at), ...framesOf(at).slice(0, FRAMES));
  }
  return lines;
}

function headOf(error: Error): string {
  if (isRegulonError(error)) return `${error.code}: ${error.message}`;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' || typeof code === 'number' ? `${error.name} ${code}` : error.name;
}

/** What follows the message in a stack, as far as it looks like a place in a program. */
function framesOf({ stack = '', message }: Error): string[] {
  const begin = Math.max(0, stack.indexOf(message)) + message.length;
  const lines = stack.slice(begin).split('\n');
  return lines.map((line) => line.trim()).filter((line) => /^at .+(:\d+:\d+|<anonymous>)\)?$/.test(line));
}
