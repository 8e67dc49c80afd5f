import { expect, test } from "bun:test";
import { parseRights, readRights } from "../../src/driver/rights";

const WHOLE_MAP = "         0          0 4294967295\n";

const status = (gids: string, groups: string, effective: string) =>
  `Name:\tlivenessprobe\nUid:\t1\t2\t3\t4\nGid:\t${gids}\nGroups:\t${groups} \nNStgid:\t77\nCapInh:\tffffffffffffffff\nCapEff:\t${effective}\nCapBnd:\tffffffffffffffff\n`;

test.each([
  ["no supplementary group", status("5\t5\t5\t5", "", "0000000000000000"), { groups: [5], capabilities: [] }],
  ["the file system's group", status("5\t6\t7\t8", "9", "0000000000000000"), { groups: [8, 9] }],
  ["a group named twice", status("5\t5\t5\t5", "5 10", "0000000000000000"), { groups: [5, 10] }],
  [
    "all capabilities",
    status("0\t0\t0\t0", "0", "000001ffffffffff"),
    { capabilities: ["DAC_OVERRIDE", "DAC_READ_SEARCH"] },
  ],
  [
    "those that a container runtime leaves",
    status("0\t0\t0\t0", "0", "00000000a80425fb"),
    { capabilities: ["DAC_OVERRIDE"] },
  ],
  ["DAC_READ_SEARCH alone", status("0\t0\t0\t0", "0", "0000000000000004"), { capabilities: ["DAC_READ_SEARCH"] }],
  ["what is no number", status("a\tb\tc\td", "x 5", "none"), { groups: [5], capabilities: [] }],
  ["no /proc", "", { groups: [], capabilities: [] }],
])("of a process with %s", (_, text, expected) => {
  expect(parseRights(text, WHOLE_MAP)).toMatchObject(expected);
});

test.each([
  ["the node's", WHOLE_MAP, false],
  ["a container's own", "         0     100000      65536\n", true],
  ["a rootless one's", "         0       1000          1\n         1     100000      65536\n", true],
  ["one that cannot be read", "", false],
])("the user namespace is %s", (_, uidMap, own) => {
  expect(parseRights("", uidMap).ownUserNamespace).toBe(own);
});

test("this process has its group", () => {
  expect(readRights().groups).toContain(process.getegid?.() ?? -1);
});
