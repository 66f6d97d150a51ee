import { RegulonError } from '@regulon/shared/errors';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Seconds of `7d`, `12h`, `30m` or `90s`. @throws E_ARGUMENT when the text is no number with a unit */
export function durationOf(option: string, text: string): number {
  const match = /^([1-9]\d{0,8})([smhd])$/.exec(text);
  if (match) return Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS];
  throw new RegulonError('E_ARGUMENT', `${option}: not a duration`, {
    hint: 'write it as 7d, 12h, 30m or 90s',
  });
}
