import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { toyPlan } from '../../../shared/src/plan/toy-plan.support.js';
import { run } from './run-program.support.js';

interface Answer {
  readonly command: string;
  readonly data: {
    readonly epsilon: { pld: number; rdp: number; exact: number | null };
    readonly noise?: { pld: number; rdp: number; exact: number | null };
    readonly z: number;
  };
  readonly error: { code: string; message: string } | null;
}

async function privacy(...args: string[]): Promise<Answer & { code: number }> {
  const { out, code } = await run('privacy', ...args, '--format', 'json');
  return { ...(JSON.parse(out) as Answer), code };
}

const all = ['--q', '1', '--steps', '50', '--delta', '1e-5'];
const sampled = ['--q', '0.01', '--steps', '120', '--delta', '1e-5'];

describe('regulon privacy', () => {
  it('prints ε by three accountants where nothing is sampled, with everything that ε means nothing without', async () => {
    const { command, data, code } = await privacy('epsilon', ...all, '--z', '8');
    expect([command, code]).toEqual(['privacy.epsilon', 0]);
    expect(data.epsilon.exact).toBeCloseTo(3.7965357229, 9);
    expect(data.epsilon.pld).toBeCloseTo(3.79653573, 5);
    expect(data.epsilon.rdp).toBeCloseTo(4.1056616424, 9);
    expect(data).toMatchObject({
      ...{ unit: 'patient', adjacency: 'add-or-remove-one', hospitals: 1, delta: 1e-5 },
      accountant: expect.stringMatching(/^regulon-accountant\//) as unknown,
    });
    const { out } = await run('privacy', 'epsilon', ...all, '--z', '8', '--format', 'table');
    expect(out).toMatch(
      /^ε = 3\.79\S+ at δ = 0\.00001 \(exact\), per patient, one added or removed, in 1 hospital;/,
    );
  });

  it('has no exact ε of a sampled training, and counts a patient of two hospitals twice', async () => {
    const { data } = await privacy('epsilon', ...sampled, '--z', '0.7');
    expect(data.epsilon).toEqual({
      pld: expect.closeTo(2.4612381, 5) as unknown,
      rdp: expect.closeTo(3.2391922, 6) as unknown,
      exact: null,
    });
    const half = sampled.map((word) => (word === '120' ? '60' : word));
    const twice = await privacy('epsilon', ...half, '--z', '0.7', '--hospitals', '2');
    expect(twice.data.epsilon).toEqual(data.epsilon);
  });

  it('finds the noise of a wanted ε, and what it then costs', async () => {
    const { data } = await privacy('noise', ...all, '--epsilon', '3.7965357229');
    expect(data.noise?.exact).toBeCloseTo(8, 7);
    expect(data.noise?.rdp).toBeGreaterThan(8);
    expect(data.z).toBe(data.noise?.pld);
    expect(data.epsilon.exact).toBeCloseTo(3.7965357229, 9);
  });

  it.each([
    ['a rate above 1', ['epsilon', '--q', '1.5', '--steps', '1', '--delta', '1e-5', '--z', '1'], 'E_PRIVACY'],
    ['negative noise', ['epsilon', ...all, '--z=-1'], 'E_PRIVACY'],
    ['noise that is no number', ['epsilon', ...all, '--z', 'much'], 'E_ARGUMENT'],
    ['δ above 1', ['noise', '--q', '1', '--steps', '1', '--delta', '2', '--epsilon', '1'], 'E_PRIVACY'],
    ['no steps', ['noise', '--q', '1', '--steps', '0', '--delta', '1e-5', '--epsilon', '1'], 'E_ARGUMENT'],
    ['a missing δ', ['epsilon', '--q', '1', '--steps', '1', '--z', '1'], 'E_ARGUMENT'],
  ])('refuses %s by name', async (_, args, name) => {
    const { error, code } = await privacy(...args);
    expect(error?.code).toBe(name);
    expect(code).toBe(4);
  });
});

describe('regulon plan estimate of a plan that claims privacy', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regulon-estimate-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'plan.json');
  const plan = toyPlan(['a', 'b', 'c', 'd', 'e'], {
    prepare: [{ step: 'log2-cpm' }],
    evaluation: { split: 'none' },
    privacy: {
      ...{ unit: 'patient', adjacency: 'add-or-remove-one', noiseMultiplier: 8, samplingRate: 1 },
      ...{ localSteps: 5, clipNorm: 1, delta: 1e-3 },
    },
  });

  it('shows ε of each site, round by round, and the noise for another ε, with all that goes with it', async () => {
    writeFileSync(file, JSON.stringify(plan));
    const { out, code } = await run('plan', 'estimate', file, '--epsilon', '3', '--format', 'json');
    const { data } = JSON.parse(out) as { data: Record<string, unknown> };
    expect(code).toBe(0);
    const claim = { unit: 'patient', adjacency: 'add-or-remove-one', hospitals: 1, delta: 1e-3, by: 'exact' };
    expect(data).toMatchObject({ claim, noise: { epsilon: 3, z: expect.any(Number) as unknown } });
    expect(data['bySite']).toHaveLength(5);
    expect(data['byRounds']).toHaveLength(3);
    const { out: text } = await run('plan', 'estimate', file, '--format', 'table');
    expect(text).toMatch(/each of 5 sites charges its ledger ε = \S+ at δ = 0\.001/);
    expect(text).toMatch(/after 3 rounds {2}ε \S+ +█{40}$/m);
  });

  it('refuses an ε that its count of patients alone exceeds', async () => {
    writeFileSync(file, JSON.stringify(plan));
    const { out, code } = await run('plan', 'estimate', file, '--epsilon', '0.01', '--format', 'json');
    expect(code).toBe(4);
    expect((JSON.parse(out) as Answer).error).toMatchObject({ code: 'E_PRIVACY' });
  });
});
