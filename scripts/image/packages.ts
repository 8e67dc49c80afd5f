import { statSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import type { Apk, Entry } from "./apk";
import type { UnpackedDeb } from "./inputs/debs";
import type { DebianArchitecture, Lock } from "./inputs/lock";
import type { Notice } from "./contents/notices";

/** The directories and links of an image with everything in /usr (systemd's "merged /usr", without lib64). */
const LAYOUT: readonly Entry[] = [
  ...["/etc", "/usr/bin", "/usr/lib", "/var/lib"].map((path): Entry => ({ kind: "directory", path })),
  { kind: "directory", path: "/tmp", mode: 0o1777 },
  ...["/lib", "/lib64"].map((path): Entry => ({ kind: "link", path, target: "usr/lib" })),
  ...["/bin", "/sbin"].map((path): Entry => ({ kind: "link", path, target: "usr/bin" })),
  { kind: "text", path: "/etc/passwd", text: "root:x:0:0:root:/:/sbin/nologin\n" },
  { kind: "text", path: "/etc/group", text: "root:x:0:\n" },
  { kind: "link", path: "/etc/os-release", target: "../usr/lib/os-release" },
  // Without this file glibc asks DNS before it reads /etc/hosts.
  { kind: "text", path: "/etc/nsswitch.conf", text: "hosts: files dns\n" },
];

/** The directories, and os-release, from which scanners know which advisories apply. */
export function baselayout(lock: Lock): Apk {
  const osRelease = [
    'NAME="Debian GNU/Linux"',
    "ID=debian",
    `VERSION_ID="${lock.debian}"`,
    `PRETTY_NAME="csi-livenessprobe on glibc of Debian ${lock.debian}"`,
    "",
  ];
  return {
    name: "livenessprobe-baselayout",
    version: "1.0",
    description: "Directories and os-release of the livenessprobe image",
    licence: "Apache-2.0",
    time: new Date(lock.time),
    entries: [...LAYOUT, { kind: "text", path: "/usr/lib/os-release", text: osRelease.join("\n") }],
  };
}

/** Where libc6 has its libraries, and the name of its loader. */
const LIBRARIES: Readonly<Record<DebianArchitecture, { readonly from: string; readonly loader: string }>> = {
  amd64: { from: "lib/x86_64-linux-gnu", loader: "ld-linux-x86-64.so.2" },
  arm64: { from: "lib/aarch64-linux-gnu", loader: "ld-linux-aarch64.so.1" },
};
const SONAMES = ["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"];

/** The files of Debian's libc6 that the executable needs (`ldd`), unchanged. */
export function glibc(libc6: UnpackedDeb, lock: Lock): Apk {
  const { from, loader } = LIBRARIES[libc6.architecture];
  const libraries = [loader, ...SONAMES].map((name): Entry => {
    const source = join(libc6.root, from, name);
    return { kind: "file", path: `/usr/lib/${name}`, source, mode: statSync(source).mode & 0o777 };
  });
  // One name on both architectures, for those who start the executable through its loader.
  const link: Entry = { kind: "link", path: "/usr/lib/ld.so", target: loader };
  return debianApk(libc6, lock, "livenessprobe-glibc", "LGPL-2.1-or-later", [...libraries, link]);
}

/** The commands of `-dev`. */
const APPLETS =
  "cat cp date df du env find free grep hostname id ip kill ls mount netstat nc ps sh sleep stat tail top vi wget".split(
    " ",
  );

/** Not in /usr/bin: apko makes links for the applets of Alpine's busybox to one there. */
const BUSYBOX = "/usr/lib/busybox/busybox";

/** A shell and other commands: one static executable, with links to it. */
export function busybox(deb: UnpackedDeb, lock: Lock): Apk {
  const links = APPLETS.map((name): Entry => ({ kind: "link", path: `/usr/bin/${name}`, target: BUSYBOX }));
  const executable: Entry = { kind: "file", path: BUSYBOX, source: join(deb.root, "bin/busybox"), mode: 0o755 };
  return debianApk(deb, lock, "livenessprobe-busybox", "GPL-2.0-only", [executable, ...links]);
}

/** Files of a package, its copyright, and the status file that scanners read. */
function debianApk(
  { deb, root, control }: UnpackedDeb,
  lock: Lock,
  name: string,
  licence: string,
  entries: readonly Entry[],
): Apk {
  const copyright = join(root, "usr/share/doc", deb.name, "copyright");
  return {
    name,
    version: apkVersion(deb.version),
    description: `Files of Debian's ${deb.name} ${deb.version}`,
    licence,
    time: new Date(lock.time),
    entries: [
      ...entries,
      { kind: "file", path: `/usr/share/doc/${deb.name}/copyright`, source: copyright },
      { kind: "text", path: `/var/lib/dpkg/status.d/${deb.name}`, text: `${control}\n` },
    ],
  };
}

/** Debian's version in apk's form, which has only numbers and dots: `2.36-9+deb12u14` -> `2.36.9.12.14`. */
export function apkVersion(debian: string): string {
  return (debian.replace(/^\d+:/, "").match(/\d+/g) ?? []).join(".");
}

/** The executable's path in the image. */
export const EXECUTABLE = "/usr/bin/livenessprobe";

/** The sidecar itself, with the licences of all that is in it. */
export function livenessprobe(executable: string, notices: readonly Notice[], epochSeconds: number): Apk {
  return {
    name: "livenessprobe",
    version: packageJson.version,
    description: packageJson.description,
    licence: packageJson.license,
    time: new Date(epochSeconds * 1_000),
    entries: [
      { kind: "file", path: EXECUTABLE, source: executable, mode: 0o755 },
      // The path in the image of the Go sidecar: manifests may name it.
      { kind: "link", path: "/livenessprobe", target: "usr/bin/livenessprobe" },
      ...notices.map((notice): Entry => ({ kind: "text", ...notice })),
    ],
  };
}
