import { closest, distance } from "fastest-levenshtein";

/** More letters than this apart, or than half of the word, and the known word is another one. */
const FARTHEST = 2;

/** The known word that was meant by a mistyped one, in whatever case; undefined where none is near. */
export function suggest(typed: string, known: readonly string[]): string | undefined {
  const word = typed.toLowerCase();
  // A word may be as long as a command line allows: comparing that takes seconds.
  const alike = known.filter(({ length }) => Math.abs(length - word.length) <= FARTHEST);
  const nearest = alike.length === 0 ? undefined : closest(word, alike);
  return nearest !== undefined && distance(word, nearest) <= Math.min(FARTHEST, word.length / 2) ? nearest : undefined;
}
