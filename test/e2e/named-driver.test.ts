import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, symlinkSync } from "node:fs";
import { startDriver } from "../support/drivers";
import { type MadeNode, makeKubeletRoot, makeNode } from "../support/made-node";
import { startRegistrationServer } from "../support/registration-server";
import { runSidecar } from "../support/sidecar";

// Processes start slowly on a busy machine.
setDefaultTimeout(60_000);

const PLUGINS = "/var/lib/kubelet/plugins";
const ONE = `${PLUGINS}/one/csi.sock`;
const OTHER = `${PLUGINS}/other/csi.sock`;

describe.each(["inspect", "check"])("%s finds a driver", (command) => {
  test.each([
    ["by what it tells itself", "told.csi"],
    ["by what is registered", "registered.csi"],
    ["by its directory", "one"],
  ])("%s", async (_, name) => {
    await using node = await nodeWithTwo();
    await using drivers = new AsyncDisposableStack();
    drivers.use(await startIn(node, ONE, "told.csi"));
    drivers.use(await register(node, { name: "registered.csi", endpoint: ONE }));
    const ran = await run(command, name, node);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.stdout).toContain(ONE);
  });

  test.each([
    ["that several drivers tell", "told.csi"],
    ["that one driver tells, of another's directory", "other"],
  ])("and guesses none by a name %s", async (_, name) => {
    await using node = await nodeWithTwo();
    await using drivers = new AsyncDisposableStack();
    drivers.use(await startIn(node, ONE, name));
    drivers.use(await startIn(node, OTHER, "told.csi"));
    expect(await run(command, name, node)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(new RegExp(`^there are 2 drivers "${name}": name a socket, .* or .*\n$`)),
    });
  });

  test.each(["var", "plugins", "csi.sock", "nobody.csi"])("and none by the name %s", async (name) => {
    await using node = await nodeWithTwo();
    expect(await run(command, name, node)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `there is no driver "${name}" here: livenessprobe list shows those there are\n`,
    });
  });
});

test("a driver whose directory is called so is not asked for its name: it may hang", async () => {
  await using node = await nodeWithTwo();
  await using driver = await startIn(node, ONE, "told.csi", "hang");
  expect(await run("check", "one", node)).toMatchObject({ code: 3 });
  expect(driver.events.filter(({ event }) => event === "rpc")).toMatchObject([{ method: "/csi.v1.Identity/Probe" }]);
});

test.each(["inspect", "check"])(
  "%s connects to no path that is registered outside of the kubelet's directory",
  async (command) => {
    await using node = await nodeWithTwo();
    await node.liveSocket("/run/a.sock");
    await using registrar = await register(node, { name: "a.csi", endpoint: "/run/a.sock" });
    expect(await run(command, "a.csi", node)).toMatchObject({
      code: 1,
      stdout: "",
      stderr:
        'driver "a.csi" is registered with /run/a.sock, which is not to be connected to: livenessprobe list says why\n',
    });
    expect(registrar.calls).toHaveLength(1);
  },
);

test("check follows no link that takes the socket's place while names are asked for", async () => {
  await using node = await nodeWithTwo();
  await node.liveSocket(ONE);
  await using outside = await startDriver("grpc-js");
  const swap = (): void => {
    rmSync(node.outer(ONE));
    symlinkSync(outside.socketPath, node.outer(ONE));
  };
  await using registrar = await register(node, { endpoint: "/nowhere", onCall: swap });
  expect(await run("check", "one", node)).toMatchObject({ code: 2, stdout: expect.stringContaining("no such file") });
  expect(registrar.calls).toHaveLength(1);
  expect(outside.events.filter(({ event }) => event === "rpc")).toEqual([]);
});

test("inspect follows no such link out of the kubelet's directory", async () => {
  await using node = await nodeWithTwo();
  await node.liveSocket(ONE);
  node.directory("/secret");
  await using outside = await startIn(node, "/secret/root.sock", "secret.csi");
  const swap = (): void => {
    rmSync(node.outer(ONE));
    symlinkSync("/secret/root.sock", node.outer(ONE));
  };
  await using _ = await register(node, { endpoint: "/nowhere", onCall: swap });
  expect(await run("inspect", "one", node)).toMatchObject({
    code: 2,
    stdout: expect.stringContaining("/secret/root.sock, which lies outside of the kubelet's directory"),
  });
  expect(outside.events.filter(({ event }) => event === "rpc")).toEqual([]);
});

async function nodeWithTwo(): Promise<MadeNode> {
  const node = makeNode();
  makeKubeletRoot(node);
  for (const name of ["one", "other"]) node.directory(`${PLUGINS}/${name}`);
  return node;
}

function startIn(node: MadeNode, path: string, name: string, mode: "ready" | "hang" = "ready") {
  return startDriver("grpc-js", { name, mode, socketPath: node.outer(path) });
}

function register(node: MadeNode, options: Parameters<typeof startRegistrationServer>[0]) {
  const socketPath = node.outer("/var/lib/kubelet/plugins_registry/reg.sock");
  return startRegistrationServer({ ...options, socketPath });
}

function run(command: string, name: string, node: MadeNode) {
  return runSidecar([command, name, "--root", node.rootDir, "--probe-timeout=2s"]);
}
