import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { needPrograms } from "../../scripts/tools/debian";
import { EXECUTABLE } from "../support/executable";
import { startAllowListDriver } from "../support/allow-list-driver";
import { type MadeNode, makeKubeletRoot, makeNode } from "../support/made-node";
import { PROBE_RESPONSE } from "../support/probe-messages";
import { runToEnd } from "../support/run-to-end";
import { usable } from "../support/usable";

const PLUGINS = "/var/lib/kubelet/plugins";
// A name of its own: a process of another test that listens on a socket of the same name could be the listener.
const RED = `${PLUGINS}/red.csi.example/red.sock`;
const PAGE = readFileSync(join(import.meta.dir, "../../docs/debugging.md"), "utf8");
/** The commands of the page that hand their output to jq. */
const RECIPES = [...PAGE.matchAll(/^livenessprobe .* \| jq .*$/gm)].map(([line]) => line);

if (process.env["CI"] === "true") await needPrograms({ jq: "jq" });
const hasJq = usable("the page's recipes for jq", ["jq", "--version"]);

describe.if(hasJq)("the recipes for jq in docs/debugging.md", () => {
  test("are three", () => {
    expect(RECIPES).toHaveLength(3);
  });

  test("say nothing and are true of a node whose drivers are ready", async () => {
    await using node = await nodeWith({ red: PROBE_RESPONSE.ready });
    expect(await cook(node)).toEqual([
      { code: 0, stdout: "", stderr: "" },
      { code: 0, stdout: "true\n", stderr: "" },
      { code: 0, stdout: "", stderr: "" },
    ]);
  });

  test("tell the driver that is not ready, and what failed", async () => {
    await using node = await nodeWith({ blue: PROBE_RESPONSE.ready });
    node.staleSocket(RED);
    const [list, all, inspect] = await cook(node);
    expect({ list, all }).toEqual({
      list: { code: 0, stdout: "red.csi.example\tnobody_listens\n", stderr: "" },
      all: { code: 1, stdout: "false\n", stderr: "" },
    });
    expect(inspect?.stderr).toBe("");
    expect(inspect?.stdout.split("\n")).toEqual([
      "listener",
      "nobody listens: the socket was left by a process that has ended",
      expect.stringMatching(/^kubectl get pods /),
      "connect",
      expect.stringMatching(/^nobody listens: /),
      expect.stringMatching(/^kubectl get pods /),
      "",
    ]);
  });

  test("are false of a node without drivers, which has none that is ready", async () => {
    await using node = await nodeWith({});
    const [all] = await cook(node, RECIPES.slice(1, 2));
    expect(all).toMatchObject({ code: 1, stdout: "false\n" });
    expect(all?.stderr).toStartWith("No CSI driver found");
  });
});

/** What each recipe comes to on a node. */
function cook(node: MadeNode, recipes = RECIPES) {
  const tool = 'livenessprobe() { "$EXECUTABLE" "$@" --root "$ROOT"; }';
  const env = { EXECUTABLE, ROOT: node.rootDir };
  return Promise.all(
    recipes.map(async (recipe) => {
      const { code, stdout, stderr } = await runToEnd(["sh", "-c", `${tool}\n${recipe}`], env);
      return { code, stdout, stderr };
    }),
  );
}

/** A node with a driver for each colour, which answers Probe as given. */
async function nodeWith(probes: Readonly<Record<string, Buffer>>): Promise<MadeNode> {
  const made = new AsyncDisposableStack();
  const node = made.use(makeNode());
  makeKubeletRoot(node);
  for (const [colour, bytes] of Object.entries(probes)) {
    node.directory(`${PLUGINS}/${colour}.csi.example`);
    const answers = { "/csi.v1.Identity/Probe": { kind: "message", bytes } } as const;
    const socketPath = node.outer(`${PLUGINS}/${colour}.csi.example/csi.sock`);
    // oxlint-disable-next-line no-await-in-loop -- there is one, or two
    made.use(await startAllowListDriver({ answers, socketPath }));
  }
  return { ...node, [Symbol.asyncDispose]: () => made.disposeAsync() };
}
