import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, symlinkSync } from "node:fs";
import { startDriver } from "../support/drivers";
import { EXECUTABLE } from "../support/executable";
import { type MadeNode, makeKubeletRoot, makeNode } from "../support/made-node";
import { startRegistrationServer } from "../support/registration-server";
import { runSidecar } from "../support/sidecar";

// Processes start slowly on a busy machine.
setDefaultTimeout(60_000);

const PLUGINS = "/var/lib/kubelet/plugins";
const ONE = `${PLUGINS}/one/csi.sock`;
const OTHER = `${PLUGINS}/other/csi.sock`;

test("a driver that has removed its socket is looked for among the pods", async () => {
  await using node = await nodeWithTwo();
  const { stdout } = await run("inspect", "one", node);
  expect(stdout).toContain("to do: see why the driver is not running:\n");
  expect(stdout).toContain("kubectl get pods -A -o wide --field-selector spec.nodeName=NODE\n");
});

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

  test.each(["var", "plugins", "nobody.csi"])("and none by the name %s", async (name) => {
    await using node = await nodeWithTwo();
    expect(await run(command, name, node)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `there is no driver "${name}" here; to see those there are: ${EXECUTABLE} list --root ${node.rootDir} --probe-timeout 2s\n`,
    });
  });

  test("that has removed its socket by its directory: exit code 2", async () => {
    await using node = await nodeWithTwo();
    const ran = await run(command, "one", node);
    expect(ran).toMatchObject({ code: 2, stderr: "" });
    expect(ran.stdout).toContain(`${ONE} does not exist`);
  });

  test("that has removed its socket by its registration: exit code 2", async () => {
    await using node = await nodeWithTwo();
    await using _ = await register(node, { name: "a.csi", endpoint: OTHER });
    const ran = await run(command, "a.csi", node);
    expect(ran).toMatchObject({ code: 2, stderr: "" });
    expect(ran.stdout).toContain(`${OTHER} does not exist`);
  });

  test("but says of none that it has stopped where its directory was not looked into", async () => {
    await using node = await nodeWithTwo();
    node.directory("/elsewhere");
    node.link(`${PLUGINS}/linked.csi`, "/elsewhere");
    const stderr = `driver "linked.csi" was not looked for everywhere: ${PLUGINS}/linked.csi was not looked into: it is a link to a directory elsewhere\n`;
    expect(await run(command, "linked.csi", node)).toMatchObject({ code: 1, stdout: "", stderr });
  });

  test.each(["..", "."])("but none by the name %s", async (name) => {
    await using node = await nodeWithTwo();
    expect(await run(command, name, node)).toMatchObject({ code: 1, stdout: "" });
  });

  test.each(["-rf", "--root=/", "/elsewhere.sock"])(
    "and does not offer %s, which is registered for it",
    async (path) => {
      await using node = await nodeWithTwo();
      await using drivers = new AsyncDisposableStack();
      drivers.use(await startIn(node, ONE, "told.csi"));
      drivers.use(await register(node, { name: "told.csi", endpoint: path }));
      const stderr = `there are 2 drivers "told.csi": name a socket, ${ONE}; not ${JSON.stringify(path)}, which is registered for it and not to be connected to\n`;
      expect(await run(command, "told.csi", node)).toMatchObject({ code: 1, stdout: "", stderr });
    },
  );
});

test.each([ONE, `${PLUGINS}/one/another.sock`])(
  "check --wait waits for a driver that makes its socket again: %s",
  async (path) => {
    await using node = await nodeWithTwo();
    await using drivers = new AsyncDisposableStack();
    const asked = Promise.withResolvers<void>();
    drivers.use(await register(node, { name: "another.csi", endpoint: "/nowhere", onCall: asked.resolve }));
    const running = runSidecar(["check", "one", "--root", node.rootDir, "--wait=60s"]);
    await asked.promise;
    drivers.use(await startIn(node, path, "told.csi"));
    expect(await running).toMatchObject({ code: 0, stdout: expect.stringContaining(`ready: ${path} `) });
  },
);

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
        'driver "a.csi" is not to be connected to: its registration names /run/a.sock, which lies outside of the kubelet\'s directory\n',
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
