import { describe, expect, it } from '@jest/globals';
import { enc, hex, u32 } from '../crypto/index.js';
import { decodeManifest, encodeManifest, type Manifest } from './manifest.js';
import { decodeMessage, encodeMessage } from './message-codec.js';
import { ENVELOPE_BYTES, type MessageKind, type MessageOfKind } from './messages.js';
import { makeCohort, runUntil } from './secagg.support.js';

const { server, clients, cohort } = runUntil(makeCohort(5), 'r3', { upload: [20] });
const client = clients.get(10);
const [survivor, delivery] = [server.closeU3()[0], server.deliveriesFor(10)[1]];
if (!client || !survivor || !delivery) throw new Error('no site');
const complaint = { id: 10, sender: 20, digest: new Uint8Array(32), sig: new Uint8Array(64) };
const samples: { [K in MessageKind]: MessageOfKind[K] } = {
  advertise: client.advertise(),
  shares: client.shareKeys(),
  delivery,
  commit: client.commit(survivor.root, cohort.manifest.d + 2),
  survivor,
  consistency: client.consistency(),
  answer: client.unmask(server.signatures()),
  complaint,
};

describe('message encoding', () => {
  it.each(Object.keys(samples) as MessageKind[])(
    'gives back %s, and refuses every cut and every added byte',
    (kind) => {
      const bytes = encodeMessage(kind, samples[kind]);
      expect(hex(encodeMessage(kind, decodeMessage(kind, bytes)))).toBe(hex(bytes));
      const refused = expect.objectContaining({ code: 'E_MESSAGE' });
      for (let cut = 0; cut < bytes.length; cut += 13)
        expect(() => decodeMessage(kind, bytes.subarray(0, cut))).toThrow(refused);
      expect(() => decodeMessage(kind, Uint8Array.of(...bytes, 0))).toThrow(refused);
    },
  );

  it('refuses lists longer than the cohort before it allocates', () => {
    const refused = expect.objectContaining({ code: 'E_MESSAGE' });
    expect(() => decodeMessage('shares', encodeMessage('shares', samples.shares), { n: 4 })).toThrow(refused);
    const huge = enc(u32(10), new Uint8Array(32), u32(0xffff_ffff));
    expect(() => decodeMessage('shares', huge)).toThrow(refused);
  });

  it('gives back a manifest, and refuses every cut, an unknown version and an unknown mode', () => {
    const bytes = encodeManifest(cohort.manifest);
    expect(decodeManifest(bytes)).toEqual(cohort.manifest);
    for (let cut = 0; cut < bytes.length; cut += 7)
      expect(() => decodeManifest(bytes.subarray(0, cut))).toThrow();
    expect(() => decodeManifest(Uint8Array.of(...bytes, 0))).toThrow(
      expect.objectContaining({ code: 'E_MESSAGE' }),
    );
    const changed = bytes.slice();
    changed[5] = 2;
    expect(() => decodeManifest(changed)).toThrow(expect.objectContaining({ code: 'E_MESSAGE' }));
  });

  it.each<[string, Partial<Record<keyof Manifest, number>>]>([
    ['version', { version: 2 }],
    ['purpose', { purpose: 3 }],
    ['mechanism', { mechanism: 3 }],
    ['quorum rule', { quorumRule: 2 }],
    ['mask stream', { prg: 2 }],
    ['ring', { ringBits: 16 }],
    ['graph', { graph: 1 }],
  ])('refuses a manifest with an unknown %s', (_, change) => {
    const bytes = encodeManifest({ ...cohort.manifest, ...change } as Manifest);
    expect(() => decodeManifest(bytes)).toThrow(
      expect.objectContaining({
        code: 'E_MESSAGE',
        message: expect.stringContaining('unknown value') as unknown,
      }),
    );
  });

  it('refuses an entry of an unknown kind, and an envelope of another size', () => {
    const { answer } = samples;
    const entries = answer.entries.map((entry) => ({ ...entry, kind: 2 as 0 | 1 }));
    const refused = (words: string): unknown =>
      expect.objectContaining({ code: 'E_MESSAGE', message: expect.stringContaining(words) as unknown });
    expect(() => decodeMessage('answer', encodeMessage('answer', { ...answer, entries }))).toThrow(
      refused('kind 2'),
    );
    for (const length of [1, ENVELOPE_BYTES - 1]) {
      const envelope = new Uint8Array(length);
      expect(() => decodeMessage('delivery', encodeMessage('delivery', { ...delivery, envelope }))).toThrow(
        refused(`an envelope has ${length} bytes`),
      );
    }
  });

  it('refuses a NaN, which has many byte strings, and a deadline that no date can hold', () => {
    const refused = expect.objectContaining({ code: 'E_MESSAGE' });
    const { manifest } = cohort;
    for (const changed of [
      { ...manifest, C: NaN },
      { ...manifest, deadlines: [1, 2, 3, 4, 8.64e15 + 1] },
      { ...manifest, deadlines: [2 ** 53 - 1, 2, 3, 4, 5] },
    ])
      expect(() => decodeManifest(encodeManifest(changed))).toThrow(refused);
    const last = { ...manifest, deadlines: [1, 2, 3, 4, 8.64e15] };
    expect(decodeManifest(encodeManifest(last))).toEqual(last);
  });
});
