import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJsonBytes, utf8 } from '../../crypto/index.js';
import { SampleLog, sampleRun } from '../../transparency-samples/index.js';
import {
  assembleEntry,
  attachmentOf,
  digestBytes,
  formatVkey,
  KeyType,
  parseEntry,
  readBundle,
  signCheckpoint,
  signPayload,
  verifierKeyOf,
  type VerifyReport,
  writeBundle,
} from '../index.js';
import { attachmentsOf } from '../entries/attachments.js';
import { verifyBundle } from './verify-bundle.js';

const flip = (bytes: Uint8Array, at: number, bit = 0): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy;
};

describe('a bundle that somebody changed', () => {
  let log: SampleLog;
  let files: ReadonlyMap<string, Uint8Array>;
  let users: Map<string, number>;
  beforeAll(() => {
    log = sampleRun();
    files = log.files();
    users = new Map();
    log.entries.forEach((bytes, index) => {
      for (const { digest } of attachmentsOf(parseEntry(bytes))) {
        const path = `attachments/sha256/${Buffer.from(digestBytes(digest)).toString('hex')}`;
        if (!users.has(path)) users.set(path, index);
      }
    });
  });
  const verify = (bundle: Uint8Array): VerifyReport => verifyBundle({ bundle, policy: log.policy });
  const withFile = (path: string, bytes: Uint8Array): VerifyReport =>
    verify(writeBundle(new Map([...files, [path, bytes]])));
  const bundlePath = (): string => [...files.keys()].find((path) => path.startsWith('tile/entries/')) ?? '';

  it('names the entry in which a byte was flipped, whichever byte', () => {
    const starts: number[] = [];
    log.entries.reduce((offset, entry) => {
      starts.push(offset);
      return offset + 2 + entry.length;
    }, 0);
    const path = bundlePath();
    const bytes = files.get(path) ?? new Uint8Array(0);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const index = starts.findLastIndex((start) => start <= at);
        const { firstLine, status } = withFile(path, flip(bytes, at, bit));
        expect(status).toBe('fail');
        expect(firstLine).toMatch(new RegExp(`^FAIL {2}entry ${index} \\(.*\\), (L1|L3|D1): `));
      }),
      { numRuns: 25 },
    );
  });

  it.each(['67', '69', '99999'])(
    'blames no entry when the checkpoint says %s and the log never signed that',
    (size) => {
      const note = Buffer.from(files.get('checkpoint') ?? []).toString();
      const { firstLine } = withFile('checkpoint', utf8(note.replace('\n68\n', `\n${size}\n`)));
      expect(firstLine).toMatch(/^FAIL {2}L1: the signed note is not acceptable/);
    },
  );

  it('names that entry in a log of more than one tile, too', () => {
    const long = sampleRun();
    const { body } = long.federation.policyBody('site-1');
    while (long.entries.length <= 256) long.write(['steward', 'site-1'], 'policy.set', {}, body);
    const content = long.files();
    const verdict = (changed: ReadonlyMap<string, Uint8Array>): string =>
      verifyBundle({ bundle: writeBundle(changed), policy: long.policy }).firstLine;
    expect(verdict(content)).toMatch(/^PASS /);
    const path = 'tile/entries/000';
    const bytes = content.get(path) ?? new Uint8Array(0);
    const index = 100;
    const start = long.entries.slice(0, index).reduce((sum, entry) => sum + 2 + entry.length, 0);
    const at = start + 2 + Math.floor((long.entries[index]?.length ?? 0) / 2);
    expect(verdict(new Map([...content, [path, flip(bytes, at)]]))).toMatch(/^FAIL {2}entry 100 /);
    const cut = verdict(new Map([...content, [path, bytes.slice(0, start)]]));
    expect(cut).toMatch(/^FAIL {2}entry 100 \(missing\), L1: tile\/entries\/000 is cut off/);
    const noise = Uint8Array.from(bytes).fill(7, start + 2, start + 2 + 900);
    expect(verdict(new Map([...content, [path, noise]]))).toMatch(/^FAIL {2}entry 100 \(unreadable\), L1/);
    const none = verdict(new Map([...content].filter(([name]) => !name.startsWith('tile/entries/'))));
    expect(none).toMatch(/^FAIL {2}entry 0 \(missing\), L1: tile\/entries\/000 is missing/);
    const above = 'tile/1/000.p/1';
    const hash = content.get(above) ?? new Uint8Array(0);
    expect(verdict(new Map([...content, [above, flip(hash, 0)]]))).toMatch(/^FAIL {2}entry 0 .*contradicts/);
  });

  it('names kind and actor when they can still be read', () => {
    const path = bundlePath();
    const bytes = files.get(path) ?? new Uint8Array(0);
    const at = Buffer.from(bytes).indexOf('"commitment"');
    expect(withFile(path, flip(bytes, at + 1)).firstLine).toMatch(
      /^FAIL {2}entry 2 \(dataset\.commit by site site-1\), L1: /,
    );
  });

  it('finds a flipped byte in every other file, and names the entry it belongs to', () => {
    for (const [path, bytes] of files) {
      if (path.startsWith('tile/entries/')) continue;
      for (const at of path.startsWith('keys/') ? [0] : [0, bytes.length - 1]) {
        const { firstLine, status } = withFile(path, flip(bytes, at));
        expect(`${path} ${status}`).toBe(`${path} fail`);
        const index = path.startsWith('attachments/')
          ? users.get(path)
          : path.startsWith('tile/0')
            ? Math.floor(at / 32)
            : 0;
        if (path === 'checkpoint') expect(firstLine).toMatch(/^FAIL {2}L1: /);
        else expect(firstLine).toMatch(new RegExp(`^FAIL {2}entry ${index} `));
      }
    }
  });

  it('finds any flipped bit of the archive itself', () => {
    const bundle = writeBundle(files);
    fc.assert(
      fc.property(fc.nat(bundle.length - 1), fc.nat(7), (at, bit) => {
        const changed = flip(bundle, at, bit);
        let outcome: string;
        try {
          outcome = verify(changed).status;
        } catch (error) {
          outcome = (error as { code: string }).code;
        }
        expect(['fail', 'E_BUNDLE']).toContain(outcome);
      }),
      { numRuns: 25 },
    );
  });

  it('refuses an archive that is cut, longer, or no archive', () => {
    const bundle = writeBundle(files);
    for (const bytes of [
      bundle.slice(0, -1),
      bundle.slice(1),
      new Uint8Array(0),
      Buffer.concat([bundle, Buffer.of(0)]),
    ]) {
      expect(() => verify(bytes)).toThrow(expect.objectContaining({ code: 'E_BUNDLE' }));
    }
    const escaping = writeBundle(new Map([['../checkpoint', utf8('x')]]));
    expect(() => readBundle(escaping)).toThrow(expect.objectContaining({ code: 'E_BUNDLE' }));
  });

  it('finds a missing file, and one too many', () => {
    const without = (path: string): VerifyReport =>
      verify(writeBundle(new Map([...files].filter(([name]) => name !== path))));
    const isEntry = (path: string): boolean => path.startsWith('attachments/');
    for (const path of [...files.keys()].filter((name, i) => !isEntry(name) || i % 3 === 0))
      expect(`${path} ${without(path).status}`).toBe(`${path} fail`);
    expect(without(bundlePath()).firstLine).toMatch(
      /^FAIL {2}entry 0 \(missing\), L1: tile\/entries\/\S+ is missing/,
    );
    expect(without('checkpoint').firstLine).toBe('FAIL  L1: the bundle has no checkpoint');
    const policy = without(SampleLog.pathOf(utf8(log.policy)));
    expect(policy.rules.flatMap(({ id, status }) => (status === 'fail' ? [id] : []))).toEqual(['L1', 'L5']);
    expect(policy.rules[0]?.note).toMatch(/^quorum\.policy is not what entry 0/);
    const [attachment] = users;
    expect(without(attachment?.[0] ?? '').firstLine).toMatch(
      new RegExp(`^FAIL {2}entry ${attachment?.[1]} .* L5: `),
    );
    const stray = attachmentOf(utf8('stray'), 'text/plain').digest.slice(7);
    expect(withFile(`attachments/sha256/${stray}`, utf8('stray')).status).toBe('fail');
    expect(withFile('tile/3/000.p/1', new Uint8Array(32)).status).toBe('fail');
    expect(withFile('keys/site-x.vkey', utf8('x')).status).toBe('fail');
  });
});

