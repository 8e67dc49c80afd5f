import { describe, expect, test } from "bun:test";
import { formatKlog, type LogRecord } from "../../src/log/format";

const record: LogRecord = {
  severity: "I",
  timeMs: new Date(2026, 10, 22, 9, 53, 50, 671).getTime(),
  timeZone: "local",
  pid: 32502,
  source: "prober.ts",
  verbosity: 0,
  message: "Message",
  values: {},
};

describe("the header", () => {
  test.each([
    ["an info line", {}, 'I1122 09:53:50.671000   32502 prober.ts:1] "Message"\n'],
    ["a warning of process 1", { severity: "W", pid: 1 }, 'W1122 09:53:50.671000       1 prober.ts:1] "Message"\n'],
    ["a pid of eight digits", { pid: 12345678 }, 'I1122 09:53:50.671000 12345678 prober.ts:1] "Message"\n'],
    [
      "a millisecond before the next second",
      { timeMs: new Date(2026, 0, 2, 3, 4, 5, 999).getTime() },
      'I0102 03:04:05.999000   32502 prober.ts:1] "Message"\n',
    ],
    [
      "a message that needs quoting",
      { message: 'a "b"\n' },
      String.raw`I1122 09:53:50.671000   32502 prober.ts:1] "a \"b\"\n"` + "\n",
    ],
  ] as const)("%s", (_, changes, line) => {
    expect(formatKlog({ ...record, ...changes })).toBe(line);
  });
});

describe("the values", () => {
  test.each([
    ["strings are quoted", { key: 'a "b"\u202e' }, String.raw` key="a \"b\"\u202e"`],
    ["numbers are bare", { n: 5, f: 1.5, big: 1e21 }, " n=5 f=1.5 big=1e+21"],
    ["booleans and null are bare", { yes: true, no: false, nil: null }, " yes=true no=false nil=null"],
    ["lists are JSON", { list: ["a", 'b"', 1, [null]] }, String.raw` list=["a","b\"",1,[null]]`],
    ["several lines are set off", { key: "one\ntwo", n: 1 }, " key=<\n\tone\n\ttwo\n > n=1"],
    ["a newline at the end adds no line", { key: "one\n" }, " key=<\n\tone\n >"],
    ["a newline alone is an empty line", { key: "\n" }, " key=<\n\t\n >"],
    [
      "several lines cannot steer a terminal",
      { key: 'a\t"b"\r\n\u001b[2J\u009b' },
      ` key=<\n\ta\t"b"${String.raw`\r`}\n\t${String.raw`\x1b[2J\u009b`}\n >`,
    ],
  ])("%s", (_, values, text) => {
    expect(formatKlog({ ...record, values })).toBe(`I1122 09:53:50.671000   32502 prober.ts:1] "Message"${text}\n`);
  });

  test("an error comes first", () => {
    expect(formatKlog({ ...record, severity: "E", error: 'a "bad" thing', values: { driver: "d" } })).toBe(
      String.raw`E1122 09:53:50.671000   32502 prober.ts:1] "Message" err="a \"bad\" thing" driver="d"` + "\n",
    );
  });
});

test.each([
  ["utc", "I1122 09:53:50.671000 "],
  ["local", "I1122 18:53:50.671000 "],
] as const)("in Tokyo, the time of a log in %s begins %s", (timeZone, start) => {
  const before = process.env["TZ"];
  process.env["TZ"] = "Asia/Tokyo";
  try {
    expect(formatKlog({ ...record, timeMs: Date.UTC(2026, 10, 22, 9, 53, 50, 671), timeZone })).toStartWith(start);
  } finally {
    process.env["TZ"] = before ?? "UTC";
  }
});
