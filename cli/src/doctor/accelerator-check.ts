import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DaemonConfig } from '@regulon/client/config';
import { Trainer } from '@regulon/client/training';
import { isRegulonError } from '@regulon/shared/errors';
import { failed, type Finding, ok, warning } from './row.js';

/**
 * D11: the training process of this site starts, and its backend passes the self-test.
 *
 * @returns a warning where a member of the chain is left out, a failure where none is left or the pinned one fails
 */
export async function checkAccelerator({ stateFolder, training }: DaemonConfig): Promise<Finding> {
  const { backend, threads, acceleratorFolder } = training;
  const folder = mkdtempSync(join(tmpdir(), 'regulon-doctor-'));
  try {
    const trainer = await Trainer.start({
      ...{ folder, backend },
      acceleratorFolder: acceleratorFolder ?? join(stateFolder, 'accelerator'),
      ...(threads === undefined ? {} : { threads }),
    });
    await trainer.close();
    const { backend: name, warnings, selfTestMilliseconds } = trainer.backend;
    const passed = `${name} passed its self-test in ${selfTestMilliseconds} ms`;
    return warnings.length === 0
      ? ok(passed)
      : warning(`${passed}; ${warnings.join('; ')}`, 'install that accelerator again, or remove it');
  } catch (error) {
    if (!isRegulonError(error)) throw error;
    return failed(`${error.code}: ${error.message}`, 'see `regulon accelerator test`, or set backend: auto');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
