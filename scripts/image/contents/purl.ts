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
 * A package URL in its canonical form (https://github.com/package-url/purl-spec). Not by packageurl-js 2.0.1, which
 * leaves a plus in a version as it is and encodes the colon of a qualifier: both are in Debian's versions.
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

/** A package of npm's, with its scope as the namespace. */
export function npmPurl(name: string, version?: string): string {
  const [, namespace, rest = name] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [];
  return purl({ type: "npm", namespace, name: rest, version });
}

/**
 * A repository of GitHub's. The type has neither owner nor name in capitals.
 *
 * @param repository `OWNER/NAME`
 * @param version a commit or a tag
 */
export function githubPurl(repository: string, version?: string, subpath?: string): string {
  const [namespace, name = ""] = repository.toLowerCase().split("/");
  return purl({ type: "github", namespace, name, version, subpath });
}

/** All but letters, digits, `.-_~` and, as purl has it, the colon. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%3A", ":");
}
