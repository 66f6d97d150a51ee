import { boxBefore, boxPublicKeyOf, concatBytes, enc, equalBytes } from '@regulon/shared/crypto';
import {
  AnswerOpener,
  AnswerSealer,
  openRequest,
  requestCodec,
  type Sealed,
  SealedSender,
} from '@regulon/shared/wire';
import { BoxKeys } from '@regulon/coordinator/transport';
import type { Dice } from '../../security/support/dice.js';
import { changeList, changePieces, piecesOf } from '../grammar/pieces.js';
import { mustHold, type Target } from '../harness/target.js';
import { digestOf } from './wire.js';

/** Known to both ends, so that inputs get past the seal: a proxy does not have it, a member has. */
const sharedKey = boxBefore(boxPublicKeyOf(digestOf(1)), digestOf(2));
const keys = BoxKeys.fromSeed(digestOf(0), digestOf(3));
const beat = requestCodec.encode({
  type: 'beat',
  run: digestOf(1).slice(0, 16),
  round: 3,
  step: 's',
  note: '',
});

const sealedOf = ([ephemeralKey, nonce, box]: readonly Uint8Array[]): Sealed => ({
  ephemeralKey: ephemeralKey ?? new Uint8Array(0),
  nonce: nonce ?? new Uint8Array(0),
  box: box ?? new Uint8Array(0),
});
const packed = ({ ephemeralKey, nonce, box }: Sealed): Uint8Array => enc(ephemeralKey, nonce, box);

/** Requests as the coordinator opens them: key, nonce and box of a sender that nobody knows yet. */
const request: Target = {
  name: 'sealed-request',
  codes: ['E_SEAL', 'E_MESSAGE', 'E_LOW_ORDER'],
  examples: () => [enc(boxPublicKeyOf(digestOf(2)), digestOf(4).slice(0, 24), new Uint8Array(80))],
  run(input) {
    const sealed = sealedOf(piecesOf(input) ?? []);
    keys.openWith(sealed.ephemeralKey, (shared) => openRequest('exchange', sealed, shared));
    mustHold(false, 'a request opened that nobody sealed');
  },
  change: changePieces,
  inputs: 2_000,
};

/** Boxes of a stream of answers, sealed by whoever holds the key: order, kinds and sizes are wrong. */
const answers: Target = {
  name: 'sealed-answers',
  codes: ['E_SEAL', 'E_MESSAGE'],
  examples: () => [
    answersOf([new Uint8Array(0), beat], 0),
    answersOf([new Uint8Array(5_000)], 0),
    answersOf([beat, beat, beat], 7),
  ],
  run(input) {
    const boxes = piecesOf(input) ?? [];
    const opener = new AnswerOpener(sharedKey, nonce);
    let size = 0;
    for (const box of boxes) size += opener.open(sealedOf(piecesOf(box) ?? []))?.length ?? 0;
    mustHold(size <= input.length, 'more bytes came out of the boxes than went in');
  },
  change: changeAnswers,
  maxBytes: 512 * 1024,
  inputs: 1_000,
};

const nonce = digestOf(5).slice(0, 24);

/** @param skipped answers that were lost before these */
function answersOf(payloads: readonly Uint8Array[], skipped: number): Uint8Array {
  const sealer = new AnswerSealer(sharedKey, nonce);
  for (let i = 0; i < skipped; i++) sealer.end();
  return enc(...payloads.flatMap((payload) => [...sealer.seal(payload)].map(packed)), packed(sealer.end()));
}

function changeAnswers(input: Uint8Array, dice: Dice): Uint8Array {
  if (dice.chance(3)) {
    const payloads = Array.from(
      { length: dice.below(6) },
      () => new Uint8Array(dice.pick([0, 1, 5_000, 131_073])),
    );
    return answersOf(payloads, dice.chance(4) ? 1 : 0);
  }
  const boxes = piecesOf(input);
  return boxes === null ? input : enc(...changeList(boxes, dice, changePieces));
}

/** Payloads behind the seal, from a member that keeps no rule: the call byte, then a control message. */
const payload: Target = {
  name: 'sealed-payload',
  codes: ['E_SEAL', 'E_MESSAGE'],
  examples: () => [concatBytes(Uint8Array.of(0), beat), concatBytes(Uint8Array.of(1), beat)],
  run(input) {
    const sender = new SealedSender(keys.publicKey);
    const { sealed } = sender.seal(CALLS[(input[0] ?? 0) % 3] ?? 'exchange', input.subarray(1));
    const opened = keys.openWith(sealed.ephemeralKey, (shared) => openRequest('exchange', sealed, shared));
    mustHold(equalBytes(opened.payload, input.subarray(1)), 'a sealed payload that opens to other bytes');
    requestCodec.decode(opened.payload);
  },
  inputs: 1_000,
};
const CALLS = ['exchange', 'fetch', 'watch'] as const;

/** The sealed channel, from both ends. */
export const sealedTargets = (): Target[] => [request, answers, payload];
