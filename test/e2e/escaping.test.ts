import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { startAllowListDriver } from "../support/allow-list-driver";
import { EXECUTABLE } from "../support/executable";
import { type MadeNode, makeKubeletRoot, makeNode } from "../support/made-node";
import { runInPty } from "../support/pty";
import { runSidecar } from "../support/sidecar";

// Processes start slowly on a busy machine.
setDefaultTimeout(60_000);

const PLUGINS = "/var/lib/kubelet/plugins";
/** Clears the screen, renames the terminal, turns the text around, goes back to the line's beginning. */
const STEERING = "\u001b[2J\u001b]0;x\u0007\u202e\u009b31m\rready";
/** Not UTF-8: a file's name may be any bytes. */
const BAD_UTF8 = Buffer.from("/bad-\xff\x1b[2J", "latin1");

/** A driver that fails, with a message, a name and a version of this kind. */
const ANSWERS = {
  "/csi.v1.Identity/Probe": { kind: "status", code: 13, details: encodeURIComponent(STEERING) },
  "/csi.v1.Identity/GetPluginInfo": {
    kind: "message",
    bytes: Buffer.concat([1, 2].flatMap((field) => [lengthPrefix(field), Buffer.from(STEERING)])),
  },
} as const;

/** The words of a command line that leads what strangers chose to standard output or standard error. */
const COMMANDS: readonly (readonly [string, (node: MadeNode, socketPath: string) => readonly string[]])[] = [
  ["list", (node) => ["list", "--root", node.rootDir]],
  ["list -o wide", (node) => ["list", "--root", node.rootDir, "-o", "wide"]],
  ["list -o json", (node) => ["list", "--root", node.rootDir, "-o", "json"]],
  ["list of a root that is not there", () => ["list", "--root", `/nowhere${STEERING}`]],
  ["inspect of a name that two have", (node) => ["inspect", "twice", "--root", node.rootDir]],
  ["inspect of a name that nobody has", (node) => ["inspect", `a${STEERING}`, "--root", node.rootDir]],
  ["inspect of a driver", (node) => ["inspect", `${PLUGINS}/${STEERING}/csi.sock`, "--root", node.rootDir]],
  ["inspect -o json", (node) => ["inspect", `${PLUGINS}/${STEERING}/csi.sock`, "--root", node.rootDir, "-o", "json"]],
  ["inspect of a path that is not there", (node) => ["inspect", `/${STEERING}`, "--root", node.rootDir]],
  ["inspect of a root that is not there", () => ["inspect", "/a", "--root", `/nowhere${STEERING}`]],
  ["check of a driver that fails", (_, socketPath) => ["check", socketPath]],
  ["check of a path that is not there", () => ["check", `/tmp/\u202e${STEERING}`]],
  ["install into what is no directory", () => ["install", `/proc/${STEERING}`]],
  ["an unknown command", () => [STEERING]],
  ["an unknown flag", () => ["list", `--${STEERING}`]],
  ["an unknown flag of serve", () => [`--${STEERING}`]],
  ["a value of serve that cannot be read", () => [`--probe-timeout=${STEERING}`]],
];

describe.concurrent("what strangers chose steers no terminal by", () => {
  test.each(COMMANDS)("%s", async (_, wordsOf) => {
    await using place = await hostilePlace();
    const { stdout, stderr } = await runSidecar(wordsOf(place.node, place.socketPath));
    expect(stdout + stderr).toMatch(/^[\p{L}\p{M}\p{N}\p{P}\p{S} \n]+$/u);
  });

  test.each(COMMANDS)("%s, in a terminal with colours", async (_, wordsOf) => {
    await using place = await hostilePlace();
    const { output } = await runInPty([EXECUTABLE, ...wordsOf(place.node, place.socketPath)], { columns: 80 });
    expect(withoutOurs(output)).toMatch(/^[\p{L}\p{M}\p{N}\p{P}\p{S} \n]+$/u);
  });
});

/** Without our colours and the carriage returns of a progress line. */
function withoutOurs(output: string): string {
  // oxlint-disable-next-line no-control-regex -- what colours are made of
  return output.replaceAll(/\u001b\[(?:2|22|31|32|33|39)m|\r(?=asked |waiting for | *\r| *$)|(?<= )\r/g, "");
}

async function hostilePlace() {
  const made = new AsyncDisposableStack();
  const node = made.use(makeNode());
  makeKubeletRoot(node);
  node.staleSocket(`${PLUGINS}/twice/${STEERING}/csi.sock`);
  node.staleSocket(`${PLUGINS}/twice/other/csi.sock`);
  node.directory(`${PLUGINS}/${STEERING}`);
  // Too deep to be looked into, which is noted.
  node.directory(`${PLUGINS}/${STEERING}/b/c/d/e/f`);
  const socketPath = node.outer(`${PLUGINS}/${STEERING}/csi.sock`);
  mkdirSync(Buffer.concat([Buffer.from(node.outer(PLUGINS)), BAD_UTF8]));
  made.use(await startAllowListDriver({ answers: ANSWERS, socketPath }));
  return { node, socketPath, [Symbol.asyncDispose]: () => made.disposeAsync() };
}

/** Of a protobuf field with a text of less than 128 bytes. */
function lengthPrefix(field: number): Buffer {
  return Buffer.of((field << 3) | 2, Buffer.byteLength(STEERING));
}
