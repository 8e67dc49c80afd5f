import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { readLock } from "../../scripts/image/inputs/lock";
import { unpackDeb } from "../../scripts/image/inputs/debs";
import { temporaryDirectory } from "../../scripts/temporary";
import { needPrograms } from "../../scripts/tools/debian";
import { INSPECT_ARGS, LIST_ARGS } from "../../src/cli/operator-options";
import { REPORT_ARGS } from "../../src/cli/report-options";
import { renderDocument } from "../../src/terminal/json";
import { startInPty } from "../support/pty";
import { type Ended, runToEnd } from "../support/run-to-end";
import { type KubectlScript, type ScriptedKubectl, scriptKubectl } from "../support/scripted-kubectl";
import { usable } from "../support/usable";
import { waitUntil } from "../support/wait";

const PLUGIN = join(import.meta.dirname, "../../deploy/kubectl/kubectl-csi");
const POD = "node-debugger-node-1-abcde";
const MONITOR: KubectlScript = { "get-pods": "echo node-1 monitoring csi-1 monitor /host" };
const DEBUG: KubectlScript = {
  debug: `echo "Creating debugging pod ${POD} with container debugger on node node-1."`,
  "get-pod": "printf running",
};
/** What kubectl writes where the program exits with 4. */
const NOT_READY = "echo table; echo a note >&2; echo command terminated with exit code 4 >&2; exit 4";
const DELETE = `delete pod ${POD} --namespace=kube-system --ignore-not-found --wait=false`;

let kubectl: ScriptedKubectl;
afterEach(() => kubectl[Symbol.dispose]());

async function csi(script: KubectlScript, words: readonly string[], shell: readonly string[] = []): Promise<Ended> {
  kubectl = scriptKubectl(script);
  const ended = await runToEnd([...shell, PLUGIN, ...words], kubectl.env, kubectl.directory);
  expect(readdirSync(kubectl.directory).filter((name) => name.startsWith("kubectl-csi"))).toEqual([]);
  return ended;
}

const unpacked = temporaryDirectory();
afterAll(() => unpacked[Symbol.dispose]());
const SHELLS = [["dash"], ["bash", "--posix"], await busybox()].filter((shell) =>
  usable(`kubectl csi under ${shell.join(" ")}`, [...shell, "-c", ":"]),
);

