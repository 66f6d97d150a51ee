import type { KnownKeys } from './granted-roles.js';
import type { BodyOf } from './kinds.js';
import type { LogEntry } from './schema.js';

/** Key of a site's policy from which two persons may except one plan. */
export type OverrideRule = BodyOf<'policy.override'>['rule'];

/**
 * How many persons of a steward's site signed an entry: its steward, and administrators of the roster who belong to it. A
 * signature of anybody else counts for nothing here.
 *
 * @param keys in force at the entry
 */
export function personsOf(
  { actor, sigs }: Pick<LogEntry, 'actor' | 'sigs'>,
  keys: Pick<KnownKeys, 'find'>,
): number {
  const signers = sigs.flatMap(({ key }) => keys.find(key) ?? []);
  const isPerson = (type: string): boolean => type === 'steward' || type === 'administrator';
  return signers.filter(({ type, id }) => isPerson(type) && id === actor.id).length;
}

/** Persons who sign an exception from a policy. */
export const OVERRIDE_PERSONS = 2;

/**
 * What is wrong with an exception taken by itself.
 *
 * @param keys in force at the entry
 * @returns undefined when nothing is
 */
export function overrideFault(
  entry: LogEntry<'policy.override'>,
  keys: Pick<KnownKeys, 'find'>,
): string | undefined {
  if (personsOf(entry, keys) < OVERRIDE_PERSONS)
    return `an exception of ${entry.actor.id} without the signature of a second person of the site`;
  if (!/[^ \t\r\n]/.test(entry.body.justification))
    return `an exception of ${entry.actor.id} without a justification`;
  if (entry.body.expires <= entry.at)
    return `an exception of ${entry.actor.id} that had expired when it was signed`;
  return undefined;
}

/** What an exception must be for. */
export interface Excepted {
  /** digest text of the plan */
  readonly planHash: string;
  /** digest text of the policy under which the plan was approved */
  readonly policy: string;
  readonly rule: OverrideRule;
  /** RFC 3339 UTC */
  readonly at: string;
}

/** Why an exception does not help; undefined when it does. */
export function notExcepted(
  { planHash, policy, rule, expires }: BodyOf<'policy.override'>,
  wanted: Excepted,
): string | undefined {
  if (rule !== wanted.rule) return 'it is for another rule';
  if (planHash !== wanted.planHash) return 'it is for another plan';
  if (policy !== wanted.policy) return 'it is from another policy';
  return expires < wanted.at ? `it expired at ${expires}` : undefined;
}
