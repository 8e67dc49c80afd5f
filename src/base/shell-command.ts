/** How this program was started: what each command of it that is printed to be pasted has in common. */
export interface Invocation {
  /** The words before the first argument: `livenessprobe`, `./dist/livenessprobe`, or a loader with its own words. */
  readonly program: readonly string[];
  /** The flags by which another command looks at the same node in the same way. */
  readonly flags: readonly string[];
}

/** A command of this program to paste; undefined as for `shellCommand`. */
export function ownCommand({ program, flags }: Invocation, words: readonly string[]): string | undefined {
  return shellCommand([...program, ...words, ...flags]);
}

/**
 * The words that a program was started with, without its arguments.
 *
 * @param cmdline of `/proc/PID/cmdline`: each word ends with a NUL (proc_pid_cmdline(5)); empty where it cannot be read
 */
export function programWords(cmdline: string, argumentCount: number): readonly string[] {
  const words = cmdline.split("\0").slice(0, -1);
  const program = words.slice(0, Math.max(0, words.length - argumentCount));
  return program.length === 0 ? ["livenessprobe"] : program;
}

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

// Between single quotes every character stands for itself (POSIX, "Shell Command Language", 2.2.2), but for the quote
// itself.
function shellWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