describe.each(SHELLS.map((shell) => [basename(shell.join(" ")), shell] as const))("under %s", (_, shell) => {
  test("list runs in the monitor's pod, and passes on streams and exit code", async () => {
    const ended = await csi({ ...MONITOR, exec: NOT_READY }, ["list", "node-1"], shell);
    expect(ended).toEqual({ code: 4, stdout: "table\n", stderr: "a note\n" });
    expect(kubectl.callsOf("exec")).toEqual([
      "exec --namespace=monitoring csi-1 --container=monitor -- /usr/bin/livenessprobe list --root=/host",
    ]);
    expect(kubectl.callsOf("debug")).toEqual([]);
  });

  test("inspect runs in a debug pod where the node has no monitor, and deletes it", async () => {
    const ended = await csi({ ...DEBUG, exec: NOT_READY }, ["inspect", "node-1", "a.csi.example"], shell);
    const note = `kubectl csi: note: the debug pod kube-system/${POD} is on node-1 until this`;
    expect(ended).toEqual({ code: 4, stdout: "table\n", stderr: `${note} command ends\na note\n` });
    expect(kubectl.calls().slice(1)).toEqual([
      `--request-timeout=30s debug node/node-1 --namespace=kube-system --profile=sysadmin --image=${image()} ` +
        "--container=debugger --attach=false -- /usr/bin/livenessprobe check /kubectl-csi/none.sock --wait=10m",
      expect.stringContaining(`get pod ${POD} --namespace=kube-system`),
      `exec --namespace=kube-system ${POD} --container=debugger -- /usr/bin/livenessprobe inspect a.csi.example --root=/host`,
      `--request-timeout=30s ${DELETE} --now`,
    ]);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGQUIT", 131],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s deletes the debug pod, and the exit code is %i", async (signal, code) => {
    const script = { ...DEBUG, exec: "exec sleep 600" };
    const ended = await interrupted(script, signal, "exec", shell);
    expect(ended).toBe(code);
    expect(kubectl.callsOf("delete")).toEqual([`--request-timeout=30s ${DELETE} --now`]);
  });

  test("where nobody reads any more, it ends in silence", async () => {
    const [script, sh] = [{ ...MONITOR, exec: "yes; exit" }, [...shell, PLUGIN, "list", "node-1"].join(" ")];
    kubectl = scriptKubectl(script);
    const ended = await runToEnd(["bash", "-c", `${sh} | head -n 1; echo "\${PIPESTATUS[0]}"`], kubectl.env);
    expect(ended).toEqual({ code: 0, stdout: "y\n141\n", stderr: "" });
  });

  test("without standard streams, it leaves no file", async () => {
    const sh = [...shell, PLUGIN, "list", "node-1"].join(" ");
    kubectl = scriptKubectl(MONITOR);
    await runToEnd(["sh", "-c", `${sh} <&- >&-`], kubectl.env);
    expect(readdirSync(kubectl.directory).filter((name) => name.startsWith("kubectl-csi"))).toEqual([]);
  });

  test("words with spaces and quotes reach kubectl as they are", async () => {
    const script = { ...MONITOR, exec: `for word; do case $word in *"'"*) echo "<$word>" ;; esac; done` };
    const words = ["list", "node-1", "--context", "it's $HOME", "--", "--driver=a 'b' it"];
    expect((await csi(script, words, shell)).stdout).toBe("<--context=it's $HOME>\n<--driver=a 'b' it>\n");
  });

  test("list without a node asks each node that has a monitor", async () => {
    const ended = await csi(CLUSTER, ["list"], shell);
    expect(ended.stdout).toBe("Node: a\nhere csi-a\n\nNode: b\nhere csi-b\n");
    expect(ended.stderr).toBe("a: of csi-a\nb: of csi-b\n");
    expect(ended.code).toBe(4);
  });
});

const CLUSTER: KubectlScript = {
  "get-pods": "echo b m csi-b monitor /host; echo a m csi-a monitor /host",
  "get-nodes": "echo node/b; echo node/a",
  exec: `case $* in *csi-a*) code=4 ;; *) code=0 ;; esac
    pod=\${2%%/*}; echo "here $3" ; echo "of $3" >&2
    [ $code = 0 ] || echo command terminated with exit code 4 >&2; exit $code`,
};

test("a signal while the debug pod is made waits until its name is known, and deletes it", async () => {
  const script = { ...DEBUG, debug: `touch "$SCRIPT/begun"; sleep 0.3; ${DEBUG.debug}` };
  expect(await interrupted(script, "SIGINT", "debug", [])).toBe(130);
  expect(kubectl.callsOf("delete")).toEqual([`--request-timeout=30s ${DELETE} --grace-period=0 --force`]);
});

test("a signal while the image is pulled deletes the debug pod", async () => {
  const script = { ...DEBUG, "get-pod": "printf ContainerCreating" };
  expect(await interrupted(script, "SIGINT", "get-pod", [])).toBe(130);
  expect(kubectl.callsOf("delete")).toEqual([`--request-timeout=30s ${DELETE} --grace-period=0 --force`]);
});

/** Signals the process group, as a terminal does, once kubectl has been called. */
async function interrupted(
  script: KubectlScript,
  signal: "SIGINT" | "SIGQUIT" | "SIGTERM" | "SIGHUP",
  during: "exec" | "debug" | "get-pod",
  shell: readonly string[],
): Promise<number> {
  kubectl = scriptKubectl(script);
  const child = Bun.spawn([...shell, PLUGIN, "list", "node-1"], {
    env: { ...process.env, ...kubectl.env },
    detached: true,
    stdout: "ignore",
    stderr: "ignore",
  });
  await waitUntil(() => kubectl.callsOf(during).length > 0, `kubectl ${during}`);
  process.kill(-child.pid, signal);
  return child.exited;
}

const FORBIDDEN = `echo 'Error from server (Forbidden): pods is forbidden: User "x" cannot create it' >&2; exit 1`;
const waits = (state: string): KubectlScript => ({ ...DEBUG, "get-pod": `printf '%s' '${state}'` });

test.each([
  {
    what: "the node is unknown",
    script: { debug: `${DEBUG.debug}; echo 'Error from server (NotFound): nodes "node-1" not found' >&2; exit 1` },
    said: 'no debug pod can be made on node-1: nodes "node-1" not found; kubectl get nodes lists the nodes',
    deleted: false,
  },
  {
    what: "the debug pod is forbidden",
    script: { debug: `${DEBUG.debug}; ${FORBIDDEN}` },
    said: 'no debug pod can be made on node-1: pods is forbidden: User "x" cannot create it; see which rights it needs',
    deleted: false,
  },
  {
    what: "the role that allows it is gone",
    script: {
      debug: `echo 'Error from server (Forbidden): nodes "node-1" is forbidden: RBAC: role "x" not found' >&2; exit 1`,
    },
    said: 'no debug pod can be made on node-1: nodes "node-1" is forbidden: RBAC: role "x" not found; see which rights',
    deleted: false,
  },
  {
    what: "the namespace enforces Pod Security",
    script: {
      debug: `${DEBUG.debug}; echo 'Error from server (Forbidden): pods "x" is forbidden: violates PodSecurity "baseline:latest": host namespaces' >&2; exit 1`,
    },
    said: "name a namespace that allows privileged pods with -n",
    deleted: false,
  },
  {
    what: "the API server does not answer kubectl debug, so that nobody knows whether the pod is there",
    script: { debug: `${DEBUG.debug}; echo 'error: context deadline exceeded' >&2; exit 1` },
    said: "no debug pod can be made on node-1: context deadline exceeded; check the cluster with: kubectl get nodes",
    deleted: true,
  },
  {
    what: "kubectl is too old",
    script: { debug: "echo 'error: unknown profile: sysadmin' >&2; exit 1" },
    said: "no debug pod can be made on node-1: unknown profile: sysadmin; kubectl must be 1.30 or newer",
    deleted: false,
  },
  {
    what: "the image cannot be pulled",
    script: waits('ErrImagePull: failed to pull "x":\nnot found'),
    said: 'node-1 cannot pull the image of the debug pod: ErrImagePull: failed to pull "x":?not found; name one that it can pull with --image',
    deleted: true,
  },
  {
    what: "the image is another program's",
    script: waits("ended: StartError: exec: no such file"),
    said: "the debug pod does not start on node-1: ended: StartError: exec: no such file; is --image=",
    deleted: true,
  },
  {
    what: "the pod does not start in time",
    script: { ...waits(""), "get-events": "echo Scheduled: done; echo Pulling: image x" },
    said: "the debug pod did not start on node-1 within 0s: no kubelet has taken it (Pulling: image x); is the node ready?",
    deleted: true,
  },
  {
    what: "exec is forbidden in the debug pod",
    script: { ...DEBUG, exec: FORBIDDEN.replace("pods is", "pods/exec is") },
    said: `livenessprobe cannot be run in kube-system/${POD}: pods/exec is forbidden: User "x" cannot create it; see which rights it needs in docs/debugging.md`,
    deleted: true,
  },
  {
    what: "exec fails in the monitor's pod",
    script: { ...MONITOR, exec: "echo 'error: unable to upgrade connection: container not found' >&2; exit 1" },
    said: "livenessprobe cannot be run in monitoring/csi-1: unable to upgrade connection: container not found; ",
    deleted: false,
  },
  {
    what: "the cluster cannot be reached",
    script: {
      "get-pods": "echo 'E1126 memcache.go' >&2; echo 'The connection to the server x was refused' >&2; exit 1",
    },
    said: "the pods of node-1 cannot be listed: The connection to the server x was refused; check the cluster with",
    deleted: false,
  },
])("where $what, one line says why, and no pod stays", async ({ script, said, deleted }) => {
  const { code, stdout, stderr } = await csi(script, ["list", "node-1", "--timeout=0s"]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  const lines = stderr.split("\n").filter((line) => line !== "" && !line.includes(": note: "));
  expect(lines).toEqual([expect.stringContaining(`kubectl csi: ${said.startsWith("name") ? "" : said}`)]);
  expect(stderr).toContain(said);
  expect(kubectl.callsOf("delete").length).toBe(deleted ? 1 : 0);
});

test("a debug pod that cannot be deleted is named, with the command that deletes it", async () => {
  const script = { ...DEBUG, delete: "echo 'error: no route to host' >&2; exit 1" };
  const { code, stderr } = await csi(script, ["list", "node-1"]);
  expect(code).toBe(0);
  expect(stderr).toEndWith(
    `kubectl csi: the debug pod cannot be deleted: no route to host; try: kubectl delete pod ${POD} -n kube-system\n`,
  );
});

test("who may not list the pods of all namespaces gets a debug pod", async () => {
  const { code, stderr } = await csi({ ...DEBUG, "get-pods": FORBIDDEN }, ["list", "node-1"]);
  expect(code).toBe(0);
  expect(stderr).toStartWith("kubectl csi: note: a pod of the monitor cannot be looked for: pods is forbidden");
});

test("the namespace of --namespace is searched for the monitor where all namespaces are closed", async () => {
  const script = {
    ...MONITOR,
    "get-pods": `case $* in *all-namespaces*) ${FORBIDDEN} ;; esac; ${MONITOR["get-pods"]}`,
  };
  await csi(script, ["list", "node-1", "-n", "monitoring"]);
  expect(kubectl.callsOf("exec")).toHaveLength(1);
});

test.each([
  [["list", "node-1", "-ojson", "--driver", "a", "-w"], "list --driver=a -w --output=json --root=/host"],
  [["list", "node-1", "-o=wide", "--interval=9s"], "list --interval=9s --output=wide --root=/host"],
  [["inspect", "node-1", "/a/b.sock", "--node-info"], "inspect /a/b.sock --node-info --root=/host"],
  [["report", "node-1", "--redact=off"], "report --redact=off --root=/host"],
  [["list", "node/node-1"], "list --root=/host"],
])("%j runs livenessprobe %s", async (words, expected) => {
  await csi(MONITOR, words);
  expect(kubectl.callsOf("exec")[0]).toEndWith(`-- /usr/bin/livenessprobe ${expected}`);
});

test("kubectl's own flags are in every call, and --namespace, --image and --debug-pod shape the debug pod", async () => {
  const flags = ["--context=c", "--kubeconfig", "k", "-s", "https://x", "--as=me", "--insecure-skip-tls-verify"];
  const own = "--context=c --kubeconfig=k --server=https://x --as=me --insecure-skip-tls-verify";
  const words = ["list", "node-1", "--namespace", "debug", "--image", "IMAGE", "--debug-pod"];
  await csi({ ...DEBUG, ...MONITOR }, [...words, ...flags]);
  const calls = kubectl.calls();
  expect(
    calls.map((call) => call.replace("--request-timeout=30s ", "").replace(own, "OWN").split(" ", 3).join(" ")),
  ).toEqual(["OWN debug node/node-1", "OWN get pod", "OWN exec --namespace=debug", "OWN delete pod"]);
  expect(calls[0]).toContain("--namespace=debug --profile=sysadmin --image=IMAGE ");
});

test.each([
  ["--nope", "unknown flag --nope"],
  ["-x", "unknown flag -x"],
  ["--image", "--image needs a value"],
])("a last word %s is told as: %s", async (word, said) => {
  const { stderr } = await csi({}, ["list", "node-1", word]);
  expect(stderr).toBe(`kubectl csi: ${said}; kubectl csi --help says what it takes\n`);
});

test.each<readonly [readonly string[]]>([
  [["list", "../etc"]],
  [["list", "node-1;reboot"]],
  [["list", "$(reboot)"]],
  [["list", "Node"]],
  [["list", ""]],
  [["list", "node-1\n\u{1b}[31m"]],
  [["list", "a", "b"]],
  [["inspect", "node-1"]],
  [["inspect", "node-1", "a b"]],
  [["inspect", "node-1", "`reboot`"]],
  [["report"]],
  [["report", "node-1", "-o", "json"]],
  [["list", "--watch"]],
  [["list", "--debug-pod"]],
  [["list", "node-1", "--root=/"]],
  [["list", "node-1", "--timeout", "1h"]],
  [["list", "node-1", "--image"]],
  [["list", "node-1", "-o", "yaml"]],
  [["list", "--output=yaml"]],
  [["inspect", "node-1", "a", "-owide"]],
  [["lost"]],
])("%j is refused in one line, and nothing is asked", async (words) => {
  const { code, stdout, stderr } = await csi({}, words);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^kubectl csi: [ -~]+; kubectl csi --help says what it takes\n$/);
  expect(kubectl.calls()).toEqual([]);
});

test.each([
  [
    "not every driver could be seen",
    { items: [{ state: "ready" }], complete: false },
    "not every driver could be seen: see .drivers.notes",
  ],
  ["there is no driver", { items: [], complete: true }, "no driver was found: see .drivers.looked"],
])("report -o FILE says where %s", async (_, drivers, said) => {
  const exec = `cat <<'END'\n${renderDocument("Report", { drivers })}END`;
  const { stderr } = await csi({ ...MONITOR, exec }, ["report", "node-1", "-o", "r.json"]);
  expect(stderr).toBe(`kubectl csi: wrote r.json; ${said}\n`);
});

test("report -o FILE writes the file, and only where there is a report", async () => {
  const script = { ...MONITOR, exec: "echo '{}'; echo a note >&2" };
  expect(await csi(script, ["report", "node-1", "-o", "r.json"])).toEqual({
    code: 0,
    stdout: "",
    stderr: "a note\nkubectl csi: wrote r.json\n",
  });
  expect(readFileSync(join(kubectl.directory, "r.json"), "utf8")).toBe("{}\n");
  kubectl[Symbol.dispose]();
  expect((await csi({ ...MONITOR, exec: FORBIDDEN }, ["report", "node-1", "-o", "r.json"])).code).toBe(1);
  expect(readdirSync(kubectl.directory).filter((name) => name.startsWith("r.json"))).toEqual([]);
});

test("report -o FILE keeps the file that is there where livenessprobe writes no report", async () => {
  const refused = "echo --redact must be on or off >&2; echo command terminated with exit code 1 >&2; exit 1";
  const script = { ...MONITOR, exec: `echo kept >r.json; ${refused}` };
  expect(await csi(script, ["report", "node-1", "-o", "r.json", "--redact=maybe"])).toEqual({
    code: 1,
    stdout: "",
    stderr: "--redact must be on or off\n",
  });
  expect(readFileSync(join(kubectl.directory, "r.json"), "utf8")).toBe("kept\n");
});

test("report -o FILE fails where the connection ended before the report did", async () => {
  const { code, stderr } = await csi({ ...MONITOR, exec: `echo '{"a":'` }, ["report", "node-1", "-o", "r.json"]);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: "kubectl csi: the connection to node-1 ended before the report did; try again\n",
  });
  expect(readdirSync(kubectl.directory).filter((name) => name.startsWith("r.json"))).toEqual([]);
});

