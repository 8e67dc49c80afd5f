import { describe, expect, test } from "bun:test";
import { type TableColumn, renderTable } from "../../src/terminal/table";

interface Pet {
  readonly name: string;
  readonly kind: string;
  readonly age: string;
  readonly remark: string;
}

const COLUMNS: readonly TableColumn<Pet>[] = [
  { header: "NAME", text: ({ name }) => name, atMost: (width) => width / 2 },
  { header: "KIND", text: ({ kind }) => kind, leaves: 2, colour: () => "green" },
  { header: "AGE", text: ({ age }) => age, leaves: 1 },
  { header: "REMARK", text: ({ remark }) => remark, place: "note" },
];
const TOM: Pet = { name: "Tom", kind: "cat", age: "7", remark: "" };
const REX: Pet = { name: "Rex", kind: "", age: "12 years", remark: "barks at the moon" };

const render = (pets: readonly Pet[], columns: number | undefined, colour = false): readonly string[] =>
  renderTable(COLUMNS, pets, { columns, colour }).split("\n");

describe("a table", () => {
  test.each<readonly [string, number | undefined, readonly string[]]>([
    [
      "that is wide enough has its notes below",
      80,
      ["NAME   KIND   AGE", "Tom    cat    7", "Rex    -      12 years", "  barks at the moon"],
    ],
    [
      "that fits to the column",
      22,
      ["NAME   KIND   AGE", "Tom    cat    7", "Rex    -      12 years", "  barks at the moon"],
    ],
    [
      "that is one column too wide loses the first that leaves",
      21,
      ["NAME   KIND", "Tom    cat", "  age: 7", "Rex    -", "  barks at the moon", "  age: 12 years"],
    ],
    [
      "that is still too wide loses the next, and what it says below is wrapped",
      10,
      [
        "NAME",
        "Tom",
        "  kind:",
        "    cat",
        "  age: 7",
        "Rex",
        "  barks",
        "    at the",
        "    moon",
        "  age:",
        "    12",
        "    years",
      ],
    ],
    [
      "that is no terminal has everything in its row",
      undefined,
      ["NAME   KIND   AGE        REMARK", "Tom    cat    7          -", "Rex    -      12 years   barks at the moon"],
    ],
  ])("%s", (_, columns, lines) => {
    expect(render([TOM, REX], columns)).toEqual([...lines, ""]);
  });

  test.each<readonly [string, Partial<Pet>, number, readonly string[]]>([
    [
      "what is cut in the row is whole below it",
      { name: "Tom the cat of next door" },
      32,
      ["NAME               KIND   AGE", "Tom the cat of …   cat    7", "  name: Tom the cat of next door"],
    ],
    [
      "a word that is too wide is not broken",
      { kind: "cat", age: "a".repeat(30) },
      16,
      ["NAME   KIND", "Tom    cat", "  age:", `    ${"a".repeat(30)}`],
    ],
  ])("%s", (_, changes, columns, lines) => {
    expect(render([{ ...TOM, ...changes }], columns)).toEqual([...lines, ""]);
  });

  test("says what is lost on one line where it fits", () => {
    const lines = render([TOM, { ...TOM, kind: "k".repeat(24) }], 26);
    expect(lines).toEqual([
      "NAME",
      "Tom",
      "  kind: cat   age: 7",
      "Tom",
      "  kind:",
      `    ${"k".repeat(24)}`,
      "  age: 7",
      "",
    ]);
  });

  test("has colours under which columns stand where they stood", () => {
    expect(render([TOM], 80, true)).toEqual(["NAME   KIND   AGE", "Tom    \u001b[32mcat\u001b[39m    7", ""]);
  });

  test("without rows is nothing, not even headers", () => {
    expect(renderTable(COLUMNS, [], { columns: 80, colour: false })).toBe("");
  });
});
