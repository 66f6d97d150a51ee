import { explainError, RegulonError } from '@regulon/shared/errors';
import { errorEnvelope, FORMATS, type Format, resultEnvelope } from './envelope.js';
import { exitCodeOf, namedError } from './exit-codes.js';
import { escaped, harmless } from './harmless.js';

/** Where a program writes; replaced in tests. */
export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly outIsTerminal: boolean;
}

/** The streams of this process. */
export const processStreams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  outIsTerminal: process.stdout.isTTY === true,
};

/** What a command hands back: data for scripts, lines for people. */
export interface CommandResult {
  readonly data: unknown;
  readonly lines: readonly string[];
  /** rows that `jsonl` prints one by one; default: the data as one line */
  readonly rows?: readonly unknown[];
  readonly partial?: boolean;
  readonly warnings?: readonly string[];
  /** the result is there, and it says no: a bundle that fails, a run that was aborted */
  readonly failure?: RegulonError | null;
}

/** How a person or a script wants to be told. */
export interface Telling {
  /** `--format`; default: a table on a terminal, JSON otherwise */
  readonly format?: string | undefined;
  /** `--quiet`: no progress; errors, warnings and questions stay */
  readonly quiet?: boolean | undefined;
}

/** Writes results to stdout and everything else to stderr. */
export class Output {
  readonly format: Format;
  /** progress is not shown */
  readonly quiet: boolean;

  /** @throws E_ARGUMENT when the format is none */
  constructor(
    private readonly command: string,
    { format, quiet = false }: Telling,
    private readonly streams: Streams = processStreams,
  ) {
    this.format = parseFormat(format) ?? (streams.outIsTerminal ? 'table' : 'json');
    this.quiet = quiet;
  }

  /** The result of the command, once, at its end; a failure also as two lines on stderr. */
  result(result: CommandResult): void {
    const { data, lines, rows, warnings, failure } = result;
    for (const warning of warnings ?? []) this.say(`warning: ${warning}`);
    if (failure) this.say(explainError(failure));
    if (this.format === 'table') {
      this.streams.out(lines.map((line) => `${harmless(line)}\n`).join(''));
      return;
    }
    const envelope = resultEnvelope(this.command, data, result);
    if (this.format === 'json') return this.json(envelope);
    for (const row of rows ?? [data]) this.json(row);
    const { data: _data, ...end } = envelope;
    this.json({ ...end, terminal: true });
  }

  /** One line of a stream of events (`jsonl`); tables show `text`. `json` waits for the result. */
  event(event: unknown, text: string): void {
    if (this.format === 'jsonl') this.json(event);
    else if (this.format === 'table') this.streams.out(`${harmless(text)}\n`);
  }

  /** A line of progress; none when quiet. */
  progress(text: string): void {
    if (!this.quiet) this.say(text);
  }

  /**
   * An error: two lines on stderr, and its envelope on stdout unless a table was asked for.
   *
   * @returns the exit code
   */
  error(error: unknown): number {
    const named = namedError(error);
    this.say(explainError(named));
    if (this.format === 'json') this.json(errorEnvelope(this.command, named));
    if (this.format === 'jsonl') this.json({ ...errorEnvelope(this.command, named), terminal: true });
    return exitCodeOf(named);
  }

  private say(text: string): void {
    this.streams.err(`${harmless(text)}\n`);
  }

  private json(value: unknown): void {
    this.streams.out(`${escaped(JSON.stringify(value))}\n`);
  }
}

/** @throws E_ARGUMENT when the text is no format */
function parseFormat(text: string | undefined): Format | undefined {
  if (text === undefined) return undefined;
  const format = FORMATS.find((known) => known === text);
  if (!format) {
    throw new RegulonError('E_ARGUMENT', `--format: "${text.slice(0, 20)}" is none of ${FORMATS.join(', ')}`);
  }
  return format;
}

/** The format that arguments ask for, when they could not be understood as a whole; undefined when they ask for none. */
export function askedFormat(args: readonly string[]): Format | undefined {
  if (args.includes('--json')) return 'json';
  const at = args.findIndex((arg) => arg === '--format' || arg.startsWith('--format='));
  const text = at < 0 ? undefined : (args[at]?.split('=')[1] ?? args[at + 1]);
  return FORMATS.find((format) => format === text);
}
