import { describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { createServer } from "node:http";
import { relative } from "node:path";
import { copyExecutable, EXECUTABLE } from "../support/executable";
import { availableDrivers, startDriver } from "../support/drivers";
import {
  countBy,
  kubeletNode,
  list,
  placeIn,
  PLUGINS,
  REGISTRY,
  startIn,
  startRegistrar,
} from "../support/listed-node";
import { type MadeNode, makeKubeletRoot, makeNode } from "../support/made-node";
import { MAX_ENTRIES } from "../../src/node/socket-search";
import { startBusyProcesses } from "../support/busy-processes";
import { startRecordingDriver } from "../support/recording-driver";
import { startRegistrationServer } from "../support/registration-server";
import { runSidecar } from "../support/sidecar";
import { NOBODY_UID } from "../support/socket-cases";
import { temporaryDirectory } from "../../scripts/temporary";

const isRoot = process.getuid?.() === 0;
const implementations = await availableDrivers();

test.each(implementations)(
  "a driver on %s is ready, with its name, version and capabilities",
  async (implementation) => {
    await using node = kubeletNode();
    await using drivers = new AsyncDisposableStack();
    drivers.use(await startIn(node, implementation, "ebs.csi.example"));
    const { code, rows } = await list(node);
    expect({ code, rows }).toMatchObject({
      code: 0,
      rows: [
        {
          socket: `${PLUGINS}/ebs.csi.example/csi.sock`,
          driver: "ebs.csi.example",
          state: "ready",
          announced: "no",
          vendorVersion: expect.any(String),
          connectMs: expect.any(Number),
          callMs: expect.any(Number),
          capabilities: {
            plugin: expect.arrayContaining(["VOLUME_EXPANSION_ONLINE"]),
            node: expect.any(Array),
            controller: expect.any(Array),
          },
        },
      ],
    });
  },
);

describe("a node in trouble", () => {
  test("is told whole: ready, hung, stale, silent, nested, renamed", async () => {
    await using node = kubeletNode();
    await using drivers = new AsyncDisposableStack();
    drivers.use(await startIn(node, "grpc-js", "ready.csi"));
    await using hung = await startIn(node, "grpc-js", "hung.csi");
    await hung.pause();
    await using renamed = await startIn(node, "grpc-js", "old.csi");
    drivers.use(await startIn(node, "grpc-js", "vendor/nested.csi"));
    node.rename(`${PLUGINS}/old.csi`, `${PLUGINS}/new.csi`);
    node.staleSocket(`${PLUGINS}/stale.csi/csi.sock`);
    await node.liveSocket(`${PLUGINS}/silent.csi/csi.sock`);
    await using dra = await startRegistrationServer({
      socketPath: node.outer(`${REGISTRY}/dra-reg.sock`),
      type: "DRAPlugin",
      name: "gpu.example",
      endpoint: `${PLUGINS}/silent.csi/csi.sock`,
    });
    const { code, rows } = await list(node, ["--probe-timeout=1s"]);
    expect(code).toBe(4);
    expect(
      Object.fromEntries(rows.map(({ socket, state, reason, what }) => [socket, reason ?? what ?? state])),
    ).toEqual({
      [`${PLUGINS}/ready.csi/csi.sock`]: "ready",
      [`${PLUGINS}/hung.csi/csi.sock`]: "hung",
      [`${PLUGINS}/new.csi/csi.sock`]: "ready",
      [`${PLUGINS}/vendor/nested.csi/csi.sock`]: "ready",
      [`${PLUGINS}/stale.csi/csi.sock`]: "nobody_listens",
      [`${PLUGINS}/silent.csi/csi.sock`]: "hung",
    });
    expect([renamed.name, dra.socketPath]).not.toBeEmpty();
  });

  test("30 drivers of which 5 hang take one timeout", async () => {
    await using node = kubeletNode();
    await using drivers = new AsyncDisposableStack();
    drivers.use(await startIn(node, "grpc-js", "ready.csi"));
    for (let at = 0; at < 24; at += 1) node.staleSocket(`${PLUGINS}/stale-${at}/csi.sock`);
    for (let at = 0; at < 5; at += 1) await node.liveSocket(`${PLUGINS}/hung-${at}/csi.sock`);
    const { code, rows } = await list(node, ["--probe-timeout=1s"]);
    expect(code).toBe(4);
    expect(countBy(rows)).toEqual({ ready: 1, nobody_listens: 24, hung: 5 });
  });
});

test("on a busy node every driver that answers is ready: /proc is read when all have been asked", async () => {
  await using node = kubeletNode();
  await using drivers = new AsyncDisposableStack();
  for (let at = 0; at < 15; at += 1) {
    const driver = drivers.use(await startRecordingDriver(`${at}.csi`));
    node.rename(relative(node.rootDir, driver.socketPath), `${PLUGINS}/${at}.csi/csi.sock`);
  }
  drivers.use(await startBusyProcesses(800, 120));
  const { code, rows } = await list(node, ["--probe-timeout=2s"]);
  expect({ code, counts: countBy(rows) }).toEqual({ code: 0, counts: { ready: 15 } });
});

describe("what is not CSI", () => {
  test("is a row, and does not count", async () => {
    await using node = kubeletNode();
    await using drivers = new AsyncDisposableStack();
    const other = drivers.use(await startIn(node, "grpc-js", "other"));
    await other.send("mode status 12 none");
    await other.send("info status 12 none");
    const web = createServer().listen(placeIn(node, "web"));
    drivers.defer(() => void web.close());
    const none = await list(node);
    expect(none.rows).toMatchObject([
      { state: "notCsi", what: "a gRPC server without csi.v1.Identity" },
      { state: "notCsi", what: expect.stringContaining("does not speak HTTP/2") },
    ]);
    expect(none.code).toBe(2);
    drivers.use(await startIn(node, "grpc-js", "a.csi"));
    expect(await list(node)).toMatchObject({ code: 0 });
  });
});

describe("a registration that contradicts a driver's own answers", () => {
  test.each([
    ["of another type, for a driver that hangs", "DevicePlugin", "hang", 4, { state: "failed", reason: "hung" }],
    ["of another type, for one that is ready", "DRAPlugin", "ready", 0, { state: "ready" }],
    ["of a CSI driver, for one that has no Identity", "CSIPlugin", "none", 4, { state: "failed", reason: "rpc_error" }],
    ["of another type, for one that has no Identity", "DRAPlugin", "none", 2, { state: "notCsi", what: "DRAPlugin" }],
  ] as const)("%s", async (_, type, mode, code, row) => {
    await using node = kubeletNode();
    await using drivers = new AsyncDisposableStack();
    const driver = drivers.use(await startIn(node, "grpc-js", "a.csi"));
    await driver.send(mode === "none" ? "mode status 12 none" : `mode ${mode}`);
    if (mode === "none") await driver.send("info status 12 none");
    await using registrar = await startRegistrar(node, { type, endpoint: `${PLUGINS}/a.csi/csi.sock` });
    const { code: exitCode, rows } = await list(node, ["--probe-timeout=1s"]);
    expect({ exitCode, rows }).toMatchObject({ exitCode: code, rows: [row] });
    expect(registrar.calls).toHaveLength(1);
  });
});

describe("a path that is registered and not connected to is a row with the registered name", () => {
  test.each([
    ["that is not there", `${PLUGINS}/b.csi/csi.sock`, { state: "failed", reason: "socket_missing" }],
    ["that is no socket", `${PLUGINS}/file`, { state: "failed", reason: "not_a_socket" }],
    ["in another directory", "/run/b.sock", { state: "notAsked", message: expect.stringContaining("lies outside of") }],
    ["that leads back to itself", `${PLUGINS}/loop`, { state: "notAsked", message: expect.stringContaining("links") }],
    ["that is relative", "b.sock", { state: "notAsked", message: expect.stringContaining("no absolute path") }],
    ["that is too long", `/${"b".repeat(107)}`, { state: "notAsked", message: expect.stringContaining("107 bytes") }],
  ])("%s", async (_, endpoint, row) => {
    await using node = kubeletNode();
    await using drivers = new AsyncDisposableStack();
    drivers.use(await startIn(node, "grpc-js", "a.csi"));
    node.file(`${PLUGINS}/file`);
    node.link(`${PLUGINS}/loop`, "loop");
    await node.liveSocket("/run/b.sock");
    drivers.use(await startRegistrar(node, { name: "b.csi", endpoint }));
    const { code, rows } = await list(node);
    expect({ code, row: rows.find(({ driver }) => driver === "b.csi") }).toMatchObject({
      code: 4,
      row: { socket: endpoint, nameSource: "registration", announced: "yes", ...row },
    });
  });
});

describe("exit code 0 is for a node that was seen whole", () => {
  test.each([
    ["regular files do not hide a driver", 0, "", (node: MadeNode) => node.file(`${PLUGINS}/a.csi/file`)],
    [
      "a directory that holds too much may",
      4,
      "was not looked at whole",
      (node: MadeNode) => {
        for (let at = 0; at <= MAX_ENTRIES; at += 1) node.link(`${PLUGINS}/full/${at}`, "gone");
      },
    ],
    [
      "a directory that lies too deep may",
      4,
      "directories deep",
      (node: MadeNode) => node.directory(`${PLUGINS}/1/2/3/4`),
    ],
  ] as const)("%s: exit code %i", async (_, code, note, make) => {
    await using node = kubeletNode();
    await using drivers = new AsyncDisposableStack();
    drivers.use(await startIn(node, "grpc-js", "a.csi"));
    make(node);
    expect(await list(node)).toMatchObject({
      code,
      rows: [{ state: "ready" }],
      stderr: expect.stringContaining(note),
    });
    expect(await list(node, ["--driver=a.csi"])).toMatchObject({ code: 0 });
  });

  test("a --kubelet-dir that is not there: exit code 4", async () => {
    await using node = kubeletNode();
    await using drivers = new AsyncDisposableStack();
    drivers.use(await startIn(node, "grpc-js", "a.csi"));
    const listed = await list(node, ["--kubelet-dir=/typo", "--kubelet-dir=/var/lib/kubelet"]);
    expect(listed).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("--kubelet-dir /typo: no such directory"),
    });
  });
});

