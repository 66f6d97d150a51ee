import { RegulonError } from '@regulon/shared/errors';
import type { Target } from '../harness/target.js';
import { bulkTargets } from './bulk.js';
import { bundleTargets } from './bundle.js';
import { binaryTargets } from './data-binaries.js';
import { tableTargets } from './data-texts.js';
import { documentTargets } from './documents.js';
import { fileTargets } from './files.js';
import { logTargets } from './log.js';
import { merkleTargets } from './merkle.js';
import { sealedTargets } from './sealed.js';
import { restTargets } from './rest.js';
import { secaggTargets } from './secagg.js';
import { wireTargets } from './wire.js';

/** Every decoder that sees bytes from outside, made afresh; close each after use. */
export const allTargets = (): Target[] => [
  ...wireTargets(),
  ...sealedTargets(),
  ...bulkTargets(),
  ...secaggTargets(),
  ...merkleTargets(),
  ...logTargets(),
  ...bundleTargets(),
  ...documentTargets(),
  ...fileTargets(),
  ...tableTargets(),
  ...binaryTargets(),
  ...restTargets(),
];

/** The target of this name; the others are let go of. @throws E_ARGUMENT when there is none */
export function targetNamed(name: string): Target {
  const targets = allTargets();
  const found = targets.find((target) => target.name === name);
  for (const target of targets) if (target !== found) void target.close?.();
  if (found) return found;
  throw new RegulonError('E_ARGUMENT', `no fuzzing target named ${name}`, {
    hint: `one of ${targets.map((target) => target.name).join(', ')}`,
  });
}
