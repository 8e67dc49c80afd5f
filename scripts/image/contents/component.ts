/** An apk, an executable or a part of one, as an SBOM describes it. */
export interface Component {
  readonly kind: ComponentKind;
  readonly name: string;
  /** Absent if it is not known. */
  readonly version?: string;
  /** https://github.com/package-url/purl-spec */
  readonly purl?: string;
  /** An SPDX expression, or `NOASSERTION`. */
  readonly licence: string;
  readonly description?: string;
  /** A URL, or the form of SPDX 2.3 (7.7) for version control: `git+https://...@COMMIT`. */
  readonly downloadLocation?: string;
  /** Of the archive at the download location, or of the file or executable itself. */
  readonly checksum?: Checksum;
  /** The organization that it comes from; absent if it is not known. */
  readonly supplier?: string;
  /** Anything else, in one line. */
  readonly note?: string;
  /** What it contains. */
  readonly parts?: readonly Component[];
}

/**
 * - `apk`: a package of the image
 * - `executable`: an executable of a release
 * - `file`: a file of an apk
 * - `npm`: a package in our bundle, or a copy of one within such a package
 * - `runtime`: Bun
 * - `linked`: a library that is compiled into Bun
 * - `embedded`: an npm package that Bun contains as text
 * - `deb`: a Debian package
 */
export type ComponentKind = "apk" | "executable" | "file" | "npm" | "runtime" | "linked" | "embedded" | "deb";

export interface Checksum {
  readonly algorithm: "SHA256" | "SHA512";
  /** In hexadecimal. */
  readonly value: string;
}

export const NOASSERTION = "NOASSERTION";

/**
 * The joint licence of a file and of all components in it, its own first.
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

/** The components and all their parts, each before its parts. */
export function flatten(components: readonly Component[]): readonly Component[] {
  return components.flatMap((component) => [component, ...flatten(component.parts ?? [])]);
}
