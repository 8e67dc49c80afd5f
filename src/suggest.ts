import { closest, distance } from "fastest-levenshtein";

/** More letters than this apart, or than half of the word, and the known word is another one. */
const FARTHEST = 2;

/** The known word that was meant by a mistyped one; undefined where none is near. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const nearest = closest(word, known);
  return nearest !== undefined && distance(word, nearest) <= Math.min(FARTHEST, word.length / 2) ? nearest : undefined;
}
