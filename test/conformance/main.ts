/** `npm run conformance:tlog -- --vectors DIR`: public vectors of transparency logs, where such a folder is given. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runVectors } from './tlog-vectors.js';

const { values } = parseArgs({ options: { vectors: { type: 'string' } } });
const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (values.vectors === undefined || !existsSync(values.vectors)) {
  process.stderr.write(
    'E_ARGUMENT: --vectors names no folder\nnext: clone transparency-dev/merkle, transparency-dev/tessera or cyberphone/json-canonicalization into one folder, and name that\n',
  );
  process.exitCode = 4;
} else {
  const results = runVectors(values.vectors);
  for (const { set, passed, failed } of results) {
    say(
      passed === null
        ? `SKIP  ${set}: not in the folder`
        : `${failed.length === 0 ? 'PASS' : 'FAIL'}  ${set}: ${passed}`,
    );
    failed.forEach((name) => say(`      ${name}`));
  }
  const isWhole =
    results.some(({ passed }) => passed !== null) && results.every(({ failed }) => failed.length === 0);
  process.exitCode = isWhole ? 0 : 1;
}
