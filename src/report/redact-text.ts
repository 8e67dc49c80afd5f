import { QUOTES, REDACTED, redactNamed } from "./redact-named";

export type RedactionKind =
  | "private key"
  | "authorization header"
  | "cookie"
  | "URL credentials"
  | "named secret"
  | "user name"
  | "token"
  | "cloud key"
  | "random text"
  | "mount option"
  | "container log";

/** Text without what looks like a secret, and how often each kind was cut. */
export interface RedactedText {
  readonly text: string;
  readonly counts: ReadonlyMap<RedactionKind, number>;
}

/**
 * Cuts what looks like a secret out of any text, such as a driver's message. It rather cuts too much, because a message
 * that lacks a harmless word can still be read. A secret that has neither a known form nor a name beside it stays.
 */
export function redactText(text: string): RedactedText {
  const counts = new Map<RedactionKind, number>();
  const count = (kind: RedactionKind): void => void counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const byRules = (from: string, rules: readonly Rule[]): string =>
    rules.reduce((before, { kind, pattern, isHarmless }) => {
      return before.replace(pattern, (found: string, kept: unknown) => {
        if (isHarmless?.(found) === true) return found;
        count(kind);
        // Of a pattern without a group, the second argument is the place of the match.
        return typeof kept === "string" ? `${kept}${REDACTED}` : REDACTED;
      });
    }, from);
  return { text: byRules(redactNamed(byRules(text, BEFORE_NAMES), count), AFTER_NAMES), counts };
}

interface Rule {
  readonly kind: RedactionKind;
  /** Its first group, if it has one, stays. */
  readonly pattern: RegExp;
  /** Whether a match is no secret after all. */
  readonly isHarmless?: (found: string) => boolean;
}

/** To the end of a line, which may be escaped. */
const REST_OF_LINE = String.raw`(?:(?!\\{1,8}[rn])[^\r\n])*`;

/**
 * These look at text that names have not cut yet, because a name would take only a part of it. The bounds keep each
 * linear.
 */
const BEFORE_NAMES: readonly Rule[] = [
  // Without its end where the text was cut.
  {
    kind: "private key",
    pattern: /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[\s\S]*?(?:-----END [A-Z0-9 ]{0,60}-----|$)/g,
  },
  // The same in base64, as a kubeconfig has it.
  { kind: "private key", pattern: /LS0tLS1CRUdJTi[A-Za-z0-9+/=]*/g },
  { kind: "private key", pattern: /AGE-SECRET-KEY-1[0-9A-Z]+/gi },
  // Schemes whose values have several parts take the whole line.
  {
    kind: "authorization header",
    pattern: new RegExp(String.raw`((?:AWS4-HMAC-SHA256|Digest|Signature|Hawk)\s+)(?=\w+=)${REST_OF_LINE}`, "gi"),
  },
  {
    kind: "authorization header",
    pattern: /(authorization\\*["'`]?\s*(?:[:=]|%3a)\s*\\*["'`]?)(?!\[redacted\])\[?(?:[\w-]+\s+)?[^\s,"'`\]\\]+\]?/gi,
  },
  {
    kind: "authorization header",
    pattern:
      /((?:bearer|negotiate|ntlm)\s+)(?!(?:tokens?|auth\w*|realm|scheme|credentials?|errors?|is|was|not|missing)\b)[\w.~+/=%-]+/gi,
  },
  {
    kind: "authorization header",
    pattern: /([Bb]asic\s+)(?!Auth)(?=[a-z+/]*[A-Z0-9=])[A-Za-z0-9+/]{6,}={0,2}/g,
  },
  {
    kind: "cookie",
    pattern: new RegExp(String.raw`(cookie\\*[${QUOTES}]?\s*[:=])(?!\s*\[redacted\])${REST_OF_LINE}`, "gi"),
  },
  // RFC 3986, "User Information", also where the text was cut before its end. A password that is not escaped may hold
  // any character but a space.
  { kind: "URL credentials", pattern: /(\/\/)[^\s/?#@"'`]{0,256}:\S{0,1024}(?=@(?!sha\d+:)[\w.[-]|\u2026)/g },
  { kind: "URL credentials", pattern: /(\/\/)(?!\[redacted\])[^\s/?#"'`]{1,1024}(?=@[\w.[-])/g },
  // As curl and smbclient take them, and sshpass.
  { kind: "URL credentials", pattern: /((?:^|\s)-[uU]\s*)[^\s:%]+[:%]\S+/g },
  { kind: "named secret", pattern: /((?:sshpass|\s-[uU]\s*[^\s-]\S{0,255})\s+-[pP]\s*)(?!\[redacted\])\S+/g },
];

/** These know a secret by its form. */
const AFTER_NAMES: readonly Rule[] = [
  // As curl, rsync and sshfs take them. An image's digest follows its tag in the same way.
  { kind: "URL credentials", pattern: /(?<![\w.+/@:%-])[\w.+%-]+:[^\s/@:,;"'`]+(?=@(?!sha\d+:)[\w[])/g },
  // A JSON Web Token, or its beginning: `{"` in base64url.
  { kind: "token", pattern: /\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g },
  // GitHub, GitLab, Slack, Vault, Stripe, OpenAI, npm, PyPI, DigitalOcean, Google, SendGrid, Shopify, Atlassian,
  // Docker, Databricks.
  {
    kind: "token",
    pattern:
      /\b(?:gh[opsur]_|github_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-|xox[a-z]-|xapp-|hv[sbr]\.|[sr]k_live_|sk-|npm_|pypi-|do[opr]_v1_|ya29\.|SG\.|shp[a-z]{2}_|ATATT|dckr_pat_|dapi(?=[0-9a-f]{16}))[\w./+=-]{10,}/g,
  },
  // AWS, Google, Alibaba, Ceph, and AWS's secret keys.
  { kind: "cloud key", pattern: /\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA|AGPA|ANPA)[A-Z0-9]{12,}\b/g },
  { kind: "cloud key", pattern: /\bAIza[\w-]{30,}/g },
  { kind: "cloud key", pattern: /\bLTAI[A-Za-z0-9]{12,}\b/g },
  { kind: "cloud key", pattern: /\bAQ[A-Za-z0-9+/]{30,}={0,2}/g },
  {
    kind: "cloud key",
    pattern: /(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/g,
    isHarmless: (found) => !hasEveryClass(found),
  },
  {
    kind: "random text",
    pattern: /(?<![A-Za-z0-9/+=_-])[A-Za-z0-9+/_-]{20,}={1,2}(?![\w=])/g,
    isHarmless: (found) => !hasEveryClass(found),
  },
  { kind: "random text", pattern: /[A-Za-z0-9_-]{24,}/g, isHarmless: (found) => !looksRandom(found.replace(UUID, "")) },
];

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

function hasEveryClass(text: string): boolean {
  return /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text);
}

/** In random text every other character is of another class than the one before; in names every sixth. */
const RANDOM_CHANGES = 0.4;

/**
 * Whether text has lower case, upper case and digits mixed as only random text has. Hexadecimal digests and UUIDs do
 * not.
 */
function looksRandom(text: string): boolean {
  if (!hasEveryClass(text)) return false;
  const classes = [...text].map((character) => (/[a-z]/.test(character) ? 0 : /[A-Z]/.test(character) ? 1 : 2));
  const changes = classes.filter((each, index) => index > 0 && each !== classes[index - 1]).length;
  return changes >= RANDOM_CHANGES * (text.length - 1);
}
