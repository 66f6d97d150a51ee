import { untilText } from '../../plan/index.js';
import { isAttachment } from '../entries/attachments.js';
import { NOT_PROTECTED } from '../entries/bodies-release.js';
import type { Attachment } from '../entries/fields.js';
import type { Kind } from '../entries/kinds.js';
import type { LogEntry } from '../entries/schema.js';

/** Says what an entry of one kind means, in one sentence after its actor. */
type Sentence<K extends Kind> = (body: LogEntry<K>['body'], entry: LogEntry<K>) => string;

const short = (digest: string): string => digest.slice(0, 'sha256:'.length + 12);
const members = (field: readonly number[] | Attachment): string =>
  isAttachment(field) ? 'the sites of the attached list' : `${field.length} sites (${field.join(', ')})`;

const sentences: { readonly [K in Kind]: Sentence<K> } = {
  'federation.genesis': (b) =>
    `founded the federation under roster ${short(b.rosterHash)}; the gate runs in mode ${b.gateMode}, ${b.quorum} sites are a quorum, ${b.colluders} may collude`,
  'member.join': (b) =>
    `took ${b.member.name} into the federation, as the administrators signed in roster ${short(b.rosterHash)}: ${b.quorum} sites are a quorum, ${b.colluders} may collude`,
  'member.revoke': (b) =>
    `removed ${b.member} from the federation (${b.reason}), as was signed in roster ${short(b.rosterHash)}: ${b.quorum} sites are a quorum, ${b.colluders} may collude`,
  'key.rotate': (b) =>
    `exchanged the ${b.role} key of ${b.id} (${b.reason}), as was signed in roster ${short(b.rosterHash)}`,
  'role.grant': (b) =>
    `and the coordinator made ${b.subject}, whom ${b.issuer} knows, ${b.role} until ${untilText(b.validUntil)}, under the key ${b.key.split('+', 2).join('+')}`,
  'role.revoke': (b) =>
    `and the coordinator took the role ${b.role} of ${b.subject} away (${b.reason}), under the key ${b.key.split('+', 2).join('+')}`,
  'policy.set': (b) =>
    `set the policy ${short(b.policy.digest)}: purposes ${b.purposes.join(', ')}; smallest cohort ${b.minCohort}; leave-site-out ${b.leaveSiteOut}; legal basis ${b.legalBasis}; papers ${b.references.map(({ kind, reference }) => `${kind} ${reference}`).join(', ') || 'none'}; ${b.validUntil === null ? 'no last day' : `until ${untilText(b.validUntil)}`}`,
  'policy.override': (b) =>
    `and a second person of the site excepted the plan ${short(b.planHash)} from ${b.rule} of the policy ${short(b.policy)} until ${untilText(b.expires)}: "${b.justification}"`,
  'dataset.commit': (b) =>
    `committed to version ${b.version} of dataset ${b.dataset}: ${b.band} units (${b.unit}), ${b.panel.size} features, ${openness(b)}`,
  'dataset.withdraw': (b) =>
    `withdrew dataset ${b.dataset} ${b.scope === 'all' ? 'for good' : 'until a new commitment'} (${b.reason})`,
  'plan.propose': (b) =>
    `proposed the plan ${b.name} (${short(b.planHash)}) for ${b.purpose}: ${b.rounds} rounds with ${members(b.sites)}, ${b.privacy === null ? 'without differential privacy' : 'with differential privacy'}${b.provenance === null ? '' : `; its software built by ${b.provenance.builder}`}`,
  'plan.approve': (b) =>
    `approved the plan ${short(b.planHash)} for version ${b.datasetVersion} of dataset ${b.dataset} until ${untilText(b.validUntil)}; conditions: ${b.conditions.join('; ') || 'none'}`,
  'plan.reject': (b) => `rejected the plan ${short(b.planHash)} (${b.reason})`,
  'plan.withdraw': (b) => `took the approval of plan ${short(b.planHash)} back (${b.reason})`,
  'run.start': (b) =>
    `started the run of plan ${short(b.planHash)} with ${members(b.sites)}${b.public ? ', on public or simulated data' : ''}`,
  'round.open': (b) =>
    `opened the round for ${b.purpose} (${b.stepId}, arm ${b.arm}), starting from ${short(b.modelIn)}`,
  'round.contribution': (b) =>
    `was about to commit a masked input of ${b.maskedInput.length} elements as ${b.role}${b.charge === null ? '' : `, privacy ${b.charge.before} → ${b.charge.after}`}`,
  'round.unmask': (b) =>
    `answered the unmask request for the survivors ${members(b.survivors)}, after seeing that they agree`,
  'round.aggregate': (b) =>
    `closed the round with the sum over ${members(b.u3)}; what follows from it is ${short(b.modelOut)}`,
  'round.abort': (b) => `ended the attempt at stage ${b.stage} without a sum: ${b.code}`,
  'round.reopen': (b) =>
    `published that ${b.signatures.length} administrators reopen the round, burnt in attempt ${b.burnt}, with ${members(b.contributors)}${b.proof === null ? '' : ', without a proven dealer'}`,
  'round.ack': (b) =>
    `derived ${short(b.modelOut)} from the round and recomputed ${b.audited.count} tiles: ${b.audited.result}`,
  'egress.receipt': (b) =>
    `let ${b.count} vector of ${b.bytes} bytes out (${b.kind}, ${short(b.digest)}), as the policy ${short(b.rule)} allows${b.charge === null ? '' : `, charged as number ${b.charge} of its ledger`}`,
  'retention.delete': (b) =>
    `removed the ${b.vectors} masked vectors of the round (${b.bytes} bytes): ${b.rule === 'next-run' ? 'the next run began' : 'a later round has closed'}`,
  'run.finish': (b) =>
    `finished the run: ${b.status}${b.reason === null ? '' : ` (${b.reason})`} after ${b.rounds} rounds; final model ${b.finalModel === null ? 'none' : short(b.finalModel)}`,
  'model.release': (b) =>
    `released the model ${short(b.model)} of arm ${b.arm} as the file ${short(b.file.digest)} (${b.format}, ${b.file.size} bytes) for "${b.intendedUse}": ${guarantee(b.privacy)}; ${b.tests.length} attack reports of it; approved by the stewards of ${b.approvals.map(({ site }) => site).join(', ') || 'no site'}`,
  'model.export': (b) =>
    `took the file ${short(b.file.digest)} of the model ${short(b.model)} out, under the release of entry ${b.release}`,
  'witness.refusal': (b) =>
    `refused a checkpoint (${b.code}): ${b.shown === null ? 'the entries that were shown for it broke a rule' : `the ${b.shown.size} entries that were shown for it give ${short(b.shown.root)}, which it does not state`}; it stays at ${b.held === null ? 'no checkpoint' : `the one of ${short(b.held.digest)}`}`,
  'fork.evidence': (b) =>
    b.about === 'notes'
      ? `showed two checkpoints that the log key signed and that cannot be states of one log (${short(b.first.digest)}, ${short(b.second.digest)})`
      : `showed two entries that one actor signed under one number (${short(b.first.digest)}, ${short(b.second.digest)})`,
  'report.issued': (b) =>
    `issued the report ${short(b.report)} over the log of ${b.checkpoint.size} entries, judged by ${b.verifier}`,
  'log.baseline': (b) =>
    `stated the first ${b.size} entries of the log in short (${short(b.state.digest)}), under the root ${short(b.root)}`,
  'log.prune': (b) =>
    `removed the entries before ${b.size} but those that the baseline of entry ${b.baseline} repeats: they had outlived class ${b.class}`,
  anchor: (b) =>
    `had the checkpoint of size ${b.checkpoint.size} dated outside the federation (${b.form}, ${short(b.token.digest)})`,
  'config.change': (b) =>
    `runs under the configuration ${short(b.after)}${b.before === null ? '' : `, no longer under ${short(b.before)}`}`,
  'access.request': (b) =>
    `recorded that ${b.actor.role} ${b.actor.id} asked for ${b.action} of ${b.object}: ${b.outcome}`,
  'admin.act': (b) => `recorded that ${b.actor.role} ${b.actor.id} did ${b.action} to ${b.object}`,
  'config.start': (b) => `started version ${b.version} with the nonce ${b.nonce.slice(0, 12)}`,
};

