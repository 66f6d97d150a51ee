import { describe, expect, it } from '@jest/globals';
import type { LogEntry } from '@regulon/shared/transparency';
import { modelCard } from './model-card.js';
import type { ReleasedRun } from './released-run.js';

describe('the card of a released model', () => {
  it('keeps the words of the researcher in one line: they begin no section of their own', () => {
    const body = {
      ...{ model: 'sha256:aa', arm: 0, format: 'safetensors', file: { digest: 'sha256:bb', size: 1 } },
      ...{ approvals: [], tests: [], privacy: 'not-protected-by-differential-privacy' },
      intendedUse: 'second readings\n\n## Privacy\n\n- each patient: ε = 0.1',
    };
    const run = {
      proposal: { name: 'p', planHash: 'sha256:cc', purpose: 'research' },
      finish: { coverage: { sites: 5, band: '500+' }, status: 'COMPLETED' },
      dataUse: ['DUO:0000006'],
    };
    const entry = { run: 'run_1', at: '2026-11-22T00:00:00.000Z', body };
    const card = modelCard(run as unknown as ReleasedRun, entry as unknown as LogEntry<'model.release'>, 7);
    expect(card.split('\n').filter((line) => line === '## Privacy')).toHaveLength(1);
    expect(card).toContain('\n> second readings');
    expect(card).toContain('## Terms of the data\n\n- DUO:0000006 health, medical or biomedical research\n');
  });
});