test("report -o FILE fails where the file cannot be put in its place", async () => {
  const { code, stderr } = await csi({ ...MONITOR, exec: "echo {}; rm r.json.*" }, [
    "report",
    "node-1",
    "-o",
    "r.json",
  ]);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/\nkubectl csi: r\.json cannot be written; name another file with -o\n$/),
  });
});

test.each([
  ["/nowhere/r.json", "/nowhere/r.json cannot be written"],
  ["/dev", "/dev is no regular file"],
])("report -o %s is refused", async (file, said) => {
  const { code, stderr } = await csi(MONITOR, ["report", "node-1", "-o", file]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`kubectl csi: ${said}; name another`) });
  expect(kubectl.callsOf("exec")).toEqual([]);
});

describe("list without a node", () => {
  test("with -o json is one document", async () => {
    const script = { ...CLUSTER, exec: `echo '{"items":[]}'; case $* in *csi-a*) ${FORBIDDEN} ;; esac` };
    const { stdout, stderr, code } = await csi(script, ["list", "-o", "json"]);
    expect(JSON.parse(stdout)).toEqual({
      nodes: [
        { node: "a", exitCode: 1 },
        { node: "b", exitCode: 0, list: { items: [] } },
      ],
    });
    expect(stderr).toBe(
      'kubectl csi: a: livenessprobe cannot be run: pods is forbidden: User "x" cannot create it; see which rights it needs in docs/debugging.md\n',
    );
    expect(code).toBe(4);
  });

  test.each([
    ["all are ready", "", 0],
    ["one has no driver", "case $* in *csi-a*) exit 2 ;; esac", 0],
    ["none has a driver", "exit 2", 2],
    ["one has a driver that is not ready", "case $* in *csi-a*) exit 4 ;; esac", 4],
    ["the program is killed on one", "case $* in *csi-a*) exit 137 ;; esac", 4],
  ])("where %s", async (_, exec, code) => {
    expect(
      (await csi({ ...CLUSTER, exec: `echo command terminated with exit code 9 >&2; ${exec}` }, ["list"])).code,
    ).toBe(code);
  });

  test("says which nodes it did not ask: those without a monitor, and those beyond the limit", async () => {
    const nodes = Array.from({ length: 20 }, (_, index) => `n${10 + index}`);
    const pods = nodes.slice(0, 15).map((name) => `echo ${name} m csi-${name} monitor /host`);
    const script = { "get-pods": pods.join("\n"), "get-nodes": nodes.map((name) => `echo node/${name}`).join("\n") };
    const { code, stderr } = await csi(script, ["list", "--max-nodes=12"]);
    expect(kubectl.callsOf("exec")).toHaveLength(12);
    expect(stderr).toContain("beyond --max-nodes=12: 8 nodes, such as n22 n23 n24 n25 n26\n");
    expect(code).toBe(4);
  });

  test("where no monitor runs, says what to do", async () => {
    const { code, stderr } = await csi({ "get-nodes": "echo node/a" }, ["list"]);
    expect(stderr).toBe(
      "kubectl csi: no pod of the monitor runs: name a node, or install the chart csi-node-monitor\n",
    );
    expect(code).toBe(1);
  });
});

