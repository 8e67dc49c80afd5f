import { afterAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { completeIn, findShells } from "../support/completing-shells";
import { EXECUTABLE } from "../support/executable";
import { makeKubeletRoot, makeNode } from "../support/made-node";
import { runToEnd } from "../support/run-to-end";

const node = makeNode();
const PLUGINS = "/var/lib/kubelet/plugins";
const HOSTILE = ["$(touch RAN)", "`touch RAN`", "a b", "new\nline", ";touch RAN", "'", "\u001b[31mred", "-rf", "*"];
let connections = 0;

makeKubeletRoot(node);
node.directory(`${PLUGINS}/ebs.csi.aws.com`);
const driver = createServer(() => void (connections += 1)).listen(node.outer(`${PLUGINS}/ebs.csi.aws.com/csi.sock`));
const registrar = "/var/lib/kubelet/plugins_registry/efs.csi.aws.com-reg.sock";
const registration = createServer(() => void (connections += 1)).listen(node.outer(registrar));
node.directory(`${PLUGINS}/gone.csi.example`);
node.staleSocket("/elsewhere/plugins/other.csi.example/csi.sock");
for (const name of HOSTILE) node.staleSocket(`${PLUGINS}/${name}/csi.sock`);
for (const name of HOSTILE) node.staleSocket(`/var/lib/kubelet/plugins_registry/${name}-reg.sock`);
node.directory("/start/place");
node.file("/start/plan");
node.file("/start/hostile/$(touch RAN)");
node.file("/start/hostile/;touch RAN");
node.file('/start/hostile/it\'s `touch RAN` "here"');
afterAll(async () => {
  driver.close();
  registration.close();
  await node[Symbol.asyncDispose]();
});

const cwd = node.outer("/start");
const DRIVERS = ["ebs.csi.aws.com", "efs.csi.aws.com", "gone.csi.example"];
const ROOT = node.rootDir;

const CASES: readonly (readonly [what: string, line: string, follows: readonly string[]])[] = [
  ["a command", "livenessprobe insp", ["inspect"]],
  ["of two commands both", "livenessprobe in", ["inspect", "install"]],
  ["no file where a command belongs", "livenessprobe pl", []],
  ["nothing behind a command that there is not", "livenessprobe nosuch ", []],
  ["a flag", "livenessprobe list --wa", ["--watch"]],
  ["a flag of serve, which needs no name", "livenessprobe --csi-a", ["--csi-address"]],
  ["a flag with one dash, as in Go", "livenessprobe serve -csi-a", ["-csi-address"]],
  ["no deprecated flag", "livenessprobe --health", []],
  ["one of a flag's values", "livenessprobe list -o ", ["json", "table", "wide"]],
  ["one of a flag's values, behind =", "livenessprobe list --output=", ["json", "table", "wide"]],
  ["the rest of a value, behind =", "livenessprobe list --output=w", ["wide"]],
  ["true and false behind the = of a bool", "livenessprobe list --watch=", ["false", "true"]],
  ["nothing where a flag takes a duration", "livenessprobe list --interval ", []],
  ["no file for the path of a URL", "livenessprobe --metrics-path pl", []],
  ["files for a path", "livenessprobe --csi-address pl", ["place", "plan"]],
  ["files for a path, behind =", "livenessprobe --csi-address=pl", ["place", "plan"]],
  ["directories for a directory", "livenessprobe list --root pl", ["place"]],
  ["directories for a directory, behind =", "livenessprobe monitor --incident-dir=pl", ["place"]],
  ["files for the file of a report", "livenessprobe report -o pl", ["place", "plan"]],
  ["directories to install into", "livenessprobe install pl", ["place"]],
  ["the drivers of the node at --root", `livenessprobe inspect --root ${ROOT} `, DRIVERS],
  ["drivers that begin so, with =", `livenessprobe check --root=${ROOT} e`, ["ebs.csi.aws.com", "efs.csi.aws.com"]],
  ["drivers, with a root in quotes", `livenessprobe check -root '${ROOT}' g`, ["gone.csi.example"]],
  ["drivers for --driver", `livenessprobe list --root ${ROOT} --driver `, DRIVERS],
  ["drivers for --driver=", `livenessprobe monitor --root ${ROOT} --driver=g`, ["gone.csi.example"]],
  [
    "the drivers of --kubelet-dir",
    `livenessprobe inspect --root ${ROOT} --kubelet-dir /elsewhere `,
    ["other.csi.example"],
  ],
  ["no driver where --root leads nowhere", "livenessprobe inspect --root /nonexistent ", []],
  ["nothing behind the last operand", `livenessprobe inspect --root ${ROOT} ebs.csi.aws.com `, []],
  ["files for an address", "livenessprobe inspect ./pl", ["./place", "./plan"]],
  ["a command to explain", "livenessprobe help ch", ["check"]],
  ["a shell", "livenessprobe completion z", ["zsh"]],
  ["no command of the line itself", "livenessprobe inspect $(touch${IFS}RAN) ", []],
];

const HOSTILE_FILES = ["hostile/\\$\\(touch\\ RAN\\)", "hostile/\\;touch\\ RAN"];

describe.each([...(await findShells())])("%s offers", (shell) => {
  const completed = completeIn(
    shell,
    CASES.map(([, line]) => line),
    { cwd },
  );

  test.each(CASES.map(([what, , follows], index) => [what, index, follows] as const))(
    "%s",
    async (_, index, follows) => {
      expect((await completed)[index]).toEqual([...follows]);
    },
  );

  test("files whose names are commands, and runs none of these", async () => {
    const [words] = await completeIn(shell, ["livenessprobe check hostile/"], { cwd, run: true });
    expect(words).toEqual(expect.arrayContaining(HOSTILE_FILES));
    expect(words).toHaveLength(HOSTILE_FILES.length + 1);
  });
});

test("nothing of the lines or names was run, and no driver was asked", async () => {
  const { stdout } = await runToEnd([EXECUTABLE, "completion", "bash", `livenessprobe inspect --root ${ROOT} `]);
  expect(stdout).toBe(`words\n${DRIVERS.join("\n")}\n`);
  expect(connections).toBe(0);
  expect(existsSync(`${cwd}/RAN`)).toBe(false);
});
