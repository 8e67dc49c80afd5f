import * as fc from "fast-check";
import { programWords, shellCommand } from "../../src/base/shell-command";
import { escapeLines, jsonText, oneLine } from "../../src/base/text";
import { parseRights } from "../../src/driver/rights";
import { decodeGrpcMessage, readHeaderBlock } from "../../src/grpc/headers";
import { createMountTable, parseMountInfo } from "../../src/node/mounts";
import { containerIdsOf, parseCgroups, podCgroupOf } from "../../src/processes/cgroups";
import { describeWait, parseProcessStat } from "../../src/processes/process-state";
import { rootDirOf } from "../../src/processes/running-kubelets";
import { parseUnixSockets } from "../../src/processes/unix-sockets";
import { csiMountsIn, redactMounts } from "../../src/report/mounts";
import { redactText } from "../../src/report/redact-text";
import { anyText, nearly, words } from "../arbitraries";
import { AGREES, createTarget, type Verdict } from "../target";

/** Words of the file, and what its parser promises of any text: undefined, or what is wrong. */
interface Parser {
  readonly tokens: readonly string[];
  readonly check: (text: string) => string | undefined;
}

const HEX64 = "0123456789abcdef".repeat(4);
const UID = "01234567-89ab-cdef-0123-456789abcdef";
const MOUNT_TOKENS = [
  "36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/sda1 rw,errors=continue",
  " - ",
  " ",
  "-",
  "/",
  "36",
  "98:0",
  "rw",
  "\n",
  "\\040",
  "\\134",
  "\\777",
  "\\",
  "cgroup2",
  "nfs4",
  "/var/lib/kubelet/plugins/x",
  "password=a,b",
  "shared:1 ",
];

const PARSERS = {
  mountinfo: {
    tokens: MOUNT_TOKENS,
    check: (text) => {
      const mounts = parseMountInfo(text);
      createMountTable(mounts).seenFrom("/mnt/a/b").hasMountsIn("/mnt");
      redactMounts(csiMountsIn(text, "", ["/var/lib/kubelet"]), "mounts");
      return mounts.every(({ mountPoint }) => mountPoint.startsWith("/")) ? undefined : "a mount point is relative";
    },
  },
  "net/unix": {
    tokens: [
      "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /csi/csi.sock",
      "\n",
      " ",
      ": ",
      "00010000",
      "@",
      "a".repeat(108),
      "Num",
      "(____ptrval____)",
    ],
    check: (text) => {
      // Each byte as one character.
      const table = Buffer.from(text).toString("latin1");
      const listening = [...parseUnixSockets(table)].filter((socket) => socket.isListening);
      return listening.every(({ path }) => path !== "" && !path.startsWith("@"))
        ? undefined
        : "it listens without a path";
    },
  },
  cgroup: {
    tokens: [
      "0::/",
      "\n",
      "4:memory:",
      ":",
      "/",
      "/..",
      `/kubepods.slice/kubepods-pod${UID.replaceAll("-", "_")}.slice`,
      `/pod${UID}/`,
      HEX64,
      "cri-containerd-",
      ".scope",
      "user.slice",
      "-pod",
    ],
    check: (text) => {
      const groups = parseCgroups(text);
      const { containerId } = containerIdsOf(groups);
      for (const { path } of groups) podCgroupOf(path);
      return containerId === undefined || containerId.length === 64 ? undefined : "the container's id is too short";
    },
  },
  stat: {
    tokens: [
      "1 (a) S 0 1 1 0 -1 4194560 ",
      "(",
      ")",
      " ",
      "1",
      "-1",
      "S",
      "constructor",
      "1e400",
      "NaN",
      "9".repeat(30),
      "0 0 0 0 0 0 0 0 0 0 0 0 0 ",
    ],
    check: (text) => {
      const stat = parseProcessStat(text);
      return stat === undefined || typeof stat.state.word === "string" ? undefined : "its state is no word";
    },
  },
  status: {
    tokens: ["CapEff:\t", "Gid:\t0\t0\t0\t0", "Groups:\t", "000001ffffffffff", "\n", "\t", "0 0 4294967295", "x", "_"],
    check: (text) => {
      const { groups } = parseRights(text, text);
      return groups.every(Number.isInteger) ? undefined : "a group is no number";
    },
  },
  wchan: {
    tokens: ["rpc_wait_bit_killable", "_", "nfs_", "0", "fuse", "io_schedule"],
    check: (text) => void describeWait(text),
  },
  cmdline: {
    tokens: ["kubelet", "\0", "--root-dir", "=", "/var/lib/kubelet", "--kubelet-arg", "root-dir=/k", "-", "--"],
    check: (text) => {
      programWords(text, 1);
      return rootDirOf(text.split("\0"))?.startsWith("/") === false ? "the root is relative" : undefined;
    },
  },
  "grpc headers": {
    tokens: [
      ":status",
      "content-type",
      "grpc-status",
      "grpc-message",
      "\0",
      "200",
      "application/grpc",
      "%",
      "%e2%82%ac",
      "%zz",
      "0",
      "13",
      "é",
    ],
    check: (text) => {
      decodeGrpcMessage(text);
      readHeaderBlock(text.split("\0"));
    },
  },
  output: {
    tokens: [
      "\u001b[31m",
      "\r",
      "\n",
      "\u001b[?2026h",
      "\u001b[J",
      "a",
      "é",
      "\u{1f697}",
      "\u202e",
      "'",
      "\u0000",
      "…",
    ],
    check: (text) => {
      const line = oneLine(text, 20);
      const [forFile, forTerminal] = [escapeLines(text, false), escapeLines(text, true)];
      shellCommand(text.split(" "));
      JSON.parse(jsonText([text]));
      if (Buffer.byteLength(line) > 20 || hasAny(line, "\n\r\u001b")) return `a line of ${JSON.stringify(line)}`;
      if (hasAny(forFile, "\r\u001b\u202e") || forTerminal.includes("\u202e")) return "a control character is left";
      return undefined;
    },
  },
  redaction: {
    tokens: [
      "password",
      "=",
      ": ",
      "//",
      "@",
      "token",
      '"',
      "'",
      "\\",
      "{",
      "[",
      "Bearer ",
      "eyJ",
      "a1B2c3D4e5",
      "-----BEGIN PRIVATE KEY",
      "-u ",
      "\n",
      " ",
      ",",
      "authorization",
      "cookie",
      "://u:p@h",
      "secret is ",
    ],
    check: (text) => void redactText(text),
  },
} as const satisfies Readonly<Record<string, Parser>>;

