import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { Glob } from "bun";

const ROOT = join(import.meta.dir, "..");
const FILES = filesOf("src");
/** The rows `| room | its job | it may import |` of docs/architecture.md. */
const ROOMS = new Map(
  [...source("docs/architecture.md").matchAll(/^\| `([a-z]+)` +\|[^|]+\|([^|]*)\|$/gm)].map(
    ([, room = "", below = ""]) => {
      return [
        room,
        below.trim() === "all below" ? undefined : [...below.matchAll(/`([a-z]+)`/g)].map(([, name]) => name),
      ];
    },
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

test.each([
  ["grpc-js is imported only by the call", /from "@grpc\/grpc-js/, /^src\/grpc\/call\.ts$/],
  ["proto-loader is imported only by the macro", /from "@grpc\/proto-loader/, /^src\/grpc\/schema\.ts$/],
  [
    "the macro is imported as one, for the messages",
    /schema" with { type: "macro" }/,
    /^src\/driver\/[a-z-]*messages\.ts$/,
  ],
  ["citty is imported only by the command line and the commands", /from "citty"/, /^src\/(cli|commands)\//],
  ["the process ends only in main", /process\.exit\(/, /^src\/main\.ts$/],
  ["the environment is read only in main", /process\.env|Bun\.env/, /^src\/main\.ts$/],
  [
    "the instant of the start, which no step of the wall clock moves, is read only in main",
    /timeOrigin/,
    /^src\/main\.ts$/,
  ],
  ["signals are handled only in main", /process\.on\(/, /^src\/main\.ts$/],
])("%s", (_, pattern, room) => {
  const found = FILES.filter((file) => pattern.test(source(file)));
  expect(found.filter((file) => !room.test(file))).toEqual([]);
  expect(found).not.toEqual([]);
});

test("scripts/ imports nothing of test/", () => {
  const crossing = filesOf("scripts").filter((file) => localImports(file).some((to) => to.startsWith("test/")));
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
  const specifiers = source(file).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  return [...specifiers].map(
    ([, specifier = ""]) => `${normalize(join(dirname(file), specifier)).replace(/\.ts$/, "")}.ts`,
  );
}

function source(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}
