import { kindOfName, type NameKind } from "./secret-names";

/** What stands in the place of a secret. */
export const REDACTED = "[redacted]";

/** For a class of characters in a pattern. */
export const QUOTES = "\"'`";

/**
 * Between a name and its value: a sign, also as a URL or a program in another language escapes it; `password for alice:
 * ...`; the member of a variable in JSON, `"name": "PASSWORD", "value": "..."`, or of a map's entry in protobuf's text,
 * `key:"password" value:"..."`; the flag of `iscsiadm --name node.session.auth.password --value ...`; or what parts the
 * items of a list.
 */
const SIGN = String.raw`(?:=>|:=|->|==?|:(?!\/\/)|>|%3[aAdD]|\\{1,8}u003[aAdD])`;
const QUOTE = String.raw`(?:\\{0,8}[${QUOTES}]|%22)`;
const VALUE_MEMBER = String.raw`${QUOTE}?[,\s]\s*${QUOTE}?(?:[vV]alue${QUOTE}?\s*[:=]\s*|(?:-v|--value)(?:${QUOTE},?\s*|[\s=]\s*))`;
const WITH_SIGN = String.raw`${QUOTE}?(?:\s+(?:for|of)(?:\s+user)?\s+\S{1,64}?)?\s*${SIGN}\s*`;
const IN_LIST = String.raw`${QUOTE}(?:,\s*|\s+)(?=${QUOTE})`;
/** Words between them, or a space alone. */
const WITHOUT_SIGN = String.raw`\s+(?:(?:is|was|to|as|of|with|value|set to)\s+)?`;
const PAIR = new RegExp(
  String.raw`(?<![\w.-])([\w.-]+)(?:(${VALUE_MEMBER}|${WITH_SIGN}|${IN_LIST})|${WITHOUT_SIGN})`,
  "g",
);
const NAME_AND_SIGN = new RegExp(String.raw`^([\w.-]{1,64})(?:${VALUE_MEMBER}|${WITH_SIGN})`);
const QUOTED_NAME_AND_VALUE = new RegExp(String.raw`^${QUOTE}[\w./-]+${VALUE_MEMBER}`);

/** Cuts the values of what is named as a secret: `password=...`, `"token": "..."`, `--secret ...`, `password "..."`. */
export function redactNamed(text: string, onCut: (kind: NameKind) => void): string {
  let redacted = "";
  let done = 0;
  PAIR.lastIndex = 0;
  for (let pair = PAIR.exec(text); pair !== null; pair = PAIR.exec(text)) {
    const [, name = "", sign] = pair;
    const start = PAIR.lastIndex;
    const kind = kindOfName(name);
    const before = text[pair.index - 1] ?? "";
    const rest = kind === undefined || isElsewhere(before, name, sign) ? "" : text.slice(start);
    // The name that counts stands behind it: `key: "password", value: "..."`.
    if (/^key$/i.test(name) && QUOTED_NAME_AND_VALUE.test(rest)) continue;
    const value =
      pairAt(rest) || (sign === undefined ? valueWithoutSign(rest, name, kind) : valueOf(rest, /[?&]/.test(before)));
    // What follows may be the beginning of another pair.
    PAIR.lastIndex = start + value.length;
    if (kind === undefined || value === "" || NO_SECRET.test(value)) continue;
    // As `user_id=0` of a FUSE mount.
    if (kind === "user name" && /id$/i.test(name) && /^\d+[^\w]*$/.test(value)) continue;
    if ((sign === undefined || /:\s/.test(sign)) && NO_VALUE.has(value.toLowerCase())) continue;
    onCut(kind);
    redacted += text.slice(done, start) + REDACTED;
    done = start + value.length;
  }
  return redacted + text.slice(done);
}

/**
 * Whether it only looks like a name: the file `/run/token`, before what is wrong with it; `a > b` in place of an
 * element of XML; or an item of a list that is no flag.
 */
function isElsewhere(before: string, name: string, sign = ""): boolean {
  if (SEPARATOR.test(sign)) return !name.startsWith("-");
  return (before === "/" && /^:\s/.test(sign)) || (sign.trim() === ">" && before !== "<");
}

const SEPARATOR = new RegExp(`^${QUOTE}[,\\s]\\s*$`);

