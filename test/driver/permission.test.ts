import { expect, test } from "bun:test";
import {
  adviseOn,
  describeUid,
  type FilePermissions,
  formatMode,
  isAllowed,
  type Need,
} from "../../src/driver/permission";
import type { FileCapability, parseRights } from "../../src/driver/rights";

type Rights = ReturnType<typeof parseRights>;

const ROOT = { uid: 0, gid: 0, mode: 0o755 };
const DRIVER = { uid: 1000, gid: 2000, mode: 0o755 };
const BARE = rights([]);

/** What is advised, in the words that count: the uid, group, capability and mode. */
test.each<[string, Need, FilePermissions, number, Rights, readonly string[]]>([
  [
    "root's socket, as another uid",
    "write",
    ROOT,
    65_532,
    BARE,
    ["run livenessprobe as uid 0 (no capability is needed)", "open it (mode 0777)"],
  ],
  [
    "a driver's socket, as uid 0 without capabilities",
    "write",
    DRIVER,
    0,
    rights([0]),
    [
      "run livenessprobe as uid 1000 (runAsUser: 1000)",
      "run livenessprobe with the capability DAC_OVERRIDE",
      "open it (mode 0777)",
    ],
  ],
  [
    "a driver's socket, as another uid",
    "write",
    DRIVER,
    65_532,
    BARE,
    ["run livenessprobe as uid 1000 (runAsUser: 1000)", "open it (mode 0777)"],
  ],
  [
    "a socket that its group may write to",
    "write",
    { ...DRIVER, mode: 0o770 },
    65_532,
    BARE,
    [
      "run livenessprobe as uid 1000 (runAsUser: 1000)",
      "run livenessprobe with the group 2000 (supplementalGroups: [2000])",
      "open it (mode 0772)",
    ],
  ],
  [
    "a socket of our group's, which the group may not write to",
    "write",
    DRIVER,
    65_532,
    rights([2000]),
    ["run livenessprobe as uid 1000 (runAsUser: 1000)", "open it (mode 0775)"],
  ],
  [
    "a socket that only its group may write to",
    "write",
    { ...DRIVER, mode: 0o070 },
    65_532,
    BARE,
    ["run livenessprobe with the group 2000 (supplementalGroups: [2000])", "open it (mode 0272)"],
  ],
  [
    "a socket that its group may write to and its owner, whom we are, may not",
    "write",
    { ...DRIVER, mode: 0o575 },
    1000,
    rights([2000]),
    ["run livenessprobe as uid 0 with the capability DAC_OVERRIDE", "open it (mode 0775)"],
  ],
  [
    "a socket that nobody may write to, as its owner",
    "write",
    { ...ROOT, mode: 0o555 },
    0,
    rights([0]),
    ["run livenessprobe with the capability DAC_OVERRIDE", "open it (mode 0755)"],
  ],
  [
    "a socket that nobody may write to, as another uid",
    "write",
    { ...DRIVER, mode: 0o555 },
    65_532,
    BARE,
    ["run livenessprobe as uid 0 with the capability DAC_OVERRIDE", "open it (mode 0777)"],
  ],
  [
    "a socket of an owner whom our user namespace does not know",
    "write",
    { uid: 65_534, gid: 65_534, mode: 0o755 },
    0,
    { ...rights([0], "DAC_OVERRIDE"), ownUserNamespace: true },
    ["run livenessprobe in the node's user namespace (hostUsers: true), which knows its owner", "open it (mode 0777)"],
  ],
  [
    "a socket of an owner in our own user namespace",
    "write",
    DRIVER,
    0,
    { ...rights([0]), ownUserNamespace: true },
    [
      "run livenessprobe as uid 1000 (runAsUser: 1000)",
      "run livenessprobe with the capability DAC_OVERRIDE",
      "open it (mode 0777)",
    ],
  ],
  [
    "a directory of root's, as another uid",
    "search",
    { ...ROOT, mode: 0o700 },
    65_532,
    BARE,
    ["run livenessprobe as uid 0 (no capability is needed)", "open it (mode 0711)"],
  ],
  [
    "a directory of a driver's, as uid 0 without capabilities",
    "search",
    { ...DRIVER, mode: 0o750 },
    0,
    rights([0]),
    [
      "run livenessprobe as uid 1000 (runAsUser: 1000)",
      "run livenessprobe with the group 2000 (supplementalGroups: [2000])",
      "run livenessprobe with the capability DAC_READ_SEARCH",
      "open it (mode 0751)",
    ],
  ],
])("%s", (_, need, file, uid, own, advice) => {
  expect(isAllowed(need, file, { uid, ...own })).toBe(false);
  expect(adviseOn(need, file, { uid, ...own }, "open it")).toEqual(advice.map((text) => text));
});

test.each<[string, Need, FilePermissions, number, Rights, boolean]>([
  ["its owner", "write", DRIVER, 1000, BARE, true],
  ["its group", "write", { ...DRIVER, mode: 0o775 }, 65_532, rights([1, 2000]), true],
  ["everyone", "write", { ...DRIVER, mode: 0o777 }, 65_532, BARE, true],
  ["everyone but its group, in which we are", "write", { ...DRIVER, mode: 0o757 }, 65_532, rights([2000]), false],
  ["uid 0 with its capability", "write", DRIVER, 0, rights([0], "DAC_OVERRIDE"), true],
  ["uid 0 with a capability to read", "write", DRIVER, 0, rights([0], "DAC_READ_SEARCH"), false],
  ["uid 0 with that, into a directory", "search", { ...DRIVER, mode: 0 }, 0, rights([0], "DAC_READ_SEARCH"), true],
  ["those who may read a directory", "search", { ...DRIVER, mode: 0o744 }, 65_532, BARE, false],
])("the permissions of a file count for %s", (_, need, file, uid, own, allowed) => {
  expect(isAllowed(need, file, { uid, ...own })).toBe(allowed);
});

test.each<[Need, number, Rights, string]>([
  ["write", 65_532, BARE, "uid 65532"],
  ["write", 0, BARE, "uid 0 without the capability DAC_OVERRIDE"],
  ["search", 0, BARE, "uid 0 without the capability DAC_READ_SEARCH"],
  ["write", 0, rights([0], "DAC_OVERRIDE"), "uid 0"],
])("who asks to %s as uid %d", (need, uid, own, text) => {
  expect(describeUid(need, { uid, ...own })).toBe(text);
});

test.each([
  [0o755, "0755"],
  [0o600, "0600"],
  [0, "0000"],
  [0o4711, "04711"],
])("the mode %d is written as %s", (mode, text) => {
  expect(formatMode(mode)).toBe(text);
});

function rights(groups: readonly number[], ...capabilities: readonly FileCapability[]): Rights {
  return { groups, capabilities, ownUserNamespace: false };
}