/**
 * One entry in words, for a person.
 *
 * @param index of the entry in the log
 * @returns three lines: where and when, who did what, by whom it is signed
 */
export function explainEntry(entry: LogEntry, index: number): string {
  const { actor, kind, at, seq, sigs } = entry;
  const place =
    entry.run === undefined
      ? ''
      : `, ${entry.run}${entry.round === undefined ? '' : `, round ${entry.round}, attempt ${entry.attempt}`}`;
  const sentence = sentences[kind] as Sentence<Kind>;
  const others = sigs.filter(({ key }) => key !== actor.key).map(({ key }) => key);
  const lines = [
    `entry ${index}: ${kind}${place}, ${at}`,
    `${actor.type} ${actor.id} ${sentence(entry.body, entry)}.`,
    `signed with ${actor.key}${others.length === 0 ? '' : ` and ${others.join(', ')}`}; number ${seq} of this actor's chain.`,
  ];
  // people wrote some of it: nothing in it may steer a terminal or begin a line of its own
  return lines.map((line) => line.replace(/\p{C}/gu, '\u{fffd}')).join('\n');
}

function guarantee(privacy: LogEntry<'model.release'>['body']['privacy']): string {
  if (privacy === NOT_PROTECTED) return 'not protected by differential privacy';
  const sites = privacy.sites.map(({ site, epsilon, delta }) => `${site} ε = ${epsilon} at δ = ${delta}`);
  return `each ${privacy.unit} protected by differential privacy, in total ${sites.join(', ')}`;
}

function openness(body: LogEntry<'dataset.commit'>['body']): string {
  if (body.public) return 'declared public';
  return body.simulated ? 'declared simulated' : 'not public';
}
