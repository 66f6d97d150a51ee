import { boardLines, roundText } from './board.js';
import { type BoardState, emptyBoard, nextBoard, type ViewEvent } from './state.js';

const FRAME_MS = 100;

/** Where the board is drawn; replaced in tests. */
export interface Screen {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly width: () => number;
}

/** The screen behind stderr: stdout belongs to the result. */
export const stderrScreen: Screen = {
  write: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true && process.env['TERM'] !== 'dumb',
  width: () => process.stderr.columns || 80,
};

/** Shows a run while it goes on: redrawn in place on a terminal, one line a closed round elsewhere. */
export class BoardView {
  private state: BoardState = emptyBoard('', '', 0, []);
  private drawn = 0;
  private started = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly screen: Screen) {}

  /** A line that stays, above the board. */
  say(text: string): void {
    this.erase();
    this.screen.write(`${text}\n`);
    if (this.timer) this.draw();
  }

  /** Begin to show a run. */
  open(title: string, run: string, rounds: number, sites: readonly string[]): void {
    this.state = emptyBoard(title, run, rounds, sites);
    this.started = Date.now();
    if (this.screen.isTerminal) this.timer = setInterval(() => this.redraw(), FRAME_MS);
    this.timer?.unref();
  }

  apply(event: ViewEvent): void {
    if (event.type === 'finding') return this.say(event.text);
    this.state = nextBoard(this.state, event);
    if (!this.screen.isTerminal && event.type === 'closed') {
      this.screen.write(`${roundText(event.line, this.state.rounds, this.state.sites.length)}\n`);
    }
  }

  /** Leave the last picture standing. */
  close(): void {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.redraw();
    this.drawn = 0;
  }

  private redraw(): void {
    this.erase();
    this.draw();
  }

  private draw(): void {
    const elapsedSeconds = (Date.now() - this.started) / 1000;
    const lines = boardLines({ ...this.state, elapsedSeconds }, this.screen.width());
    this.screen.write(`${lines.join('\n')}\n`);
    this.drawn = lines.length;
  }

  /** Move up over the last picture and clear to the end of the screen. */
  private erase(): void {
    if (this.drawn > 0) this.screen.write(`\u001b[${this.drawn}A\u001b[J`);
    this.drawn = 0;
  }
}
