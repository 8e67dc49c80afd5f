/** One `pattern=N` of `--vmodule`. */
export interface VmodulePattern {
  /** A glob for the name of a source file without its extension: `prober`, `h*`, `[a-c]*`. */
  readonly pattern: string;
  readonly verbosity: number;
}

/**
 * The verbosity that `--vmodule` gives a source file, 0 where no pattern fits. As in klog, the first pattern that
 * matches the file's name without its extension counts.
 */
export function vmoduleVerbosity(patterns: readonly VmodulePattern[], source: string): number {
  const name = source.replace(/\.[^.]*$/, "");
  return patterns.find(({ pattern }) => globMatches(pattern, name))?.verbosity ?? 0;
}

const TOKEN = String.raw`\\(.)|(\*)|(\?)|\[(\^|(?!\^))((?:(?:\\.|[^\]\\-])(?:-(?:\\.|[^\]\\-]))?)+)\]|([^\\[*?])`;
const GLOB = new RegExp(`^(?:${TOKEN})*$`, "su");
const TOKENS = new RegExp(TOKEN, "gsu");
const RANGES = /\\?(.)(?:-\\?(.))?/gsu;

// The rules are those of Go's filepath.Match: a pattern that is not well-formed matches nothing.
function globMatches(pattern: string, name: string): boolean {
  if (!GLOB.test(pattern)) return false;
  const source = Array.from(pattern.matchAll(TOKENS), ([, escaped, star, any, not = "", ranges, plain = ""]) => {
    if (star !== undefined) return ".*";
    if (any !== undefined) return ".";
    return ranges === undefined ? literal(escaped ?? plain) : `[${not}${characterRanges(ranges)}]`;
  });
  return new RegExp(`^${source.join("")}$`, "su").test(name);
}

// A range whose end is before its start holds nothing in Go, but is an error in a RegExp.
function characterRanges(ranges: string): string {
  const parts = Array.from(ranges.matchAll(RANGES), ([, low = "", high = low]) => {
    return codePoint(low) > codePoint(high) ? "" : `${literal(low)}-${literal(high)}`;
  });
  return parts.join("");
}

function literal(character: string): string {
  return `\\u{${codePoint(character).toString(16)}}`;
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}
