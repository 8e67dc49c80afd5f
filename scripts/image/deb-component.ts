import type { Component } from "./component";
import type { UnpackedDeb } from "./debs";
import type { Lock } from "./lock";
import { purl } from "./purl";

/**
 * A Debian package, described so that scanners find its advisories. These name the source package; syft and grype read it
 * from the purl's qualifier `upstream`, and trivy from the note.
 *
 * @param licence an SPDX expression
 */
export function debComponent({ deb, architecture, control }: UnpackedDeb, lock: Lock, licence: string): Component {
  const { name, version } = deb;
  const { archive, path, sha256 } = deb.files[architecture];
  const source = sourcePackage(name, version, control);
  const upstream = source.version === version ? source.name : `${source.name}@${source.version}`;
  const qualifiers = {
    arch: architecture,
    distro: `debian-${lock.debian}`,
    ...(upstream === name ? {} : { upstream }),
  };
  return {
    kind: "deb",
    name,
    version,
    purl: purl({ type: "deb", namespace: "debian", name, version, qualifiers }),
    licence,
    downloadLocation: `https://deb.debian.org/${archive}/${path}`,
    checksum: { algorithm: "SHA256", value: sha256 },
    supplier: "Debian",
    note: `built package from: ${source.name} ${source.version}`,
  };
}

/** Debian Policy 5.6.1: `Source: NAME` or `Source: NAME (VERSION)` where they are not those of the package itself. */
function sourcePackage(name: string, version: string, control: string) {
  const [, source = name, sourceVersion = version] = /^Source: (\S+)(?: \((\S+)\))?$/m.exec(control) ?? [];
  return { name: source, version: sourceVersion };
}
