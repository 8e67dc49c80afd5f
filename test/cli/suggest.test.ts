import { expect, test } from "bun:test";
import { FLAGS } from "../../src/cli/flags";
import { adviceOn, suggest } from "../../src/cli/suggest";

test.each([
  ["chekc", "check"],
  ["list ", "list"],
  ["lst", "list"],
  ["LIST", "list"],
  ["instal", "install"],
  ["checkout", undefined],
  ["/csi/csi.sock", undefined],
  ["ls", undefined],
  ["x", undefined],
  ["", undefined],
])("%j meant %j", (word, meant) => {
  expect(suggest(word, ["serve", "check", "list", "inspect", "install"])).toBe(meant);
});

const flags = FLAGS.map(({ name }) => name);
const commands = ["serve", "check", "help"];

test.each([
  [
    "a flag, mistyped",
    { command: "serve", unknown: { word: "csi-adress", known: flags } },
    "did you mean --csi-address?",
  ],
  [
    "a flag, in capitals",
    { command: "serve", unknown: { word: "CSI_Address", known: flags } },
    "did you mean --csi-address?",
  ],
  ["a letter and its value in one", { command: "serve", unknown: { word: "v5", known: flags } }, "did you mean -v?"],
  ["a flag like no other", { command: "serve", unknown: { word: "bogus", known: flags } }, "see livenessprobe --help"],
  [
    "such a flag of another command",
    { command: "check", unknown: { word: "bogus", known: [] } },
    "see livenessprobe check --help",
  ],
  ["a command, mistyped", { command: undefined, unknown: { word: "hlep", known: commands } }, "did you mean help?"],
  [
    "a command like no other",
    { command: undefined, unknown: { word: "/csi/csi.sock", known: commands } },
    "the commands are serve, check, help",
  ],
  ["a value", { command: "serve", instead: "3s" }, "write 3s"],
  ["anything else", { command: "serve" }, "see livenessprobe --help"],
])("the advice on %s", (_, refused, advice) => {
  expect(adviceOn({ kind: "refused", message: "", ...refused })).toBe(advice);
});
