/** What matters of an HTTP/1 request here. A body is never read. */
export interface HttpRequest {
  readonly method: string;
  /** As it was sent, percent-encoded. */
  readonly path: string;
  /** With its question mark; empty where there is none. */
  readonly query: string;
  /** By name in lower case; the values of a repeated name are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
}

/** What a client has sent, once it is enough to be answered. */
export type CompleteHead =
  | { readonly kind: "request"; readonly request: HttpRequest }
  /** `rule` is what the request broke, in words for its sender. */
  | { readonly kind: "refused"; readonly status: 400 | 431 | 505; readonly rule: string };

export type RequestHead = { readonly kind: "partial" } | CompleteHead;

/** As much as nginx and Apache take: times the connections there may be, it is memory that strangers can make us hold. */
export const MAX_HEAD_BYTES = 8_192;

/**
 * Reads the head of an HTTP/1.0 or 1.1 request (RFC 9112); what follows its blank line is left alone.
 *
 * What can never become a request is refused as soon as that shows: a TLS ClientHello by its first byte, HTTP/2's preface
 * by its first line.
 *
 * @param text all that has arrived, each byte a character (latin1)
 */
export function readHead(text: string): RequestHead {
  if (text !== "" && !TOKEN_CHARACTER.test(text.charAt(0))) return refused(400, "the request must begin with a method");
  const end = /\r?\n\r?\n/.exec(text)?.index ?? text.length;
  if (end > MAX_HEAD_BYTES) return refused(431, `the request's head must be at most ${MAX_HEAD_BYTES} bytes long`);
  const complete = end < text.length;
  const [requestLine = "", ...lines] = text.slice(0, end).split(/\r?\n/);
  if (!complete && lines.length === 0) return PARTIAL;

  const start = readRequestLine(requestLine);
  if (start.kind === "refused") return start;
  if (!complete) return PARTIAL;
  const headers = readHeaders(lines);
  if (headers === undefined) return refused(400, "a header must be a name, a colon and a value");
  if (start.version === "1.1" && !headers.has("host")) return refused(400, "the request must have a Host header");
  return { kind: "request", request: { ...start.target, headers } };
}

const PARTIAL = { kind: "partial" } as const;
const TOKEN_CHARACTER = /[!#$%&'*+.^_`|~0-9A-Za-z-]/;
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) HTTP\/(\d\.\d)$/;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/;
// A path, or a URL as clients send it to a proxy; not `*`, and not the `host:port` of CONNECT.
const TARGET = /^(?:https?:\/\/[^/?#]*)?([^?#]*)(\?[^#]*)?/i;

type RequestLine =
  | {
      readonly kind: "requestLine";
      readonly version: string;
      readonly target: Pick<HttpRequest, "method" | "path" | "query">;
    }
  | Extract<CompleteHead, { readonly kind: "refused" }>;

function readRequestLine(line: string): RequestLine {
  const [, method = "", target = "", version = ""] = REQUEST_LINE.exec(line) ?? [];
  if (method === "") return refused(400, "the first line must be a method, a target and HTTP/1.1");
  if (version !== "1.0" && version !== "1.1") return refused(505, "the version must be HTTP/1.0 or HTTP/1.1");
  const [, path = "", query = ""] = TARGET.exec(target) ?? [];
  const isUrl = path.length + query.length < target.length;
  if (!path.startsWith("/") && !(path === "" && isUrl)) return refused(400, "the target must be a path");
  return { kind: "requestLine", version, target: { method, path: path || "/", query } };
}

function readHeaders(lines: readonly string[]): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ""] = HEADER.exec(line) ?? [];
    if (name === undefined) return undefined;
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value.trim() : `${before}, ${value.trim()}`);
  }
  return headers;
}

function refused<Status extends 400 | 431 | 505>(status: Status, rule: string) {
  return { kind: "refused", status, rule } as const;
}