describe("a driver is called", () => {
  test.each([
    ["what it tells itself", "ready", "registered.csi", { driver: "told.csi", nameSource: "driver" }],
    ["what is registered", "hang", "registered.csi", { driver: "registered.csi", nameSource: "registration" }],
    ["as its directory", "hang", undefined, { driver: "directory.csi", nameSource: "directory" }],
  ] as const)("%s", async (_, mode, registered, row) => {
    await using node = kubeletNode();
    await using drivers = new AsyncDisposableStack();
    const socketPath = placeIn(node, "directory.csi");
    drivers.use(await startDriver("grpc-js", { mode, name: "told.csi", socketPath }));
    if (registered !== undefined) {
      const endpoint = `${PLUGINS}/directory.csi/csi.sock`;
      drivers.use(await startRegistrar(node, { name: registered, endpoint }));
    }
    const { rows } = await list(node, ["--probe-timeout=1s"]);
    expect(rows).toMatchObject([row]);
    const names = [row.driver, "directory.csi"];
    const found = await Promise.all(names.map((name) => list(node, [`--driver=${name}`, "--probe-timeout=1s"])));
    expect(found.map((each) => each.rows)).toMatchObject([[row], [row]]);
  });

  test("and no other part of its path is its name", async () => {
    await using node = kubeletNode();
    node.staleSocket(`${PLUGINS}/a.csi/csi.sock`);
    expect(await list(node, ["--driver=var"])).toMatchObject({ code: 2, rows: [] });
  });
});

