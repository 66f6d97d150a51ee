import { equalBytes } from '@regulon/shared/crypto';
import { readBundle, verifyBundle, writeBundle } from '@regulon/shared/transparency';
import { SampleLog, sampleRun } from '@regulon/shared/transparency-samples';
import { changeLog } from '../grammar/bundle.js';
import { mustHold, type Target } from '../harness/target.js';

const asOf = new Date(Date.UTC(2026, 11, 1));

/** A bundle of which any byte is changed: it is refused, or it fails; it never passes. */
function bytesTarget(): Target {
  const log = new SampleLog();
  const whole = log.bundle();
  return {
    name: 'bundle-bytes',
    codes: ['E_BUNDLE'],
    examples: () => [whole],
    run(input) {
      const { status } = verifyBundle({ bundle: input, policy: log.policy, asOf });
      mustHold(status === 'fail' || equalBytes(input, whole), 'a changed bundle passes');
    },
    inputs: 300,
  };
}

const zip: Target = {
  name: 'bundle-zip',
  codes: ['E_BUNDLE'],
  examples: () => [
    writeBundle(
      new Map([
        ['checkpoint', new Uint8Array(40).fill(65)],
        ['tile/0/000.p/3', new Uint8Array(96)],
        ['tile/entries/000.p/3', new Uint8Array(20)],
      ]),
    ),
  ],
  run(input) {
    const { files, badChecksums } = readBundle(input);
    const again = writeBundle(files);
    mustHold(badChecksums.length > 0 || equalBytes(again, input), 'an archive with two forms');
  },
};

/** A whole run, changed by the coordinator that wrote it: entries, attachments, manifests, tiles, all sealed again. */
function runTarget(): Target {
  const log = sampleRun();
  const bundle = log.bundle();
  return {
    name: 'bundle-run',
    codes: ['E_BUNDLE'],
    examples: () => [],
    run(input) {
      const { status, firstLine, rules } = verifyBundle({ bundle: input, policy: log.policy, asOf });
      mustHold(firstLine.startsWith(status === 'pass' ? 'PASS' : 'FAIL') && rules.length > 20, 'no verdict');
    },
    change: (_input, dice) => changeLog(log, bundle, dice),
    maxBytes: 1 << 20,
    inputs: 60,
  };
}

/** Bundles, as an auditor's verifier reads them. */
export const bundleTargets = (): Target[] => [bytesTarget(), zip, runTarget()];
