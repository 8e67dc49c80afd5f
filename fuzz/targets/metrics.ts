import * as fc from "fast-check";
import { createGauge } from "../../src/metrics/exposition";
import { anyText, words } from "../arbitraries";
import { startGoOracle } from "../go-oracle";
import { createTarget, same } from "../target";

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
