/** Numbers that stand for a base: its shares of A, C, G and T. */
export const LETTERS = 4;

/** What each letter of IUPAC may be; anything else, and a gap, may be every base. */
const MEANINGS: Readonly<Record<string, string>> = {
  ...{ A: 'A', C: 'C', G: 'G', T: 'T', U: 'T', R: 'AG', Y: 'CT', S: 'CG', W: 'AT', K: 'GT', M: 'AC' },
  ...{ B: 'CGT', D: 'AGT', H: 'ACT', V: 'ACG' },
};

/**
 * Panel of sequences of one length: four columns a base, `1A 1C 1G 1T 2A …`. Sites agree exactly if their sequences are
 * equally long.
 */
export function sequencePanel(length: number): string[] {
  return Array.from({ length }, (_, i) => [...'ACGT'].map((letter) => `${i + 1}${letter}`)).flat();
}

/**
 * A sequence as numbers; an ambiguous letter is spread evenly over what it may be (N = ¼ each).
 *
 * @param bases upper case
 * @returns shape [bases · 4]; the caller owns it
 */
export function oneHot(bases: string): Float64Array {
  const values = new Float64Array(LETTERS * bases.length);
  [...bases].forEach((letter, i) => {
    const meanings = MEANINGS[letter] ?? 'ACGT';
    for (const base of meanings) values[LETTERS * i + 'ACGT'.indexOf(base)] = 1 / meanings.length;
  });
  return values;
}
