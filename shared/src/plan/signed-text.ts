import { z } from 'zod';

/**
 * Free text of a document that is known by its digest: well-formed and in NFC, because the digest is taken of that form
 * and must stand for one text only.
 *
 * @param max most characters
 */
export const signedText = (max: number): z.ZodString =>
  z
    .string()
    .max(max)
    .regex(/^\P{Surrogate}*$/u, 'well-formed text')
    .refine((text) => text === text.normalize('NFC'), 'text in NFC');
