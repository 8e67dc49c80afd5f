import { expect, test } from "bun:test";
import { formatJson, type LogRecord } from "../../src/log/format";

const record: LogRecord = {
  severity: "I",
  timeMs: 1795341456224,
  timeZone: "local",
  pid: 1,
  source: "prober.ts",
  verbosity: 5,
  message: "Connecting",
  values: {},
};
const start = '{"ts":1795341456224,"caller":"prober.ts:1","msg":"Connecting"';

test.each([
  ["an info line has its verbosity", {}, `${start},"v":5}\n`],
  ["values follow in their order", { values: { b: "x", a: [1, null] } }, `${start},"v":5,"b":"x","a":[1,null]}\n`],
  ["a warning has no verbosity", { severity: "W", values: { n: 1 } }, `${start},"n":1}\n`],
  ["an error comes last", { severity: "E", error: "bad", values: { n: 1 } }, `${start},"n":1,"err":"bad"}\n`],
  ["an error line without an error has no err", { severity: "E" }, `${start}}\n`],
  ["a null error can be said by a value", { values: { err: null } }, `${start},"v":5,"err":null}\n`],
  ["markup is not escaped", { values: { k: "<&>" } }, `${start},"v":5,"k":"<&>"}\n`],
  [
    "a hostile value stays on its line",
    { values: { k: 'a"\n\u001b\u009b\u2028' } },
    `${start},"v":5,"k":"${String.raw`a\"\n\u001b\u009b\u2028`}"}\n`,
  ],
] as const)("%s", (_, changes, line) => {
  expect(formatJson({ ...record, ...changes })).toBe(line);
});
