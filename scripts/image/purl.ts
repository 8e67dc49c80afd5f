export interface PurlFields {
  readonly type: string;
  readonly namespace?: string;
  readonly name: string;
  readonly version?: string | undefined;
  readonly qualifiers?: Readonly<Record<string, string>>;
  /** Of a directory within the package. */
  readonly subpath?: string;
}

/** A package URL in its canonical form (https://github.com/package-url/purl-spec). */
export function purl({ type, namespace, name, version, qualifiers = {}, subpath }: PurlFields): string {
  const query = Object.entries(qualifiers)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => `${key}=${encode(value)}`)
    .join("&");
  return [
    `pkg:${type}/`,
    namespace === undefined ? "" : `${encodeEach(namespace)}/`,
    encode(name),
    version === undefined ? "" : `@${encode(version)}`,
    query === "" ? "" : `?${query}`,
    subpath === undefined ? "" : `#${encodeEach(subpath)}`,
  ].join("");
}

/** A package of npm's, with its scope as the namespace. */
export function npmPurl(name: string, version?: string): string {
  const [scope, rest] = name.startsWith("@") ? name.split("/") : [undefined, name];
  return purl({ type: "npm", ...(scope === undefined ? {} : { namespace: scope }), name: rest ?? name, version });
}

/**
 * A repository of GitHub's. The type has neither owner nor name in capitals.
 *
 * @param repository `OWNER/NAME`
 * @param version a commit or a tag
 */
export function githubPurl(repository: string, version?: string, subpath?: string): string {
  const [namespace = "", name = ""] = repository.toLowerCase().split("/");
  return purl({ type: "github", namespace, name, version, ...(subpath === undefined ? {} : { subpath }) });
}

function encodeEach(path: string): string {
  return path.split("/").map(encode).join("/");
}

/** All but letters, digits, `.-_~` and, as purl has it, the colon. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%3A", ":");
}
