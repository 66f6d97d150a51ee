import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@regulon/shared/crypto';
import { digestText } from '@regulon/shared/transparency';
import {
  exceptedRun,
  sampleRelease,
  sampleRun,
  type SampleOptions,
} from '@regulon/shared/transparency-samples';
import { verifyMarkup } from '../run-report/markup.support.js';
import { reportCommand } from './index.js';
import { auditPage } from './report-page.js';
import type { AuditDocument } from './report-document.js';

const HOSTILE = `<script>alert(1)</script>"'&<img src=x onerror=alert(1)>`;

describe('the report of an audit', () => {
  let folder: string;
  const file = (name: string): string => join(folder, name);
  const reported = async (bytes: Uint8Array, policy: string) => {
    writeFileSync(file('bundle.zip'), bytes);
    writeFileSync(file('policy'), policy);
    const args = { bundle: file('bundle.zip'), policy: file('policy'), asOf: '2026-11-21T00:00:00Z' };
    const outcome = await reportCommand({ ...args, out: file('report.html'), tool: 'regulon 0.0' });
    const page = readFileSync(file('report.html'), 'utf8');
    verifyMarkup(page);
    return { ...outcome, page };
  };
  const ofRun = (options: SampleOptions = {}) => {
    const log = sampleRun(options);
    return reported(log.bundle(), log.policy);
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-audit-report-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('loads nothing, runs nothing, and says what was judged, by whom it is to be signed', async () => {
    const { page, failure, document } = await ofRun();
    expect(failure).toBeNull();
    expect(page).not.toMatch(/<script|https?:|src=|href=|url\(|@import|\son\w+=/i);
    expect(page).toContain('<h1>PASS: audit of fed_sample</h1>\n<p class="verdict"><strong>PASS  fed_sample');
    const digests = ['bundle.zip', 'policy'].map((name) => digestText(sha256(readFileSync(file(name)))));
    expect([document.bundle.digest, document.policy.digest]).toEqual(digests);
    for (const words of [
      ...digests,
      'regulon 0.0',
      '2026-11-21T00:00:00.000Z',
      'signature',
      'every dataset is',
    ])
      expect(page).toContain(words);
    for (const { id, status } of document.verification.rules)
      expect(page).toContain(`<th scope="row">${id}</th><td>${status}</td>`);
  });

  it('draws the membership tests that a release rests on, at few false positives', async () => {
    const log = sampleRun({ privacy: { cap: '3' } });
    sampleRelease(log);
    const { page, document } = await reported(log.bundle(), log.policy);
    expect(document.runs[0]?.tests).toHaveLength(1);
    expect(page).toMatch(/<svg role="img" aria-labelledby="roc-run_[0-9a-f]+-0-title/);
    expect(page).toMatch(
      /loss-threshold at site-1 finds 0 of the members at 0\.01 of the others \(bound 0\.0105\)/,
    );
    expect((await ofRun()).page).not.toContain('gives away of single patients</h3>');
  });

  it('names approvals, cohorts and what left the sites', async () => {
    const { document, page } = await ofRun({ reopened: true });
    const [run] = document.runs;
    expect(run?.approvals.map(({ steward }) => steward)).toEqual(
      document.federation?.members.map(({ name }) => name),
    );
    expect(run?.rounds.map(({ round, attempt, end }) => `${round}-${attempt} ${end}`)).toEqual([
      '0-0 sum',
      expect.stringMatching(/^1-0 E_/),
      '1-1 sum',
      '2-0 sum',
    ]);
    expect(run?.rounds[0]).toMatchObject({
      ...{ purpose: 'statistics', step: 'counts', noise: 'none', charged: 0 },
      cohort: { invited: 5, u1: 5, u2: 5, u3: 4 },
    });
    for (const { elements, bytes } of run?.rounds ?? [])
      expect([4, 8]).toContain((bytes ?? 0) / (elements ?? 1));
    expect(page).toContain('5 / 5 / 5 / 4');
    expect(page).toMatch(/<title id="timeline-title">Timeline<\/title><desc [^>]*>From 2026-11-20T/);
  });

  it('shows the terms of each dataset, and who excepted which plan until when, not why', async () => {
    const { document, page } = await ofRun(exceptedRun({ justification: 'because we can' }));
    expect(document.datasets[0]?.dataUse).toEqual(['DUO:0000042']);
    expect(document.exceptions).toMatchObject([{ site: 'site-1', rule: 'purposes' }]);
    expect(page).toContain('data-use terms: DUO:0000042 (row A1');
    expect(page).toContain(document.exceptions[0]?.planHash);
    expect(page).not.toContain('because we can');
    expect((await ofRun()).page).not.toContain('excepted from its policy</h3>');
  });

  it('of a bundle that fails says so first, names the entry, and is written all the same', async () => {
    const log = sampleRun();
    const bytes = log.bundle();
    const at = Buffer.from(bytes).indexOf('"kind":"round.ack"') + 20;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const { page, failure } = await reported(bytes, log.policy);
    expect(failure).toMatchObject({ code: 'E_VERIFY', exitCode: 1 });
    expect(page).toMatch(/<h1>FAIL: .*<\/h1>\n<p class="verdict"><strong>FAIL {2}entry \d+ \(round\.ack/);
    expect(page).toContain('none of it is to be relied on');
    expect(page).toMatch(/breaks a rule [1-9]/);
  });

  it('shows no text that a person wrote freely', async () => {
    const { page, document } = await ofRun({
      spoil: (kind, body) => (kind === 'plan.approve' ? { ...body, conditions: [HOSTILE] } : body),
    });
    expect(document.runs[0]?.approvals[0]?.conditions).toBe(1);
    expect(page).not.toMatch(/<script|<img|alert\(1\)/);
  });

  it('shows nothing of an entry in which a person may be named', async () => {
    const { page, document } = await ofRun({
      spoil: (kind, body, seen) =>
        kind === 'plan.approve' && seen === 0 ? { ...body, dataset: 'tcga-ab-1234' } : body,
    });
    expect(document.withheld).toHaveLength(1);
    expect(page).toContain(`Nothing is shown of entries ${String(document.withheld[0])}:`);
    expect(page).not.toMatch(/tcga-ab-1234/i);
  });

  it('escapes every text, wherever it came from', async () => {
    const { document } = await ofRun();
    const hostile = JSON.parse(JSON.stringify(document), (_, value: unknown) =>
      typeof value === 'string' ? HOSTILE : value,
    ) as AuditDocument;
    const page = auditPage(hostile);
    expect(page).not.toMatch(/<script|<img/i);
    expect(page).toContain('&#60;script&#62;');
    verifyMarkup(page);
  });

  it('is not written for what is no bundle', async () => {
    rmSync(file('report.html'), { force: true });
    await expect(reported(new Uint8Array(100), sampleRun().policy)).rejects.toMatchObject({
      code: 'E_BUNDLE',
    });
    expect(existsSync(file('report.html'))).toBe(false);
  });
});
