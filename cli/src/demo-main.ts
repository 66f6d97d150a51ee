import { explainError } from '@regulon/shared/errors';
import { BoardView, stderrScreen } from './demo/board-view.js';
import { runDemo } from './demo/demo.js';
import { parseDemoOptions } from './demo/options.js';
import { demoJson } from './demo/outcome.js';
import { reportLines } from './demo/report.js';
import { askedFormat, endWhenReaderLeaves, Exit, Output, processStreams } from './output/index.js';
import { interruption } from './sim/index.js';

const INTERRUPTED = 130;

/** `npm run demo`: the board on stderr, the result on stdout. */
async function main(): Promise<number> {
  const interrupt = interruption();
  const view = new BoardView(stderrScreen);
  try {
    const options = parseDemoOptions(process.argv.slice(2), (text) => void process.stdout.write(text));
    if (!options) return Exit.done;
    const outcome = await runDemo(options, view, interrupt);
    const text =
      options.format === 'json' ? JSON.stringify(demoJson(outcome)) : reportLines(outcome).join('\n');
    process.stdout.write(`${text}\n`);
    if (!outcome.log.verified) return Exit.refused;
    return outcome.status === 'COMPLETED_PARTIAL' ? Exit.partial : Exit.done;
  } catch (error) {
    view.close();
    if (interrupt.aborted) {
      process.stderr.write('interrupted: everything that was started is stopped\n');
      return INTERRUPTED;
    }
    const format = askedFormat(process.argv.slice(2)) ?? 'table';
    return new Output('demo', { format }, processStreams).error(error);
  }
}

endWhenReaderLeaves();
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${explainError(error)}\n`);
    process.exit(Exit.internal);
  },
);
