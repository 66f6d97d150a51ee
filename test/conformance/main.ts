/** `npm run conformance:tlog -- --vectors DIR`: public vectors of transparency logs, where such a folder is given. */
import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { reportOf, runVectors } from './tlog-vectors.js';

const USAGE =
  'npm run conformance:tlog -- --vectors DIR, with transparency-dev/merkle, transparency-dev/tessera, C2SP/C2SP, ' +
  'FiloSottile/torchwood or cyberphone/json-canonicalization cloned into DIR, or the answer of ' +
  'https://sum.golang.org/latest in DIR/sum.golang.org/latest';

/** The folder that was named, if there is one. */
function folderOf(): string | undefined {
  try {
    const { vectors = '' } = parseArgs({ options: { vectors: { type: 'string' } } }).values;
    return statSync(vectors, { throwIfNoEntry: false })?.isDirectory() === true ? vectors : undefined;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

const folder = folderOf();
if (folder === undefined) {
  process.stderr.write(`E_ARGUMENT: --vectors names no folder\nnext: ${USAGE}\n`);
  process.exitCode = 4;
} else {
  const { lines, isWhole } = reportOf(runVectors(folder));
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  process.exitCode = isWhole ? 0 : 1;
}
