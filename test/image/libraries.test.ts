import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { builtCases } from "../support/built-images";
import { type Elf, isElf, readElf } from "../support/elf";
import { readImageFile } from "../../scripts/image/oci/layout";
import { writeRootfs } from "../support/rootfs";
import { type TemporaryDirectory, temporaryDirectory } from "../../scripts/temporary";

const EXECUTABLE = "/usr/bin/livenessprobe";
/**
 * Where the loader of Debian's glibc looks without configuration, of what the image has (`ld.so --list-diagnostics`).
 */
const SEARCHED = ["/lib", "/usr/lib"];

const MACHINES = { amd64: "Advanced Micro Devices X86-64", arm64: "AArch64" } as const;
const RELEASED = { amd64: "livenessprobe-linux-x64", arm64: "livenessprobe-linux-arm64" } as const;

describe.each(builtCases(["livenessprobe", "livenessprobe-nonroot"]))(
  "$variant for $architecture",
  ({ architecture, image }) => {
    let root: TemporaryDirectory;
    let elves: ReadonlyMap<string, Elf>;
    beforeAll(async () => {
      root = temporaryDirectory();
      writeRootfs(image, root.path);
      const paths = [...image.files().values()].flatMap((file) =>
        file.type === "file" && isElf(file.content) ? [file.path] : [],
      );
      const read = paths.map(async (path) => [path, await readElf(join(root.path, path))] as const);
      elves = new Map(await Promise.all(read));
    });
    afterAll(() => root[Symbol.dispose]());

    test("has every library that the executable needs, and no other", () => {
      expect([...elves.keys()].toSorted()).toEqual([EXECUTABLE, ...librariesOf(EXECUTABLE)].toSorted());
    });

    test("has the loader where the executable asks for it", () => {
      const { interpreter = "" } = elves.get(EXECUTABLE) ?? {};
      const loader = resolveIn(root.path, interpreter);
      expect(elves.get(loader)?.needed).toEqual([]);
      // The one link beside it, for a container that has no glibc of its own and mounts this image.
      expect(resolveIn(root.path, "/usr/lib/ld.so")).toBe(loader);
    });

    test("is for that machine in all that runs", () => {
      expect(new Set([...elves.values()].map(({ machine }) => machine))).toEqual(new Set([MACHINES[architecture]]));
    });

    test(`has the executable of dist/release/${RELEASED[architecture]}`, () => {
      const released = readFileSync(join(import.meta.dirname, "../../dist/release", RELEASED[architecture]));
      for (const path of [EXECUTABLE, "/livenessprobe"])
        expect(released.equals(readImageFile(image, path)), path).toBe(true);
    });

    /** The paths of the libraries that a file needs, and those that these need. */
    function librariesOf(path: string, found: ReadonlySet<string> = new Set()): ReadonlySet<string> {
      const { needed = [] } = elves.get(path) ?? {};
      return needed
        .map(find)
        .reduce((all, library) => (all.has(library) ? all : librariesOf(library, new Set([...all, library]))), found);
    }

    function find(library: string): string {
      const candidates = SEARCHED.map((directory) => resolveIn(root.path, `${directory}/${library}`));
      const there = candidates.find((path) => elves.has(path));
      if (there === undefined) throw new Error(`The image has no ${library} in ${SEARCHED.join(" or ")}`);
      return there;
    }
  },
);

/** Where a path leads through all its links, none of which leaves the image; the path itself where it leads nowhere. */
function resolveIn(root: string, path: string): string {
  try {
    return realpathSync(join(root, path)).replace(root, "");
  } catch {
    return path;
  }
}
