import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";
import { makeKubeletRoot, makeNode } from "../support/made-node";
import { LISTEN, startPython } from "../support/made-node-process";
import { runSidecar } from "../support/sidecar";
import { NOBODY_UID } from "../support/socket-cases";

// Processes start slowly on a busy machine.
setDefaultTimeout(60_000);

const PLUGINS = "/var/lib/kubelet/plugins";
const isRoot = process.getuid?.() === 0;

/** What a command line may call; in place of each the test has a program that notes its words. */
const PROGRAMS = ["livenessprobe", "kubectl", "journalctl", "ps", "cat", "dmesg", "grep", "sudo", "free", "touch"];

interface Inspection {
  readonly steps: readonly { readonly command?: string }[];
  readonly next?: string;
}

describe.if(isRoot)(
  "what is printed to be pasted runs no program of an unprivileged process that names its directory",
  () => {
    test.concurrent.each([
      "$(touch pwned)",
      "`touch pwned`",
      "; touch pwned;",
      "'; touch pwned; '",
      "| touch pwned",
      "&& touch pwned",
      "> pwned",
      "a b",
      "*",
      "~",
      "-rf",
      "--root=..",
      "#",
      "\ntouch pwned\n",
      "\u001b[2J; touch pwned",
      "\u202e; touch pwned",
      "${IFS}touch${IFS}pwned",
      "\\",
      "!!",
    ])("%j", async (name) => {
      await using node = makeNode();
      makeKubeletRoot(node);
      const directory = `${PLUGINS}/${name}`;
      const socket = `${directory}/csi.sock`;
      const stale = `${directory}/stale.sock`;
      node.directory(directory);
      chmodSync(node.rootDir, 0o755);
      chownSync(node.outer(directory), NOBODY_UID, NOBODY_UID);
      await using _ = await startPython(LISTEN, [node.outer(socket)], { uid: NOBODY_UID });
      node.staleSocket(stale);
      const paths = [socket, stale, `${directory}/missing.sock`];
      const inspections = await Promise.all(paths.map((path) => inspect(path, node.rootDir)));
      const listed = await runSidecar(["list", "--root", node.rootDir, "--probe-timeout=300ms"], AS_INSTALLED);
      const [, next] = /next:\s+(.*)\n/.exec(listed.stderr) ?? [];
      const commands = [...inspections.flat(), ...(next === undefined ? [] : [next])];
      expect(commands.length).toBeGreaterThan(0);
      const pasted = commands.map(paste);
      expect(pasted.flatMap(({ made }) => made)).toEqual([]);
      // Each begins one program, and nothing before or after it.
      expect(pasted.map(({ called }) => called.length)).toEqual(commands.map(() => 1));
      const inspected = pasted.flatMap(({ called }) => called.filter(([program]) => program === "livenessprobe"));
      expect(inspected.every((words) => words.every((word) => WORDS.has(word) || word.startsWith("/")))).toBe(true);
    });
  },
);

const AS_INSTALLED = { argv0: "livenessprobe" };
const WORDS = new Set(["livenessprobe", "list", "inspect", "--root", "--probe-timeout", "300ms"]);

/** The commands that an inspection has to paste. */
async function inspect(path: string, rootDir: string): Promise<readonly string[]> {
  const { stdout } = await runSidecar(
    ["inspect", path, "--root", rootDir, "-o", "json", "--probe-timeout=300ms"],
    AS_INSTALLED,
  );
  const { steps, next }: Inspection = JSON.parse(stdout);
  return [...steps.map(({ command }) => command), next].filter((command) => command !== undefined);
}

/**
 * Runs a command as a shell does that it is pasted into: which programs were called with which words, and what files
 * were made.
 */
function paste(command: string) {
  using directory = temporaryDirectory();
  const [bin, here, log] = ["bin", "here", "log"].map((name) => join(directory.path, name)) as [string, string, string];
  mkdirSync(bin);
  mkdirSync(here);
  writeFileSync(log, "");
  for (const program of PROGRAMS)
    writeFileSync(join(bin, program), `#!/bin/sh\nprintf '%s\\037' ${program} "$@" >>${log}; echo >>${log}\n`, {
      mode: 0o755,
    });
  Bun.spawnSync(["/bin/sh", "-c", command], { cwd: here, env: { PATH: bin, HOME: "/home" } });
  const lines = readFileSync(log, "utf8").split("\n").slice(0, -1);
  return { made: readdirSync(here), called: lines.map((line) => line.split("\u001f").slice(0, -1)) };
}
