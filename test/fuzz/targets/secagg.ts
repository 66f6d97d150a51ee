import { equalBytes } from '@regulon/shared/crypto';
import {
  checkManifest,
  ctxOf,
  decodeManifest,
  decodeMessage,
  encodeManifest,
  encodeMessage,
  type Manifest,
  type MessageKind,
  type MessageOfKind,
  type RosterView,
  vectorLength,
} from '@regulon/shared/secagg';
import {
  encodeConsistencySignatures,
  encodeRoundEvidence,
  parseConsistencySignatures,
  parseRoundEvidence,
  roundEvidenceOf,
} from '@regulon/shared/transparency';
import { changePieces } from '../grammar/pieces.js';
import { mustHold, type Target } from '../harness/target.js';
import { digestOf } from './wire.js';

const sig = new Uint8Array(64).fill(9);
const id = 2;
const leaf = new Uint8Array(96).fill(3);
const envelope = new Uint8Array(112).fill(4);

const messages: MessageOfKind = {
  advertise: { id, cPk: digestOf(1), sPk: digestOf(2), nonce: digestOf(3), sig },
  shares: {
    ...{ id, cb: digestOf(1), leaves: [leaf, leaf, leaf], sig },
    envelopes: [envelope, new Uint8Array(0), envelope],
  },
  delivery: {
    ...{ from: id, cb: digestOf(1), root: digestOf(2), sig, envelope },
    ...{ dB: digestOf(3), dS: digestOf(4), path: [digestOf(5), digestOf(6)] },
  },
  commit: { id, length: 702, root: digestOf(1), sig },
  survivor: { id, root: digestOf(1), sig },
  consistency: { id, sig },
  answer: {
    id,
    entries: [0, 1].map((kind) => ({
      ...{ kind: kind as 0 | 1, about: 3, share: digestOf(7), r: new Uint8Array(16).fill(5) },
    })),
    sig,
  },
  complaint: { id, sender: 3, digest: digestOf(1), sig },
};

function messageTarget<K extends MessageKind>(kind: K): Target {
  return {
    name: `secagg-${kind}`,
    codes: ['E_MESSAGE'],
    examples: () => [encodeMessage(kind, messages[kind])],
    run(input) {
      const message = decodeMessage(kind, input);
      mustHold(equalBytes(encodeMessage(kind, message), input), 'an accepted message has other bytes');
    },
    change: changePieces,
  };
}

const members = [10, 20, 30, 40, 50];
const roster: RosterView = {
  ...{
    federationId: 'fed_test',
    rosterHash: digestOf(0),
    coordinatorKey: digestOf(1),
    M: members.length,
    quorumRule: 0,
  },
  members: members.map((member) => ({ id: member, key: digestOf(member) })),
};

/** A manifest that five sites would accept. */
export const sampleManifest: Manifest = {
  ...{ version: 1, federationId: 'fed_test', rosterHash: digestOf(0), runId: new Uint8Array(16).fill(7) },
  ...{ round: 4, attempt: 1, purpose: 0, stepId: 'train', arm: 0 },
  roles: members.map((member) => ({ id: member, role: 0 })),
  ...{ planHash: digestOf(1), modelHash: digestOf(2), prevTranscriptHash: digestOf(3), N: 5, d: 700 },
  extras: [{ name: 'fault', scale: 1, min: 0, max: 1 }],
  ...{ Q: 2 ** 20, C: 1.5, weightCap: 1024, denominator: 0, mechanism: 0, z: 0, nMin: 5 },
  ...{ gammaNum: 1, gammaDen: 3, quorumRule: 0, prg: 0, ringBits: 32, fractionBits: 0, graph: 0 },
  ...{ subCohort: 0, deadlines: [1, 2, 3, 4, 5] },
};

const manifest: Target = {
  name: 'manifest',
  examples: () => [
    encodeManifest(sampleManifest),
    encodeManifest({ ...sampleManifest, purpose: 1, ringBits: 64, Q: 1, fractionBits: 24, extras: [] }),
  ],
  run(input) {
    const decoded = decodeManifest(input);
    mustHold(equalBytes(encodeManifest(decoded), input), 'an accepted manifest has other bytes');
    mustHold(ctxOf(decoded).length === 32 && vectorLength(decoded) > 0, 'a manifest without context');
    checkManifest(decoded, roster);
    for (const at of decoded.deadlines) new Date(at).toISOString();
  },
  change: changePieces,
};

const evidence: Target = {
  name: 'round-evidence',
  codes: ['E_MESSAGE'],
  examples: () => [
    encodeRoundEvidence(
      roundEvidenceOf({
        ...{ advertised: [messages.advertise], shares: [messages.shares], commits: [messages.commit] },
        ...{ consistency: [messages.consistency], answers: [messages.answer], responders: [2, 3] },
      }),
    ),
  ],
  run(input) {
    const again = encodeRoundEvidence(parseRoundEvidence(input));
    mustHold(equalBytes(again, input), 'accepted evidence has other bytes');
  },
  change: changePieces,
};

const consistency: Target = {
  name: 'consistency-signatures',
  codes: ['E_MESSAGE'],
  examples: () => [encodeConsistencySignatures([messages.consistency, { id: 5, sig }])],
  run(input) {
    const again = encodeConsistencySignatures(parseConsistencySignatures(input));
    mustHold(equalBytes(again, input), 'an accepted list has other bytes');
  },
  change: changePieces,
};

/** Messages of secure aggregation, manifests, and what auditors read of them. */
export const secaggTargets = (): Target[] => [
  ...(Object.keys(messages) as MessageKind[]).map((kind) => messageTarget(kind)),
  manifest,
  evidence,
  consistency,
];
