/** An apk, an executable or a part of one, as an SBOM describes it. */
export interface Component {
  readonly kind: ComponentKind;
  readonly name: string;
  /** Absent where whoever put it in does not say which. */
  readonly version?: string;
  /** https://github.com/package-url/purl-spec */
  readonly purl?: string;
  /** An SPDX expression, or `NOASSERTION`. */
  readonly licence: string;
  readonly description?: string;
  /** A URL, or the form of SPDX 2.3 (7.7) for version control: `git+https://...@COMMIT`. */
  readonly downloadLocation?: string;
  /** Of what is at the download location; of the file itself, where it is a file. */
  readonly checksum?: Checksum;
  /** The organization that it comes from; absent where that is not known. */
  readonly supplier?: string;
  /** What else there is to know, in a line. */
  readonly note?: string;
  /** What it contains. */
  readonly parts?: readonly Component[];
}

/**
 * - `apk`: a package of the image
 * - `executable`: one of a release, by itself
 * - `file`: a file of an apk
 * - `npm`: a package in our bundle, or a copy of one within such a package
 * - `runtime`: Bun
 * - `linked`: a library that is compiled into Bun
 * - `embedded`: a package whose code Bun carries as text
 * - `deb`: a package of Debian's
 */
export type ComponentKind = "apk" | "executable" | "file" | "npm" | "runtime" | "linked" | "embedded" | "deb";

export interface Checksum {
  readonly algorithm: "SHA256" | "SHA512";
  /** In hexadecimal. */
  readonly value: string;
}

export const NOASSERTION = "NOASSERTION";

/**
 * The licence of what is made of components: its own first, then all of theirs.
 *
 * @param own an SPDX expression
 */
export function jointLicence(own: string, components: readonly Component[]): string {
  const licences = flatten(components).map(({ licence }) => licence);
  const terms = [own, ...licences].flatMap((licence) =>
    licence.includes(" OR ") ? [`(${licence})`] : licence.split(" AND "),
  );
  return [...new Set(terms)].filter((term) => term !== NOASSERTION).join(" AND ");
}

/** The components and all that they contain, each before its parts. */
export function flatten(components: readonly Component[]): readonly Component[] {
  return components.flatMap((component) => [component, ...flatten(component.parts ?? [])]);
}
