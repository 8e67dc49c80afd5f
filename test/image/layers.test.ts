import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import definition from "../../apko.yaml";
import { builtCases, openVariant } from "../support/built-images";
import { golden } from "../support/golden";
import { type ImageFile, readImageFile } from "../../scripts/image/oci/layout";

const EXECUTABLE = "/usr/bin/livenessprobe";
const BUSYBOX = "/usr/lib/busybox/busybox";

/**
 * Of the default image and `-nonroot`, and what `-dev` has beside them. `UPDATE_GOLDEN=1 bun run image:test` renews
 * both.
 */
const GOLDEN = { all: "files.golden.txt", dev: "files-dev.golden.txt" } as const;

const SHELLS = ["ash", "bash", "busybox", "csh", "dash", "fish", "hush", "ksh", "mksh", "sh", "tcsh", "toybox", "zsh"];
const PACKAGE_MANAGERS = [
  "apk",
  "apt",
  "apt-get",
  "aptitude",
  "dnf",
  "dpkg",
  "microdnf",
  "opkg",
  "pacman",
  "pip",
  "rpm",
];

/** What every runtime mounts its own /dev over. */
const DEVICES = ["/dev/console", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];

const USERS = { livenessprobe: "0", "livenessprobe-nonroot": "65532", "livenessprobe-dev": "0" } as const;
const VARIANTS = ["livenessprobe", "livenessprobe-nonroot", "livenessprobe-dev"] as const;
const cases = builtCases(VARIANTS);
const dev = cases.filter(({ variant }) => variant === "livenessprobe-dev");
const distroless = cases.filter(({ variant }) => variant !== "livenessprobe-dev");

const ANNOTATIONS = {
  ...definition.annotations,
  "org.opencontainers.image.version": packageJson.version,
  "org.opencontainers.image.revision": expect.stringMatching(/^([0-9a-f]{40}(-dirty)?|unknown)$/),
  "org.opencontainers.image.created": expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
};

describe.each(cases)("$variant for $architecture", ({ variant, image, architecture }) => {
  test("starts the sidecar with no arguments, as the variant's user, and says nothing else to a runtime", () => {
    expect(image.config.config).toEqual({
      User: USERS[variant],
      Entrypoint: [EXECUTABLE],
      WorkingDir: "/",
      StopSignal: "SIGTERM",
      // The tests below look into these.
      Env: expect.any(Array),
      Labels: expect.any(Object),
    });
  });

  test("has the environment of apko.yaml, and nothing else that Bun would read", () => {
    const defined = Object.entries<string>(definition.environment).map(([name, value]) => `${name}=${value}`);
    expect((image.config.config.Env ?? []).toSorted()).toEqual(defined.toSorted());
  });

  test("says what it is: in its manifest, in its configuration, and for which machine", () => {
    expect(image.annotations).toEqual(ANNOTATIONS);
    expect(image.config.config.Labels).toEqual(image.annotations);
    expect(image.config).toMatchObject({ os: "linux", architecture });
  });

  test("has no setuid and no setgid file", () => {
    expect(pathsWhere(({ mode }) => (mode & 0o6000) !== 0)).toEqual([]);
  });

  test("lets nobody but root write, except in /tmp", () => {
    const writable = pathsWhere(({ type, mode }) => type !== "symlink" && (mode & 0o022) !== 0);
    expect(writable).toEqual(["/tmp", ...DEVICES].toSorted());
    expect(image.files().get("/tmp")).toMatchObject({ type: "directory", mode: 0o1777 });
  });

  test("has no device but those that apko writes", () => {
    expect(pathsWhere(({ type }) => type === "special")).toEqual(DEVICES);
  });

  test("belongs to root, every file of it", () => {
    expect(pathsWhere(({ uid, gid }) => uid !== 0 || gid !== 0)).toEqual([]);
  });

  test("has no package manager", () => {
    expect(programsNamed(PACKAGE_MANAGERS)).toEqual([]);
  });

  test("has the accounts root and nonroot, neither with a shell", () => {
    expect(textOf("/etc/passwd").replace("Account created by apko", "")).toBe(
      "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532::/:/sbin/nologin\n",
    );
    expect(textOf("/etc/group")).toMatch(/^root:x:0:\nnonroot:x:65532:\n?$/);
  });

  test("has the sidecar at the path of the upstream image, too", () => {
    expect(image.files().get("/livenessprobe")).toMatchObject({ type: "symlink", target: EXECUTABLE.slice(1) });
  });

  function pathsWhere(predicate: (file: ImageFile) => boolean): readonly string[] {
    return [...image.files().values()]
      .filter(predicate)
      .map(({ path }) => path)
      .toSorted();
  }

  function programsNamed(names: readonly string[]): readonly string[] {
    return pathsWhere(({ type, path }) => type !== "directory" && names.includes(basename(path)));
  }

  function textOf(path: string): string {
    return Buffer.from(readImageFile(image, path)).toString();
  }
});

