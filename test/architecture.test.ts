import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { Glob } from "bun";

const ROOT = join(import.meta.dir, "..");
const FILES = [...new Glob("src/**/*.ts").scanSync(ROOT)].toSorted();
const FLOORS = readFloors();

test("the table of floors names every source once, and no other", () => {
  expect([...FLOORS.keys()].toSorted()).toEqual(FILES);
});

test("a file imports only from floors below its own", () => {
  const upward = FILES.flatMap((file) =>
    localImports(file)
      .filter((imported) => floorOf(imported) >= floorOf(file))
      .map((imported) => `${file} (${floorOf(file)}) imports ${imported} (${floorOf(imported)})`),
  );
  expect(upward).toEqual([]);
});

test.each([
  ["grpc-js is imported only by the call", /from "@grpc\//, /^src\/csi\/call\.ts$/],
  ["citty is imported only by the command line and the commands", /from "citty"/, /^src\/(cli|commands\/[a-z-]+)\.ts$/],
  ["the process ends only in main", /process\.exit\(/, /^src\/main\.ts$/],
  ["the environment is read only in main", /process\.env|Bun\.env/, /^src\/main\.ts$/],
  [
    "the instant of the start, which no setting of the wall clock moves, is read only in main",
    /timeOrigin/,
    /^src\/main\.ts$/,
  ],
  ["signals are handled only in main", /process\.on\(/, /^src\/main\.ts$/],
])("%s", (_, pattern, room) => {
  const found = FILES.filter((file) => pattern.test(source(file)));
  expect(found.filter((file) => !room.test(file))).toEqual([]);
  expect(found).not.toEqual([]);
});

test.each(["http", "terminal", "node"])("src/%s knows nothing of CSI", (room) => {
  const crossing = FILES.filter((file) => file.startsWith(`src/${room}/`)).filter((file) =>
    localImports(file).some((imported) => imported.startsWith("src/csi/")),
  );
  expect(crossing).toEqual([]);
});

test("scripts/ imports nothing of test/", () => {
  const scripts = [...new Glob("scripts/**/*.ts").scanSync(ROOT)];
  const crossing = scripts.filter((file) => localImports(file).some((imported) => imported.startsWith("test/")));
  expect(scripts.length).toBeGreaterThan(0);
  expect(crossing).toEqual([]);
});

/** The rows `| floor | file | job |` of the table in docs/architecture.md, as file -> floor. */
function readFloors(): ReadonlyMap<string, number> {
  const rows = readFileSync(join(ROOT, "docs/architecture.md"), "utf8").matchAll(/^\| (\d+) +\| (.+?) +\|/gm);
  const entries = [...rows].flatMap(([, floor, files]) =>
    [...(files ?? "").matchAll(/`([^`]+)`/g)].map(([, file]) => [file ?? "", Number(floor)] as const),
  );
  expect(new Set(entries.map(([file]) => file)).size).toBe(entries.length);
  return new Map(entries);
}

function floorOf(file: string): number {
  return FLOORS.get(file) ?? Number.NaN;
}

function localImports(file: string): readonly string[] {
  const specifiers = source(file).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  return [...specifiers].map(([, specifier]) => `${normalize(join(dirname(file), specifier ?? ""))}.ts`);
}

function source(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}
