import { RegulonError } from '@regulon/shared/errors';
import { harmless } from '../output/index.js';
import type { Context } from './context.js';

const TYPED_DIGITS = 8;

/**
 * A person agrees to what was rendered from the bytes to be signed, by typing the beginning of their digest; a script
 * names the whole digest, so that it signs what somebody has read and nothing else.
 *
 * @param lines what is signed, shown first, also with `--quiet`
 * @param digest `sha256:…` of what is signed
 * @throws E_ARGUMENT when nobody agreed, or to something else
 */
export async function agree(
  context: Context,
  named: string | undefined,
  { lines, digest }: { readonly lines: readonly string[]; readonly digest: string },
): Promise<void> {
  if (named !== undefined) {
    if (named === digest) return;
    throw new RegulonError('E_ARGUMENT', `--digest is ${named}, what would be signed has ${digest}`, {
      hint: 'read what changed since (--dry-run shows it), then decide again',
    });
  }
  if (!context.interactive) {
    throw new RegulonError('E_ARGUMENT', 'this command signs something and there is no terminal to ask at', {
      hint: 'read it with --dry-run, then repeat the command with --digest and the digest that it shows',
    });
  }
  context.streams.err(`${lines.map(harmless).join('\n')}\n`);
  const { createInterface } = await import('node:readline/promises');
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question(`type the first ${TYPED_DIGITS} digits of the digest to sign: `);
  prompt.close();
  if (answer.trim().toLowerCase() !== digest.slice('sha256:'.length, 'sha256:'.length + TYPED_DIGITS))
    throw new RegulonError('E_ARGUMENT', 'that is not the digest; nothing was signed', {
      hint: 'repeat the command and type the digits that it shows',
    });
}
