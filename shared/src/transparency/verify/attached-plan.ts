import type { z } from 'zod';
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
  const bytes = log.resolve(proposal.entry.body.plan.digest);
  try {
    return bytes && part.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
}
