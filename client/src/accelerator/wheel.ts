import { unzipSync } from 'fflate';
import { RegulonError } from '@regulon/shared/errors';
import { MAX_LIBRARY_BYTES } from './catalogue.js';

/**
 * One member of a wheel (a zip file), and nothing else of it.
 *
 * @param name path of the member, exactly
 * @throws E_DIGEST when the bytes are no such archive, or the member is missing, repeated or too large
 */
export function memberOf(wheel: Uint8Array, name: string): Uint8Array {
  let found = 0;
  let members: Record<string, Uint8Array>;
  try {
    members = unzipSync(wheel, {
      filter: (member) => {
        if (member.name !== name) return false;
        found += 1;
        return member.originalSize <= MAX_LIBRARY_BYTES;
      },
    });
  } catch (cause) {
    throw new RegulonError('E_DIGEST', 'the file is no wheel', { cause });
  }
  const member = members[name];
  if (member && found === 1 && member.length <= MAX_LIBRARY_BYTES) return member;
  throw new RegulonError('E_DIGEST', `the wheel does not hold exactly one ${name} of a usual size`);
}