describe.each(distroless)("$variant for $architecture", ({ image }) => {
  const files = () => [...image.files().values()];

  test("has no shell", () => {
    const shells = files().filter(({ type, path }) => type !== "directory" && SHELLS.includes(basename(path)));
    expect(shells.map(({ path }) => path)).toEqual([]);
  });

  test("has nothing to execute but the sidecar and its loader; libc.so.6 prints its version", () => {
    const executable = files().filter(({ type, mode }) => type === "file" && (mode & 0o111) !== 0);
    expect(executable.map(({ path }) => neutral(path)).toSorted()).toEqual([
      EXECUTABLE,
      "/usr/lib/LOADER",
      "/usr/lib/libc.so.6",
    ]);
  });

  test("has less than 5 MB beside the executable", () => {
    const sizes = files().map((file) => (file.type === "file" && file.path !== EXECUTABLE ? file.content.length : 0));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(5_000_000);
  });

  test(`has the files of ${GOLDEN.all}`, () => {
    expectGolden(GOLDEN.all, listOf(files()));
  });
});

describe.each(dev)("$variant for $architecture", ({ image }) => {
  test(`has these files and those of ${GOLDEN.dev}`, () => {
    const all = readGolden(GOLDEN.all);
    const list = listOf([...image.files().values()]);
    expect(all.filter((line) => !list.includes(line))).toEqual([]);
    expectGolden(
      GOLDEN.dev,
      list.filter((line) => !all.includes(line)),
    );
  });

  test("has a shell", () => {
    expect(image.files().get("/usr/bin/sh")).toMatchObject({ type: "symlink", target: BUSYBOX });
    expect(image.files().get(BUSYBOX)).toMatchObject({ type: "file", mode: 0o755 });
  });
});

test.each(VARIANTS)("the index of %s says what it is", (variant) => {
  expect(openVariant(variant).annotations).toEqual(ANNOTATIONS);
});

/**
 * A line for each file: type, mode, path, and where a link leads; in the same words whatever the machine and the
 * version.
 */
function listOf(files: readonly ImageFile[]): readonly string[] {
  return files.map(lineOf).toSorted();
}

function lineOf(file: ImageFile): string {
  const path = neutral(file.path);
  if (file.type === "symlink") return `${path} -> ${neutral(file.target)}`;
  return `${path} ${file.type} ${file.mode.toString(8).padStart(4, "0")}`;
}

/** The loader has the machine in its name; the SBOM of a package, the version, which a renewed lock changes. */
function neutral(path: string): string {
  return path
    .replace(/(^|\/)ld-linux-[^/]+$/, "$1LOADER")
    .replace(/^(\/var\/lib\/db\/sbom\/[a-z-]+?)-\d[^/]*\.spdx\.json$/, "$1-VERSION.spdx.json");
}

function expectGolden(name: string, lines: readonly string[]): void {
  const text = `${lines.join("\n")}\n`;
  expect(text, `is it meant to? Then renew ${name}: UPDATE_GOLDEN=1 bun run image:test`).toBe(
    golden(urlOf(name), text),
  );
}

function readGolden(name: string): readonly string[] {
  return readFileSync(urlOf(name), "utf8").trimEnd().split("\n");
}

function urlOf(name: string): URL {
  return new URL(name, import.meta.url);
}
