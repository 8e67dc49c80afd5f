import * as fc from "fast-check";
import { shellCommand } from "../../src/base/shell-command";
import { createGauge } from "../../src/metrics/exposition";
import { anyText, words } from "../arbitraries";
import { startGoOracle } from "../go-oracle";
import { AGREES, createTarget, same } from "../target";

/** What Prometheus' own parser reads; null where it reads no gauge. */
type GoSample = {
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
} | null;

const text = fc.oneof(
  anyText,
  words(['"', "\\", "\n", "\\n", "}", "{", ",", "=", " ", "#", "\r", "\t", "\u0000", "é"], 6),
);

const inputs = fc.record({
  help: fc.oneof(fc.constant("Help."), words(["a", " ", "\\", "\n", '"', "#"], 5)),
  driver: text,
  code: text,
  value: fc.oneof(fc.nat(), fc.double({ noNaN: true }), fc.constantFrom(0, 1e21, 1e-7, Infinity)),
});

/** White space at the start of a help is no part of it. */
const helpOf = (help: string): string => help.replace(/^[ \t]+/, "");

export const metrics = createTarget({
  name: "metrics",
  against: "Prometheus' own parser of its text format",
  weight: 1,
  inputs,
  batchSize: 1_000,
  open: async () => {
    const oracle = await startGoOracle<string, GoSample>("metrics");
    return {
      judge: async (samples) => {
        const answers = await oracle.ask(samples.map(render));
        return samples.map(({ help, driver, code, value }, index) => {
          const { help: goHelp, labels, value: goValue } = answers[index] ?? {};
          const theirs = { help: goHelp, labels, value: Number((goValue ?? "").replace("Inf", "Infinity")) };
          // -0 and 0 are one number to Prometheus' users.
          return same({ help: helpOf(help), labels: { driver_name: driver, code }, value: value + 0 }, theirs);
        });
      },
      [Symbol.asyncDispose]: () => oracle[Symbol.asyncDispose](),
    };
  },
});

function render({ help, driver, code, value }: { help: string; driver: string; code: string; value: number }): string {
  const gauge = createGauge({ name: "g", help, labels: ["code"], sharedLabels: () => ({ driver_name: driver }) });
  gauge.set([code], value);
  return gauge.render();
}

const word = fc.oneof(
  anyText,
  words(
    [
      "'",
      '"',
      "\\",
      "$(id)",
      "`id`",
      "$HOME",
      "*",
      "~",
      "!",
      "#",
      ";",
      "&",
      "|",
      ">",
      "{a,b}",
      " ",
      "\n",
      "-n",
      "é",
      "a",
    ],
    5,
  ),
);

export const shellWords = createTarget({
  name: "shell-words",
  against: "a POSIX shell, which reads the commands that are printed to be pasted",
  weight: 1,
  inputs: fc.array(word, { minLength: 1, maxLength: 4 }),
  batchSize: 1_000,
  open: async () => ({
    judge: async (all) => {
      const commands = all.map(shellCommand);
      const lines = commands.flatMap((command) =>
        command === undefined ? [] : [`printf '%s\\0' ${command}; printf '\\1'`],
      );
      const read = (await wordsOfShell(lines.join("\n"))).values();
      // What is not printable is not offered to be pasted.
      return all.map((given, index) => (commands[index] === undefined ? AGREES : same(given, read.next().value)));
    },
    [Symbol.asyncDispose]: async () => {},
  }),
});

/** The words of each command of a script that prints them. */
async function wordsOfShell(script: string): Promise<readonly (readonly string[])[]> {
  const shell = Bun.spawn(["sh"], {
    stdin: new Blob([script]),
    stdout: "pipe",
    stderr: "inherit",
    env: { HOME: "/home/x" },
  });
  const output = await shell.stdout.text();
  return output
    .split("\u0001")
    .slice(0, -1)
    .map((each) => each.split("\0").slice(0, -1));
}
