const DAY_MS = 86_400_000;

/**
 * How the end of a term reads. A day that a person names lasts to its last moment, in UTC: what is signed is the moment
 * after it, the first of the next day, which read as a date would be another day than the one that was named.
 *
 * @param end RFC 3339 time from which on the term holds no more
 * @returns `the end of 2027-01-31 UTC`; any other moment as it stands
 */
export function untilText(end: string): string {
  const ms = Date.parse(end);
  if (ms % DAY_MS !== 0) return end;
  return `the end of ${new Date(ms - DAY_MS).toISOString().slice(0, 10)} UTC`;
}
