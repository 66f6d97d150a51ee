import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { RegulonError } from '@regulon/shared/errors';

/** Asks for what must stand in no argument, no history and no log. */
export interface Secrets {
  /** @returns what was typed, or the next line of a script's input @throws E_ARGUMENT when there is none */
  ask(question: string): Promise<string>;
  /** Let go of the input. */
  close(): void;
}

/** At a terminal nothing of what is typed is shown; a script writes a line for each question, in their order. */
export class ProcessSecrets implements Secrets {
  private lines: AsyncIterator<string> | undefined;
  private stop: () => void = () => undefined;

  constructor(
    private readonly input: NodeJS.ReadableStream,
    private readonly interactive: boolean,
    private readonly show: (text: string) => void,
  ) {}

  async ask(question: string): Promise<string> {
    if (this.interactive) this.show(`${question}: `);
    const line = await this.reader().next();
    if (this.interactive) this.show('\n');
    if (line.done !== true) return line.value;
    throw new RegulonError('E_ARGUMENT', `${question}: nothing was given`, {
      hint: 'type it at a terminal, or write one line for each question to the standard input',
    });
  }

  close(): void {
    this.stop();
  }

  private reader(): AsyncIterator<string> {
    if (this.lines) return this.lines;
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => void done() });
    const reader = createInterface({ input: this.input, output: nowhere, terminal: this.interactive });
    // Ctrl-C is read as a key here
    reader.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    this.stop = () => void reader.close();
    return (this.lines = reader[Symbol.asyncIterator]());
  }
}
