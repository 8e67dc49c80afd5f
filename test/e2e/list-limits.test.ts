import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync } from "node:fs";
import { startAllowListDriver } from "../support/allow-list-driver";
import { behindShell, copyExecutable, EXECUTABLE } from "../support/executable";
import { countBy, kubeletNode, list, PLUGINS, REGISTRY, startIn, startRegistrar } from "../support/listed-node";
import type { MadeNode } from "../support/made-node";
import { startRegistrationServer } from "../support/registration-server";
import { runSidecar } from "../support/sidecar";
import { NOBODY_UID } from "../support/socket-cases";
import { temporaryDirectory } from "../../scripts/temporary";
import { waitUntil } from "../support/wait";

// Processes start slowly on a busy machine.
setDefaultTimeout(60_000);

const isRoot = process.getuid?.() === 0;
/** In the kubelet's directory, and no socket is looked for there: it is known by its registration alone. */
const ELSEWHERE = "/var/lib/kubelet/elsewhere.sock";

test("with few file descriptors, drivers wait for their turn, and none is called something that it is not", async () => {
  await using node = kubeletNode();
  await using drivers = new AsyncDisposableStack();
  drivers.use(await startIn(node, "grpc-js", "zzz.csi"));
  for (let at = 0; at < 100; at += 1) await node.liveSocket(`${PLUGINS}/hung-${at}.csi/csi.sock`);
  const { code, rows } = await list(node, ["--probe-timeout=500ms"], "ulimit -n 128");
  expect({ code, counts: countBy(rows) }).toEqual({ code: 4, counts: { hung: 100, ready: 1 } });
  node.rename(`${PLUGINS}/zzz.csi`, `${PLUGINS}/directory.csi`);
  const words = ["check", "zzz.csi", "--root", node.rootDir, "--probe-timeout=500ms"];
  expect(await runSidecar(...behindShell("ulimit -n 128", words))).toMatchObject({ code: 0, stderr: "" });
});

describe("a driver that only its registration names", () => {
  test("is asked while another registrar hangs", async () => {
    await using node = kubeletNode();
    await using servers = new AsyncDisposableStack();
    const driver = servers.use(await startAllowListDriver({ socketPath: node.outer(ELSEWHERE) }));
    servers.use(await startRegistrar(node, { endpoint: ELSEWHERE }));
    const hanging = { socketPath: node.outer(`${REGISTRY}/z-reg.sock`), failure: "hang" } as const;
    servers.use(await startRegistrationServer(hanging));
    const words = [EXECUTABLE, "list", "--root", node.rootDir, "--probe-timeout=10m"];
    const child = Bun.spawn(words, { env: {}, stdout: "ignore", stderr: "ignore" });
    servers.defer(() => child.kill("SIGKILL"));
    await waitUntil(() => driver.calls.some(({ method }) => method.endsWith("/Probe")), "the probe");
    expect(child.exitCode).toBeNull();
  });

  test("is not called hung where its registrar left it less than the timeout", async () => {
    await using node = kubeletNode();
    await node.liveSocket(ELSEWHERE);
    await using _ = await startRegistrar(node, { name: "late.csi", endpoint: ELSEWHERE, delayMs: 2_000 });
    const { code, rows } = await list(node, ["--probe-timeout=4s"]);
    expect({ code, rows }).toMatchObject({
      code: 4,
      rows: [{ driver: "late.csi", state: "notAsked", message: expect.stringContaining("registration socket") }],
    });
  });
});

describe("notes", () => {
  test("are one for each driver and kind, with the count", async () => {
    await using node = kubeletNode();
    for (let at = 0; at < 30; at += 1) {
      node.link(`${PLUGINS}/a.csi/${at}.sock`, "/run/secret.sock");
      node.link(`${PLUGINS}/a.csi/${at}`, "/run");
      node.staleSocket(`${PLUGINS}/b.csi/1/2/${at}/3/csi.sock`);
    }
    node.staleSocket("/run/secret.sock");
    const { code, stderr } = await list(node);
    expect(code).toBe(4);
    expect(stderr.split("\n").filter((line) => line.startsWith("note: "))).toEqual([
      `note: ${PLUGINS}/a.csi/0 was not looked into: it is a link to a directory elsewhere; the same holds for 29 more in ${PLUGINS}/a.csi`,
      `note: ${PLUGINS}/a.csi/0.sock was not asked: it is a link out of the kubelet's directory, to /run/secret.sock; the same holds for 29 more in ${PLUGINS}/a.csi`,
      `note: ${PLUGINS}/b.csi/1/2/0 was not looked into: it lies more than 4 directories deep; the same holds for 29 more in ${PLUGINS}/b.csi`,
    ]);
  });

  test("tell a directory whose driver has no socket, and change no exit code", async () => {
    await using node = kubeletNode();
    await using driver = await startIn(node, "grpc-js", "a.csi");
    node.directory(`${PLUGINS}/stopped.csi`);
    const { code, rows, stderr } = await list(node);
    expect({ code, rows }).toMatchObject({ code: 0, rows: [{ driver: driver.name }] });
    expect(stderr).toBe(
      `note: no socket in ${PLUGINS}/stopped.csi: the driver is stopped, or was uninstalled (kubectl get csidriver lists those that are installed)\n`,
    );
  });

  test("tell it of the one driver that was asked for, and list no others", async () => {
    await using node = kubeletNode();
    await using _ = await startIn(node, "grpc-js", "a.csi");
    node.directory(`${PLUGINS}/stopped.csi`);
    const { code, stderr } = await list(node, ["--driver=stopped.csi"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("note: no socket in") });
    expect(stderr).not.toContain("There are:");
  });

  test("do not where its registration says so already", async () => {
    await using node = kubeletNode();
    node.directory(`${PLUGINS}/stopped.csi`);
    await using _ = await startRegistrar(node, { endpoint: `${PLUGINS}/stopped.csi/csi.sock` });
    const { code, rows, stderr } = await list(node);
    expect({ code, rows }).toMatchObject({ code: 4, rows: [{ state: "failed", reason: "socket_missing" }] });
    expect(stderr).not.toContain("no socket in");
  });
});

test.if(isRoot).each([
  ["plugins/", PLUGINS, PLUGINS],
  ["the kubelet's directory", "/var/lib/kubelet", `${PLUGINS}`],
  ["a directory above", "/var/lib", "/var/lib/kubelet"],
])(
  "where %s is closed to another user than root, it says so first, and not that there is no driver",
  async (...[, closed, denied]) => {
    await using node = kubeletNode();
    await using _ = await startIn(node, "grpc-js", "a.csi");
    const ran = await listAsNobody(node, closed);
    expect({ code: ran.code, stderr: ran.stderr }).toMatchObject({ code: 4 });
    expect(ran.stdout).toBe("");
    expect(ran.stderr).toStartWith(`Not permitted: uid ${NOBODY_UID} may not look into `);
    expect(ran.stderr).toContain(denied);
    expect(ran.stderr).toContain("\n  kubectl debug node/");
    expect(ran.stderr).not.toContain("No CSI driver");
  },
);

async function listAsNobody(node: MadeNode, closed: string) {
  using directory = temporaryDirectory();
  copyExecutable(directory.path);
  chmodSync(node.rootDir, 0o755);
  chmodSync(node.outer(closed), 0o700);
  const options = { executable: "./livenessprobe", cwd: directory.path, uid: NOBODY_UID };
  return await runSidecar(["list", "--root", node.rootDir], options);
}
