/** States in temporary folders, for specs. */
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { utf8 } from '@regulon/shared/crypto';
import type { Step } from './attempt-journal.js';
import { SiteState } from './site-state.js';
import { temporaryFolder } from './temporary-folder.support.js';

export const pins = { site: 'a', federationId: 'fed_test', rosterHash: 'ab', identityKey: 'cd' };
export const run = `run_${'07'.repeat(16)}`;
const open: SiteState[] = [];
afterEach(() => open.splice(0).forEach((state) => state.close()));

/** A folder that is not there yet. */
export function stateFolder(): string {
  return join(temporaryFolder('state'), 'state');
}

/** The state in a folder, closed after the test at the latest. */
export function opened(path = stateFolder()): SiteState {
  const state = SiteState.open(path, pins);
  open.push(state);
  return state;
}

export function closed(state: SiteState): void {
  open.splice(open.indexOf(state), 1);
  state.close();
}

/** The row of an attempt at a step. */
export const attempt = (step: Step, snapshot: string) => ({
  ...{ run, round: 0, attempt: 0, step, facts: { h2: 'aa' }, snapshot: utf8(snapshot) },
  ...{ manifest: utf8('manifest'), signature: new Uint8Array(64) },
});
