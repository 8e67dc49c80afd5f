import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { Glob } from "bun";

const ROOT = join(import.meta.dir, "..");
const FILES = filesOf("src");
/** The rows `| room | its job | it may import |` of docs/architecture.md. */
const ROOMS = new Map(
  [...source("docs/architecture.md").matchAll(/^\| `([a-z]+)` +\|[^|]+\|([^|]*)\|$/gm)].map(
    ([, room = "", below = ""]) => [
      room,
      below.trim() === "all below" ? undefined : [...below.matchAll(/`([a-z]+)`/g)].map(([, name]) => name),
    ],
  ),
);

test("the table names every room", () => {
  expect([...ROOMS.keys()].toSorted()).toEqual([...new Set(FILES.map(roomOf))].toSorted());
});

test("a room imports only the rooms that its row names, and a row names only rooms below it", () => {
  const order = [...ROOMS.keys()];
  const wrong = FILES.flatMap((file) => {
    const room = roomOf(file);
    const allowed = ROOMS.get(room) ?? order.slice(order.indexOf(room) + 1);
    const isAllowed = (to: string) => to === room || (allowed.includes(to) && order.indexOf(to) > order.indexOf(room));
    return localImports(file).flatMap((to) => (isAllowed(roomOf(to)) ? [] : `${file} imports ${to}`));
  });
  expect(wrong).toEqual([]);
});

test("schema.ts runs as a macro, so that proto-loader is not in the executable", () => {
  const imports = FILES.flatMap((file) => source(file).match(/^import \{.*grpc\/schema".*$/gm) ?? []);
  expect(imports.filter((line) => !line.endsWith('with { type: "macro" };'))).toEqual([]);
});

test("scripts/ imports nothing of test/", () => {
  const crossing = filesOf("scripts").filter((file) => localImports(file).some((to) => to.startsWith("test/")));
  expect(crossing).toEqual([]);
});

test("nothing but its own tests imports fuzz/", () => {
  const crossing = ["src", "scripts", "test", "bench"]
    .flatMap(filesOf)
    .filter((file) => !file.startsWith("test/fuzz/"))
    .filter((file) => localImports(file).some((to) => to.startsWith("fuzz/")));
  expect(crossing).toEqual([]);
});

function filesOf(folder: string): readonly string[] {
  return [...new Glob(`${folder}/**/*.ts`).scanSync(ROOT)].toSorted();
}

/** `src/ROOM/file.ts` or `src/ROOM.ts`. */
function roomOf(file: string): string {
  return file.split("/")[1]?.replace(/\.ts$/, "") ?? "";
}

function localImports(file: string): readonly string[] {
  const specifiers = [...source(file).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)];
  return specifiers.map(([, to = ""]) => `${normalize(join(dirname(file), to)).replace(/\.ts$/, "")}.ts`);
}

function source(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}
