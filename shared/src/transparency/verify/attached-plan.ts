import type { z } from 'zod';
import { attachedJson } from '../entries/attachments.js';
import type { VerifyContext } from './context.js';
import type { Placed } from './run-view.js';

/**
 * A part of the plan that the proposal of a run attached; its numbers are decimal strings.
 *
 * @param part members that are read; others are not
 * @returns undefined when the plan is not there, or has no such part
 */
export function partOfPlan<T>(
  { log }: Pick<VerifyContext, 'log'>,
  { proposal }: { readonly proposal: Placed<'plan.propose'> },
  part: z.ZodType<T>,
): T | undefined {
  return part.safeParse(attachedJson(log.resolve(proposal.entry.body.plan.digest))).data;
}
