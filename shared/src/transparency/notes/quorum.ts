import { formatNote, parseNote } from './signed-note.js';
import { cosignatureLine, timesOfCosigner } from './cosignature.js';
import type { QuorumPolicy } from './quorum-policy.js';

/** Whose cosignatures count: name and key of each witness. */
export type Witnesses = QuorumPolicy['witnesses'];

/**
 * Who cosigned a note, and when at last.
 *
 * @returns name of each witness with a valid cosignature → seconds since 1970 of its newest one
 * @throws E_VERIFY if the note has no acceptable form, or a line of a witness does not verify
 */
export function cosignersOf(note: string, witnesses: Witnesses): Map<string, number> {
  const parsed = parseNote(note);
  const found = new Map<string, number>();
  for (const { name, key } of witnesses) {
    const times = timesOfCosigner(parsed, key);
    if (times.length > 0) found.set(name, Math.max(...times));
  }
  return found;
}

/**
 * Between which times honest members cosigned: of f + 1 times one at least is of a witness that does not collude, so f of
 * them can make a checkpoint neither older nor younger.
 *
 * @param times seconds since 1970, one a witness, not empty
 * @param colluders f ≥ 0
 * @returns the (f + 1)-th oldest and the (f + 1)-th newest time; with f times or fewer the outermost of the other end
 */
export function vouchedTimes(
  times: readonly number[],
  colluders: number,
): { readonly first: number; readonly last: number } {
  const ordered = [...times].sort((a, b) => a - b);
  const skipped = Math.min(colluders, ordered.length - 1);
  return {
    first: Math.min(...ordered.slice(skipped)),
    last: Math.max(...ordered.slice(0, ordered.length - skipped)),
  };
}

/**
 * A note with the cosignatures of these witnesses behind the lines it has.
 *
 * @param cosignatures u64 time ‖ Ed25519, 72 bytes, by name of the witness; verified elsewhere
 */
export function withCosignatures(
  note: string,
  witnesses: Witnesses,
  cosignatures: ReadonlyMap<string, Uint8Array>,
): string {
  const { body, signatures } = parseNote(note);
  const lines = witnesses.flatMap(({ name, key }) => {
    const signature = cosignatures.get(name);
    return signature === undefined ? [] : [cosignatureLine(key, signature)];
  });
  return formatNote({ body, signatures: [...signatures, ...lines] });
}
