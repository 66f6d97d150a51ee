import { z } from 'zod';
import type { RunEvent } from '@regulon/coordinator/runs';
import { parseStrict } from '@regulon/shared/plan';
import { parseJsonText } from '../files/index.js';
import { reasonSchema, roundFacts, timeSchema } from './documents.js';

const text = z.string();
const number = z.number();

/** An event of one type. A run that ended before the coordinator started is told without a time. */
const event = <T extends string, S extends z.core.$ZodLooseShape>(type: T, shape: S) =>
  z.looseObject({ id: number, at: timeSchema.default(0), type: z.literal(type), ...shape });

const runEvent = z.discriminatedUnion('type', [
  event('round', {
    round: number,
    rounds: number,
    attempt: number,
    purpose: text,
    step: text,
    arm: number,
    iteration: number,
    warnings: z.array(text).default([]),
  }),
  event('stage', {
    round: number,
    attempt: number,
    stage: text,
    since: timeSchema,
    deadline: number.nullable(),
    waitingFor: z.array(number),
  }),
  event('site', {
    site: number,
    round: number,
    attempt: number,
    stage: text,
    state: z.enum(['done', 'uploading', 'refused', 'complained', 'struck']),
    code: text.exactOptional(),
    bytes: number.exactOptional(),
    of: number.exactOptional(),
  }),
  event('run', { status: text, since: timeSchema, reason: reasonSchema }),
  event('closed', { facts: roundFacts }),
  event('site-link', { site: number, connected: z.boolean() }),
  event('beat', { site: number, round: number, step: text }),
  event('end', { status: text }),
]) satisfies z.ZodType<RunEvent>;

const known = new Set<string>(runEvent.options.map(({ shape }) => shape.type.value));
const anyEvent = z.looseObject({ type: text });

/**
 * Read one event of a run.
 *
 * @returns null for a type that only a newer coordinator knows
 * @throws E_MESSAGE when it is no event
 */
export function parseRunEvent(data: string): RunEvent | null {
  const value = parseJsonText(data, anyEvent, 'event of the run', 'E_MESSAGE');
  return known.has(value.type) ? parseStrict(runEvent, value, `event ${value.type}`, 'E_MESSAGE') : null;
}
