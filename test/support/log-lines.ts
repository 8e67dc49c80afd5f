/** A klog text line, taken apart. */
export interface KlogLine {
  readonly severity: "I" | "W" | "E";
  /** `MMDD hh:mm:ss.uuuuuu` */
  readonly time: string;
  /** With the spaces before it: seven columns at least. */
  readonly pid: string;
  readonly file: string;
  /** Without its quotes. */
  readonly message: string;
  /** The values as they are printed, quotes included. */
  readonly values: Readonly<Record<string, string>>;
}

const HEADER = /^(?<severity>[IWE])(?<time>\d{4} \d\d:\d\d:\d\d\.\d{6}) (?<pid>[ ]*\d+) (?<file>[a-z-]+\.ts:\d+)\] /;
const QUOTED = /"(?:[^"\\]|\\.)*"/;
const MESSAGE = new RegExp(`^${QUOTED.source}`);
const PAIR = new RegExp(`^ (?<key>[a-z][A-Za-z0-9]*)=(?<value>${QUOTED.source}|-?[0-9.]+|true|false|null)`);

/**
 * Takes a line apart as strictly as klog's format can be told.
 *
 * @throws where the line is not of that format to its last character
 */
export function parseKlog(line: string): KlogLine {
  const header = HEADER.exec(line);
  const groups = header?.groups;
  if (header === null || groups === undefined) throw new Error(`no klog header: ${line}`);
  const { severity = "", time = "", pid = "", file = "" } = groups;
  if (severity !== "I" && severity !== "W" && severity !== "E") throw new Error(`no severity: ${line}`);

  const afterHeader = line.slice(header[0].length);
  const message = MESSAGE.exec(afterHeader)?.[0];
  if (message === undefined) throw new Error(`no quoted message: ${line}`);
  const values = parsePairs(afterHeader.slice(message.length));
  return { severity, time, pid, file, message: message.slice(1, -1), values };
}

function parsePairs(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  let rest = text;
  while (rest !== "") {
    const pair = PAIR.exec(rest);
    if (pair === null) throw new Error(`no key=value: ${rest}`);
    values[pair.groups?.["key"] ?? ""] = pair.groups?.["value"] ?? "";
    rest = rest.slice(pair[0].length);
  }
  return values;
}

/** Whether a klog line is about this; cheap enough to look for it among many. */
export function says(message: string): (line: string) => boolean {
  return (line) => line.includes(`] "${message}"`) || line.includes(`"msg":"${message}"`);
}