test("a terminal gets a terminal, so that the table fits it", async () => {
  kubectl = scriptKubectl({ ...MONITOR, exec: 'test -t 0 && test -t 1 && echo "a terminal"' });
  const { output, code } = await startInPty([PLUGIN, "list", "node-1"], { columns: 80, env: kubectl.env }).ended;
  expect({ output, code }).toEqual({ output: "a terminal\n", code: 0 });
  expect(kubectl.callsOf("exec")[0]).toStartWith("exec -it ");
});

test("every flag of list, inspect and report is known", () => {
  const flags = [...Object.keys(LIST_ARGS), ...Object.keys(INSPECT_ARGS), ...Object.keys(REPORT_ARGS)].filter(
    (name) => !["root", "target", "version"].includes(name),
  );
  const text = readFileSync(PLUGIN, "utf8");
  expect(flags.filter((name) => !text.includes(`--${name}`))).toEqual([]);
});

test("version and image are those of the release and of the chart", async () => {
  const { stdout } = await csi({}, ["version"]);
  expect(stdout).toBe(`kubectl-csi ${packageJson.version}, image ${image()}\n`);
  expect((await csi({}, ["--version"])).stdout).toBe(stdout);
});

// With CI=true it is installed.
if (process.env["CI"] === "true") await needPrograms({ shellcheck: "shellcheck" });

test.if(usable("shell scripts", ["shellcheck", "--version"]))(
  "shellcheck finds nothing in any shell script",
  async () => {
    const { stdout } = await runToEnd(["git", "grep", "-lE", "^#!.*sh$"]);
    expect(await runToEnd(["shellcheck", ...stdout.trim().split("\n")])).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
  },
);

/** The chart's, whose tag is the version. */
function image(): string {
  const values = readFileSync(join(import.meta.dirname, "../../deploy/chart/csi-node-monitor/values.yaml"), "utf8");
  return `${/repository: (.+)/.exec(values)?.[1]}:${packageJson.version}`;
}

/** Debian's static busybox, whose sh runs busybox's own programs; elsewhere the one in PATH. */
async function busybox(): Promise<readonly string[]> {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  if (Bun.which("dpkg-deb") === null || (architecture !== "amd64" && architecture !== "arm64"))
    return ["busybox", "sh"];
  const { root } = await unpackDeb(readLock(), "busybox-static", architecture, unpacked.path);
  return [join(root, "bin/busybox"), "sh"];
}
