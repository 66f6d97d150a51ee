import { isPath, type Place } from './places.js';

/** Lines of a `case` over the words typed so far: patterns `so far/next word` of every known word. */
export function knownWords(places: readonly Place[]): string {
  return places.flatMap(({ words, next }) => next.map(({ word }) => `"${words}/${word}"`)).join(' | ');
}

/**
 * Arms of a `case` over `words flag` for the values of options.
 *
 * @param paths what the shell runs for a path
 * @param choices what it runs for a list of words
 */
export function valueArms(
  places: readonly Place[],
  paths: string,
  choices: (words: string) => string,
  nothing: string,
): string[] {
  const answers = new Map<string, string[]>();
  for (const { words, command } of places) {
    for (const { flag, value, choices: list } of command?.options ?? []) {
      if (value === null) continue;
      const answer = list ? choices(list.join(' ')) : isPath(value) ? paths : nothing;
      answers.set(answer, [...(answers.get(answer) ?? []), `"${words} ${flag}"`]);
    }
  }
  return [...answers].map(([answer, patterns]) => `    ${patterns.join(' | ')}) ${answer}; return ;;`);
}
