import { z } from 'zod';

/** Name under which a person logs in; the commands check it before they ask the coordinator. */
export const accountName = z
  .string()
  .regex(/^[a-z][a-z0-9._-]{1,39}$/, '2 to 40 of a-z, 0-9, dot, _ and -, the first a letter');