describe('a coordinator that rewrites its log and signs it again', () => {
  const rewritten = (change: (log: SampleLog) => void): VerifyReport => {
    const log = sampleRun();
    change(log);
    return verifyBundle({ bundle: log.bundle(), policy: log.policy });
  };
  const isAbout = (log: SampleLog, kind: string): number =>
    log.entries.findIndex((bytes) => parseEntry(bytes).kind === kind);

  it('cannot edit an entry of a site', () => {
    const report = rewritten((log) => {
      const at = isAbout(log, 'round.contribution');
      const entry = parseEntry(log.entries[at] ?? new Uint8Array(0));
      log.entries[at] = canonicalJsonBytes({ ...entry, body: { ...entry.body, band: '500+' } });
    });
    expect(report.firstLine).toMatch(
      /^FAIL {2}entry \d+ \(round\.contribution by site site-1\), L3: the signature/,
    );
  });

  it('cannot drop, repeat or reorder entries', () => {
    for (const change of [
      (log: SampleLog): void => void log.entries.splice(4, 1),
      (log: SampleLog): void => void log.entries.splice(30, 0, log.entries[4] ?? new Uint8Array(0)),
      (log: SampleLog): void => void log.entries.splice(40, 0, ...log.entries.splice(22, 1)),
    ]) {
      const report = rewritten(change);
      expect(report.status).toBe('fail');
      expect(report.firstLine).toMatch(/^FAIL {2}entry \d+ /);
    }
  });

  it('cannot replace the genesis', () => {
    const report = rewritten((log) => {
      const entry = parseEntry(log.entries[0] ?? new Uint8Array(0));
      log.entries[0] = canonicalJsonBytes({ ...entry, sigs: entry.sigs.slice(0, 3) });
    });
    expect(report.firstLine).toMatch(
      /^FAIL {2}entry 0 \(federation\.genesis by coordinator coordinator\), L3/,
    );
    expect(rewritten((log) => void log.entries.splice(0)).status).toBe('fail');
  });

  it('cannot sign a checkpoint with another key, or for another log', () => {
    const log = sampleRun();
    const { origin } = log.federation.genesis;
    const files = log.files();
    const root = new Uint8Array(32);
    const forged = [
      signCheckpoint({ origin, size: 68, root }, { keyName: origin, seed: new Uint8Array(32).fill(3) }),
      signCheckpoint({ origin, size: 68, root }, { keyName: origin, seed: log.federation.logSeed }),
      signCheckpoint({ origin, size: 67, root }, { keyName: origin, seed: log.federation.logSeed }),
      'nonsense',
    ];
    for (const note of forged) {
      const bundle = writeBundle(new Map([...files, ['checkpoint', utf8(note)]]));
      expect(verifyBundle({ bundle, policy: log.policy }).rules.find(({ id }) => id === 'L1')?.status).toBe(
        'fail',
      );
    }
  });

  it('cannot bring its own policy', () => {
    const log = sampleRun({ gateMode: 'cosigned' });
    const lower = log.policy.replace('group sites 4', 'group sites 3');
    const report = verifyBundle({
      bundle: log.bundle(),
      policy: lower,
      asOf: new Date(Date.UTC(2026, 10, 21)),
    });
    expect(report.firstLine).toMatch(
      /^FAIL {2}entry 0 .* L2: entry 0 names other witnesses or another quorum/,
    );
  });

  it('cannot do without cosignatures where the policy wants them: that is not for entry 0 to say', () => {
    const [signed, cosigned] = [sampleRun(), sampleRun({ gateMode: 'cosigned' })];
    expect(verifyBundle({ bundle: signed.bundle(), policy: signed.policy }).status).toBe('pass');
    expect(verifyBundle({ bundle: signed.bundle(), policy: cosigned.policy }).firstLine).toMatch(
      /^FAIL {2}entry 0 .* L2: entry 0 says that no site cosigns, the policy wants 4 that do/,
    );
    const none = verifyBundle({ bundle: cosigned.bundle(), policy: signed.policy });
    expect(none.firstLine).toMatch(/^FAIL {2}entry 0 .* L2: entry 0 names other witnesses or another quorum/);
  });

  /** What a row says of a log whose entry 0 everybody signed with other terms. */
  const founded = (row: string, terms: object): string | undefined => {
    const log = sampleRun();
    const { federation } = log;
    const { sigs, ...genesis } = parseEntry(federation.genesisEntry);
    const payload = canonicalJsonBytes({ ...genesis, body: { ...genesis.body, ...terms } });
    const signers = federation.roster.members.map(({ name }) => federation.signer('site', name));
    const all = [federation.signer('coordinator', 'coordinator'), ...signers];
    expect(all).toHaveLength(sigs.length);
    log.entries[0] = assembleEntry(
      payload,
      all.map((signer) => signPayload(payload, signer)),
    );
    const report = verifyBundle({ bundle: log.bundle(), policy: log.policy });
    return report.rules.find(({ id }) => id === row)?.note;
  };

  it('cannot count on fewer colluders than γ says', () => {
    expect(founded('L2', { colluders: 0 })).toMatch(/quorum of entry 0 is below the formula/);
  });

  it('cannot keep entries shorter than the signed roster says', () => {
    expect(founded('L3', { retention: [{ class: 'brief', days: 0 }] })).toMatch(
      /entry 0 names other retention classes than the signed roster/,
    );
  });

  it('cannot have another log key than the policy', () => {
    const log = sampleRun();
    const { origin } = log.federation.genesis;
    const key = verifierKeyOf({ keyName: origin, seed: new Uint8Array(32).fill(3) }, KeyType.log);
    const policy = log.policy.replace(/^log .*/, `log ${formatVkey(key)}`);
    const { rules } = verifyBundle({ bundle: log.bundle(), policy });
    expect(rules.find(({ id }) => id === 'L2')).toMatchObject({
      ...{ status: 'fail', evidence: [0] },
      note: 'entry 0 names another log key than the policy',
    });
  });
});
