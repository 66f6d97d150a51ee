import { describe, expect, it } from '@jest/globals';
import { sha256, utf8 } from '../../crypto/index.js';
import { SampleFederation, type SampleOptions, sampleRun } from '../../transparency-samples/index.js';
import { ctxOf, decodeManifest, encodeManifest, signManifest } from '../../secagg/index.js';
import {
  attachmentOf,
  digestText,
  MediaType,
  parseEntry,
  signCheckpoint,
  type VerifyReport,
  writeBundle,
} from '../index.js';
import { verifyBundle } from './verify-bundle.js';

const asOf = new Date(Date.UTC(2026, 10, 21));
const failed = ({ rules }: VerifyReport): string[] =>
  rules.filter((r) => r.status === 'fail').map((r) => r.id);

/** A run in which a list of an entry is the attachment of some text. */
function withList(kind: string, field: string, text: string): VerifyReport {
  const bytes = utf8(text);
  const spoil: SampleOptions['spoil'] = (of, body) =>
    of === kind ? { ...body, [field]: attachmentOf(bytes, MediaType.json) } : body;
  const log = sampleRun({ spoil });
  log.attach(bytes, MediaType.json);
  return verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf });
}

describe('a log whose coordinator and sites sign anything', () => {
  it.each([
    ['round.aggregate', 'dropped', '[null]'],
    ['round.aggregate', 'u1', '[1,{"toString":1}]'],
    ['round.aggregate', 'contributions', '{}'],
    ['round.open', 'invited', '[{"toString":1}]'],
    ['round.unmask', 'survivors', '[{"toString":null}]'],
    ['run.start', 'sites', '[{"toString":1}]'],
    ['run.start', 'approvals', '["a"]'],
  ])('fails where %s has a list %s that holds %s', (kind, field, text) => {
    expect(withList(kind, field, text).status).toBe('fail');
  });

  it.each([2 ** 31, 2 ** 53 - 1])('fails for a checkpoint of %d entries, without counting so far', (size) => {
    const log = sampleRun();
    const { origin } = log.federation.genesis;
    const note = signCheckpoint(
      { origin, size, root: sha256() },
      { keyName: origin, seed: log.federation.logSeed },
    );
    const bundle = writeBundle(new Map([...log.files(), ['checkpoint', utf8(note)]]));
    const report = verifyBundle({ bundle, policy: log.policy, asOf });
    expect(failed(report)).toContain('L1');
    expect(report.log.size).toBe(size);
  });

  it('fails for entry bundles of a log without end, when no checkpoint says how long it is', () => {
    const log = sampleRun();
    const files = log.files();
    files.delete('checkpoint');
    files.set('tile/entries/x999/x999/x999/999', new Uint8Array(0));
    const report = verifyBundle({ bundle: writeBundle(files), policy: log.policy, asOf });
    expect(failed(report)).toContain('L1');
  });

  it('fails for a round whose signed manifest has no thresholds', () => {
    const seed = SampleFederation.seed('coordinator', 'coordinator');
    const honest = sampleRun();
    const bytes = honest.entries.map(parseEntry).flatMap((entry) => {
      const digest = entry.kind === 'round.open' ? entry.body.manifest.digest : '';
      return honest.attachments.get(digest) ?? [];
    })[0];
    const real = decodeManifest(bytes ?? new Uint8Array(0));
    const manifest = { ...real, gammaNum: 1, gammaDen: 0 };
    const changed = {
      context: digestText(ctxOf(manifest)),
      manifest: attachmentOf(encodeManifest(manifest), MediaType.manifest),
      manifestSignature: Buffer.from(signManifest(seed, manifest)).toString('base64'),
    };
    const log = sampleRun({
      spoil(kind, body) {
        if (body['context'] !== digestText(ctxOf(real))) return body;
        return kind === 'round.open' ? { ...body, ...changed } : { ...body, context: changed.context };
      },
    });
    log.attach(encodeManifest(manifest), MediaType.manifest);
    const report = verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf });
    expect(failed(report)).toContain('S1');
    expect(report.rules.find(({ id }) => id === 'S1')?.note).toContain('thresholds');
  });
});