describe("announced", () => {
  test.each([
    ["by a registrar that names its socket", { endpoint: `${PLUGINS}/a.csi/csi.sock` }, "yes"],
    ["by a registrar that names it by another path", { endpoint: `${PLUGINS}/../plugins/a.csi/csi.sock` }, "yes"],
    ["by nobody: another is", { endpoint: `${PLUGINS}/b.csi/csi.sock` }, "no"],
  ])("%s", async (_, { endpoint }, announced) => {
    await using node = kubeletNode();
    await using drivers = new AsyncDisposableStack();
    drivers.use(await startIn(node, "grpc-js", "a.csi"));
    drivers.use(
      await startRegistrationServer({
        socketPath: node.outer(`${REGISTRY}/a-reg.sock`),
        name: "a.csi",
        endpoint,
      }),
    );
    const { rows } = await list(node);
    expect(rows.find(({ socket }) => socket === `${PLUGINS}/a.csi/csi.sock`)).toMatchObject({ announced });
  });

  test("is not known where a registrar does not answer", async () => {
    await using node = kubeletNode();
    await using drivers = new AsyncDisposableStack();
    drivers.use(await startIn(node, "grpc-js", "a.csi"));
    await node.liveSocket(`${REGISTRY}/a-reg.sock`);
    const { rows, stderr } = await list(node, ["--probe-timeout=300ms"]);
    expect(rows).toMatchObject([{ driver: "a.csi", announced: "unknown" }]);
    expect(stderr).toContain(`note: registration socket ${REGISTRY}/a-reg.sock did not answer`);
  });
});