/** Values that tell only that there is none, or that somebody else has cut it. */
const NO_SECRET =
  /^\\*["'`]?(?:|true|false|null|nil|none|<nil>|<hidden>|\*+|\*+stripped\*+|\[*redacted\]*|<redacted>|sys|krb5[ip]?|ntlm(?:ssp|v2)?i?)\\*["'`]?[\])}.,;]*$/i;

/** Words that follow a name in a sentence: `failed to get secret: rpc error`, `the token is expired`. */
const NO_VALUE: ReadonlySet<string> = new Set(
  (
    "a an the no not is was be being already too in of on for from by with could cannot can unable failed failure error errors " +
    "expired invalid missing required incorrect wrong empty unset malformed revoked valid unknown unavailable set found rejected " +
    "denied permission unauthorized unauthenticated forbidden context rpc connection timeout timed secret secrets get open read " +
    "mounted loaded"
  ).split(" "),
);

/** The value behind a name without a sign between them: most such names are words of a sentence. */
function valueWithoutSign(rest: string, name: string, kind: NameKind | undefined): string {
  if (name.startsWith("-")) return rest.startsWith("-") ? "" : valueOf(rest);
  if (kind === "user name") return "";
  const isQuoted = /^\\*["'`]/.test(rest);
  // A word with a digit, or with a sign that no sentence has.
  if (!isQuoted && !/^(?=\S*(?:\d|[^\w\s.,:;()'"-]))(?=\S*[^\d\s.,:;)])\S{4,}/.test(rest)) return "";
  const value = valueOf(rest);
  return isOfKubernetes(name, value, rest.slice(value.length)) ? "" : value;
}

/**
 * Whether a name belongs to an object of Kubernetes, or to a key in it: `secret "a" not found`, `secret ns/a`, `key "a"
 * is missing`.
 */
function isOfKubernetes(name: string, value: string, after: string): boolean {
  if (!/^(?:secret|key)s?$/i.test(name)) return false;
  return /^["']/.test(value) ? OF_OBJECT.test(after) : /^[a-z\d.-]+\/[a-z\d.-]+:?$/.test(value);
}

const OF_OBJECT =
  /^\s+(?:(?:was )?not found|(?:is )?missing|is forbidden|already exists|does not exist|in (?:the )?(?:namespace|secret))\b/;

/**
 * Another name of a secret with its value, such as `password="a b"` behind `bad credentials: `: cut alone, a part of it
 * would stay.
 */
function pairAt(text: string): string {
  const [pair, name = ""] = NAME_AND_SIGN.exec(text) ?? [];
  if (pair === undefined || kindOfName(name) !== "named secret") return "";
  const value = valueOf(text.slice(pair.length));
  return NO_VALUE.has(value.toLowerCase()) ? "" : pair + value;
}

/** The value at the beginning of a text: in quotes, in brackets, or up to a space; and what is joined to it. */
function valueOf(value: string, inQuery = false): string {
  if (inQuery) return /^[^\s&;#]*/.exec(value)?.[0] ?? "";
  // A block of YAML has lines, of which nobody knows the last.
  if (/^[|>][-+]?(?:\\{1,8}n|\n)/.test(value)) return value;
  const [quote] = /^\\*["'`]/.exec(value) ?? [];
  const [opening] = /^&?[\w.*]*(?:\[\w*\][\w.*]+)?[[{(]|^<(?=\s*key\s*:)/.exec(value) ?? [];
  const first =
    quote !== undefined ? quoted(value, quote) : opening === undefined ? "" : bracketed(value, opening.length - 1);
  const rest = value.slice(first.length);
  return first !== "" && END.test(rest) ? first : first + (PLAIN.exec(rest)?.[0] ?? "");
}

/** What ends an option: a space, or what begins the next one. A password may hold any other comma. */
const NEXT = String.raw`(?:\s|$|[A-Za-z_][\w.-]*\s*=)`;
/** What may follow a value in quotes or brackets. */
const END = new RegExp(String.raw`^[)}\]]*(?:$|\s|[,;&](?:${NEXT}|\\*["'])|\\+[nrt"])`);
/** A comma between two quotes ends it, too. */
const PLAIN = new RegExp(String.raw`^(?:[^\s,;]|[,;](?!${NEXT})(?!(?<=["'][,;])\\*["']))+`);

/** Up to the same quote; all where there is none any more. */
function quoted(text: string, quote: string): string {
  for (let at = text.indexOf(quote, quote.length); at !== -1; at = text.indexOf(quote, at + 1))
    if (text[at - 1] !== "\\") return text.slice(0, at + quote.length);
  return text;
}

/** Up to the bracket that closes the one at `at`, which is outside of quotes; all where there is none. */
function bracketed(text: string, at: number): string {
  const open = text[at];
  const close = open === "[" ? "]" : open === "{" ? "}" : open === "<" ? ">" : ")";
  let depth = 0;
  for (let index = at; index < text.length; index += 1) {
    const [quote] = /[\s,:[{(<=]/.test(text[index - 1] ?? "") ? (/^\\*"/.exec(text.slice(index, index + 9)) ?? []) : [];
    if (quote !== undefined) {
      index += quoted(text.slice(index), quote).length - 1;
      continue;
    }
    if (text[index] === open) depth += 1;
    if (text[index] === close) depth -= 1;
    if (depth === 0) return text.slice(0, index + 1);
  }
  return text;
}
