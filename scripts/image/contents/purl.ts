export interface PurlFields {
  readonly type: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly version?: string | undefined;
  readonly qualifiers?: Readonly<Record<string, string>>;
  /** Of a directory within the package. */
  readonly subpath?: string | undefined;
}

/**
 * A package URL in its canonical form (https://github.com/package-url/purl-spec). packageurl-js 2.0.1 does not encode
 * the plus in a version and encodes the colon in a qualifier, and Debian's versions have both.
 */
export function purl({ type, namespace, name, version, qualifiers = {}, subpath }: PurlFields): string {
  const query = Object.entries(qualifiers)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => `${key}=${encode(value)}`);
  return [
    `pkg:${type}/`,
    namespace === undefined ? "" : `${encode(namespace)}/`,
    encode(name),
    version === undefined ? "" : `@${encode(version)}`,
    query.length === 0 ? "" : `?${query.join("&")}`,
    subpath === undefined ? "" : `#${subpath.split("/").map(encode).join("/")}`,
  ].join("");
}

/** An npm package; its scope is the namespace. */
export function npmPurl(name: string, version?: string): string {
  const [, namespace, rest = name] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [];
  return purl({ type: "npm", namespace, name: rest, version });
}

/**
 * A repository on GitHub. This type has owner and name in lower case.
 *
 * @param repository `OWNER/NAME`
 * @param version a commit or a tag
 */
export function githubPurl(repository: string, version?: string, subpath?: string): string {
  const [namespace, name = ""] = repository.toLowerCase().split("/");
  return purl({ type: "github", namespace, name, version, subpath });
}

/**
 * Whether a purl, which may lack a version and qualifiers, names what another one does. As in go-vex, by which grype
 * and trivy match statements.
 */
export function purlMatches(general: string, specific: string): boolean {
  const [one, other] = [readPurl(general), readPurl(specific)];
  return (
    one.path === other.path &&
    (one.version === "" || one.version === other.version) &&
    [...one.qualifiers].every(([key, value]) => other.qualifiers.get(key) === value)
  );
}

function readPurl(text: string) {
  const [, path = text, version = "", query = ""] = /^pkg:([^@?#]+)(?:@([^?#]*))?(?:\?([^#]*))?/.exec(text) ?? [];
  // A plus is a plus in a purl, and a space for URLSearchParams.
  const qualifiers = new URLSearchParams(query.replaceAll("+", "%2B"));
  return { path: decodeURIComponent(path), version: decodeURIComponent(version), qualifiers };
}

/** Encodes all but letters, digits, `.-_~` and the colon. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%3A", ":");
}