describe("where it looks", () => {
  test("a kubelet directory that is an absolute link of the node's", async () => {
    await using node = makeNode();
    await using drivers = new AsyncDisposableStack();
    makeKubeletRoot(node, "/mnt/data/kubelet");
    node.link("/var/lib/kubelet", "/mnt/data/kubelet");
    drivers.use(await startIn(node, "grpc-js", "a.csi", "/mnt/data/kubelet/plugins"));
    expect(await list(node)).toMatchObject({
      code: 0,
      rows: [{ socket: `${PLUGINS}/a.csi/csi.sock`, state: "ready" }],
    });
  });

  test("the directories of --kubelet-dir alone, and each socket once", async () => {
    await using node = makeNode();
    await using drivers = new AsyncDisposableStack();
    makeKubeletRoot(node, "/opt/kubelet");
    makeKubeletRoot(node);
    node.link("/opt/same", "/opt/kubelet");
    drivers.use(await startIn(node, "grpc-js", "a.csi", "/opt/kubelet/plugins"));
    drivers.use(await startIn(node, "grpc-js", "b.csi"));
    const { rows } = await list(node, ["--kubelet-dir=/opt/kubelet", "--kubelet-dir", "/opt/same"]);
    expect(rows.map(({ socket }) => socket)).toEqual(["/opt/kubelet/plugins/a.csi/csi.sock"]);
  });

  test("nowhere: exit code 2, and it says where it looked", async () => {
    await using node = kubeletNode();
    const { code, rows, stderr } = await list(node);
    expect({ code, rows }).toEqual({ code: 2, rows: [] });
    expect(stderr).toStartWith("No CSI driver found. It looked in:\n  /var/lib/kubelet: 0 sockets\n");
  });

  test("--driver picks one", async () => {
    await using node = kubeletNode();
    await using drivers = new AsyncDisposableStack();
    drivers.use(await startIn(node, "grpc-js", "a.csi"));
    drivers.use(await startIn(node, "grpc-js", "b.csi"));
    expect(await list(node, ["--driver=b.csi"])).toMatchObject({ code: 0, rows: [{ driver: "b.csi" }] });
    const none = await list(node, ["--driver=c.csi"]);
    expect(none).toMatchObject({
      code: 2,
      rows: [],
      stderr: 'No driver called "c.csi" was found. There are: a.csi, b.csi\n',
    });
  });

  test("--driver picks one that cannot tell its name by its directory's", async () => {
    await using node = kubeletNode();
    node.staleSocket(`${PLUGINS}/a.csi/csi.sock`);
    node.staleSocket(`${PLUGINS}/b.csi/csi.sock`);
    const { code, rows } = await list(node, ["--driver=b.csi"]);
    expect({ code, sockets: rows.map(({ socket }) => socket) }).toEqual({
      code: 4,
      sockets: [`${PLUGINS}/b.csi/csi.sock`],
    });
  });
});

test.if(isRoot)("as another user than root, every row is denied, and it says what to run instead", async () => {
  await using node = kubeletNode();
  await using driver = await startIn(node, "grpc-js", "a.csi");
  chmodSync(driver.socketPath, 0o755);
  using directory = temporaryDirectory();
  const executable = copyExecutable(directory.path);
  const ran = await runSidecar(["list", "--root", node.rootDir], { executable, uid: NOBODY_UID });
  expect(ran.code).toBe(4);
  expect(ran.stdout).toContain("failed: permission_denied");
  expect(ran.stderr).toContain("kubectl debug node/");
});

test("the table has the same, without colours where it is no terminal", async () => {
  await using node = kubeletNode();
  await using drivers = new AsyncDisposableStack();
  drivers.use(await startIn(node, "grpc-js", "a.csi"));
  const { code, stdout, stderr } = await runSidecar(["list", "--root", node.rootDir]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "1 driver: 1 ready\n" });
  const [head = "", row = ""] = stdout.split("\n");
  expect(head).toMatch(/^DRIVER +VERSION +STATE +CONNECT +CALL +ANNOUNCED +POD +CONTAINER +SOCKET +MESSAGE$/);
  expect(row).toMatch(new RegExp(`^a\\.csi +\\S+ +ready +\\S+ +\\S+ +no +.* ${PLUGINS}/a.csi/csi.sock +-$`));
});

test("who is not ready comes first, with the state of its process, and a summary with the next command last", async () => {
  await using node = kubeletNode();
  await using drivers = new AsyncDisposableStack();
  drivers.use(await startIn(node, "grpc-js", "a.csi"));
  const slow = drivers.use(await startIn(node, "grpc-js", "b.csi"));
  await slow.send("mode slow 1200");
  await using stopped = await startIn(node, "grpc-js", "c.csi");
  await stopped.pause();
  const { code, stdout, stderr } = await runSidecar(["list", "--root", node.rootDir, "--probe-timeout=2s"]);
  expect(code).toBe(4);
  const rows = stdout
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(/ {3,}/));
  expect(rows.map(([name, , state]) => [name, state])).toEqual([
    ["c.csi*", "failed: hung, stopped (T)"],
    ["b.csi", "ready, slow"],
    ["a.csi", "ready"],
  ]);
  expect(rows[0]?.at(-1)).toContain("within 2s");
  expect(stderr).toEndWith(
    `3 drivers: 1 ready, 1 ready but slow, 1 failed; next: ${EXECUTABLE} inspect c.csi --root ${node.rootDir} --probe-timeout 2s\n`,
  );
});
