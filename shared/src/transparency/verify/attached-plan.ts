import type { z } from 'zod';
import type { ApprovedRun } from './approval-rows.js';
import type { VerifyContext } from './context.js';

/**
 * A part of the plan that the proposal of a run attached; its numbers are decimal strings.
 *
 * @param part members that are read; others are not
 * @returns undefined when the plan is not there, or has no such part
 */
export function partOfPlan<T>(
  { log }: Pick<VerifyContext, 'log'>,
  { proposal }: Pick<ApprovedRun, 'proposal'>,
  part: z.ZodType<T>,
): T | undefined {
  const bytes = log.resolve(proposal.entry.body.plan.digest);
  try {
    return bytes && part.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
}
