import { expect, test } from "bun:test";
import { type StyleFacts, decideStyle } from "../../src/terminal/style";

const PLAIN = { columns: undefined, colour: false };

test.each<readonly [string, Partial<StyleFacts>, ReturnType<typeof decideStyle>]>([
  ["a terminal", {}, { columns: 120, colour: true }],
  ["no terminal", { isTerminal: false }, PLAIN],
  ["no terminal, whatever TERM and width say", { isTerminal: false, columns: 80, env: { TERM: "xterm" } }, PLAIN],
  ["NO_COLOR=1", { env: { TERM: "xterm", NO_COLOR: "1" } }, { columns: 120, colour: false }],
  [
    "NO_COLOR=0, for its value does not matter",
    { env: { TERM: "xterm", NO_COLOR: "0" } },
    { columns: 120, colour: false },
  ],
  ["NO_COLOR= is as if it were not there", { env: { TERM: "xterm", NO_COLOR: "" } }, { columns: 120, colour: true }],
  ["TERM=dumb", { env: { TERM: "dumb" } }, { columns: 120, colour: false }],
  ["no TERM", { env: {} }, { columns: 120, colour: false }],
  ["a terminal that does not know its width yet", { columns: 0 }, { columns: 80, colour: true }],
  ["a terminal that does not tell its width", { columns: undefined }, { columns: 80, colour: true }],
])("%s", (_, changes, style) => {
  expect(decideStyle({ isTerminal: true, columns: 120, env: { TERM: "xterm-256color" }, ...changes })).toEqual(style);
});
