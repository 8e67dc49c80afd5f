/**
 * A command to paste: its words, quoted for a POSIX shell where it would read more into them.
 *
 * @returns undefined where a word holds a character that is not printable: it would not survive a terminal
 */
export function shellCommand(words: readonly string[]): string | undefined {
  return words.every((word) => PRINTABLE.test(word)) ? words.map(shellWord).join(" ") : undefined;
}

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;
const PLAIN = /^[\w@%+=:,./-]+$/;

// Between single quotes every character stands for itself (POSIX, "Shell Command Language", 2.2.2), but for the quote itself.
function shellWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