function hasAny(text: string, characters: string): boolean {
  return [...characters].some((character) => text.includes(character));
}

type ParserName = keyof typeof PARSERS;

const NAMES = Object.keys(PARSERS) as ParserName[];
/** What one parser may take for one input, in milliseconds of the processor. The longest has 50,000 characters. */
const BOUND_MS = 2_000;

const inputs = fc.constantFrom(...NAMES).chain((name) => {
  const { tokens } = PARSERS[name];
  const long = fc
    .tuple(words(tokens, 4), words(tokens, 3), fc.constantFrom(...tokens))
    .map(([start, middle, end]) => start + middle.repeat(50_000 / Math.max(1, middle.length)) + end);
  return fc.record({
    name: fc.constant(name),
    text: fc.oneof(
      { weight: 400, arbitrary: nearly(words(tokens, 24)) },
      {
        weight: 50,
        arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
      },
      { weight: 50, arbitrary: anyText },
      { weight: 1, arbitrary: long },
    ),
  });
});

export const nodeFiles = createTarget({
  name: "node-files",
  against: "what their parsers promise of any text: no exception, a bound in time, well-formed results",
  weight: 3,
  inputs,
  batchSize: 2_000,
  open: async () => ({
    judge: async (texts) => texts.map(({ name, text }) => verdictOnText(PARSERS[name], text)),
    [Symbol.asyncDispose]: async () => {},
  }),
});

function verdictOnText({ check }: Parser, text: string): Verdict {
  let fastest = Infinity;
  // A collection of garbage may make one attempt slow, and not three of them.
  for (let tries = 0; tries < 3; tries += 1) {
    const start = cpuMs();
    try {
      const wrong = check(text);
      if (wrong !== undefined) return { kind: "finding", text: wrong };
    } catch (error) {
      return { kind: "finding", text: `threw ${error instanceof Error ? error.stack : String(error)}` };
    }
    fastest = Math.min(fastest, cpuMs() - start);
    if (fastest < BOUND_MS) return AGREES;
  }
  return { kind: "finding", text: `took ${fastest.toFixed(0)} ms for ${text.length} characters` };
}

/** Of this process: on a busy machine the time of day says nothing. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
