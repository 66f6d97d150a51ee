import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBundle } from '@regulon/shared/transparency';
import { SampleLog, sampleRun } from '@regulon/shared/transparency-samples';
import { checkProofCommand, compareCommand } from './index.js';

describe('two bundles of a federation', () => {
  let folder: string;
  const file = (name: string): string => join(folder, name);
  const whole = sampleRun();
  const other = sampleRun({
    spoil: (kind, body, seen) =>
      kind === 'plan.approve' && seen === 2 ? { ...body, validUntil: '2028-01-01T00:00:00.000Z' } : body,
  });
  /** The log as it was after its first entries. */
  const cut = (size: number): SampleLog => {
    const log = new SampleLog();
    log.entries.splice(0, Infinity, ...whole.entries.slice(0, size));
    for (const [digest, bytes] of whole.attachments) log.attachments.set(digest, bytes);
    return log;
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-audit-compare-'));
    writeFileSync(file('policy'), whole.policy);
    writeFileSync(file('whole.zip'), whole.bundle());
    writeFileSync(file('early.zip'), cut(30).bundle());
    writeFileSync(file('other.zip'), other.bundle());
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const compare = (a: string, b: string, out?: string) =>
    compareCommand({
      ...{ bundles: [file(a), file(b)] as const, policy: file('policy') },
      ...(out === undefined ? {} : { out: file(out) }),
    });

  it('agree when one is the beginning of the other, in any order', async () => {
    for (const [a, b] of [
      ['early.zip', 'whole.zip'],
      ['whole.zip', 'early.zip'],
    ] as const) {
      const outcome = await compare(a, b);
      expect(outcome).toMatchObject({
        status: 'extends',
        failure: null,
        older: { size: 30 },
        newer: { size: 68 },
      });
      expect(outcome.firstLine).toMatch(/^CONSISTENT {2}.*whole\.zip extends .*early\.zip by 38 entries/);
    }
    expect(await compare('whole.zip', 'whole.zip')).toMatchObject({ status: 'same', evidence: null });
  });

  it('are a fork at the first entry that differs, with evidence that stands by itself', async () => {
    const { status, failure, firstLine, evidence } = await compare('whole.zip', 'other.zip', 'fork.json');
    expect({ status, index: evidence?.index }).toEqual({ status: 'fork', index: 14 });
    expect(failure).toMatchObject({ code: 'E_FORK', exitCode: 1 });
    expect(firstLine).toMatch(/^FORK {2}entry 14 .*whole\.zip has plan\.approve by steward site-3, /);
    const written = JSON.parse(readFileSync(file('fork.json'), 'utf8')) as typeof evidence;
    expect(written).toEqual(evidence);
    const texts: string[] = [];
    for (const [i, proof] of (written?.proofs ?? []).entries()) {
      writeFileSync(file(`${i}.tlog-proof`), proof);
      const checked = await checkProofCommand({ proof: file(`${i}.tlog-proof`), policy: file('policy') });
      expect(checked).toMatchObject({ index: 14, size: 68 });
      texts.push(checked.text);
    }
    expect(new Set(texts).size).toBe(2);
    expect(await compare('early.zip', 'other.zip')).toMatchObject({
      status: 'fork',
      evidence: { index: 14 },
    });
  });

  it('of which one is not what the log key signed say nothing of each other', async () => {
    const files = cut(30).files();
    files.set('checkpoint', new TextEncoder().encode(whole.note(29)));
    const log = cut(30);
    log.entries.pop();
    const changed = log.files();
    changed.set('checkpoint', new TextEncoder().encode(whole.note(30)));
    for (const [name, bytes] of [
      ['shorter.zip', writeBundle(files)],
      ['longer.zip', writeBundle(changed)],
    ] as const) {
      writeFileSync(file(name), bytes);
      await expect(compare('whole.zip', name)).rejects.toMatchObject({ code: 'E_VERIFY' });
    }
    const unsigned = whole.files();
    unsigned.set('checkpoint', new TextEncoder().encode('x\n1\nAAAA\n\n'));
    writeFileSync(file('unsigned.zip'), writeBundle(unsigned));
    await expect(compare('unsigned.zip', 'whole.zip')).rejects.toThrow(/^\S*unsigned\.zip: /);
  });
});
