import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { dirname, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { needPrograms } from "../../scripts/tools/debian";
import { layoutPath, openVariant } from "../support/built-images";
import { ON_HOST_NETWORK, type Podman, startPodman } from "../support/containers";
import { type RunningDriver, availableDrivers, startDriver } from "../support/drivers";
import { imageOf } from "../../scripts/image/oci/layout";
import { writeRootfs } from "../support/rootfs";
import { startSidecar } from "../support/sidecar";
import { temporaryDirectory } from "../../scripts/temporary";

const EXECUTABLE = "/usr/bin/livenessprobe";
/** What a stopping sidecar may take; SIGKILL comes then, and exit code 137 of it. */
const STOP_SECONDS = 2;
const SETUP_BOUND_MS = 300_000;

// Nearly every CSI driver is one of grpc-go's.
const [implementation = "grpc-js"] = await availableDrivers();

let podman: Podman;
beforeAll(async () => {
  podman = await startPodman();
}, SETUP_BOUND_MS);
afterAll(async () => podman[Symbol.asyncDispose]());

describe.each(["livenessprobe", "livenessprobe-nonroot"] as const)("%s", (variant) => {
  const { annotations } = openVariant(variant);
  let image: string;
  beforeAll(async () => {
    image = await podman.load(layoutPath(variant));
  }, SETUP_BOUND_MS);

  test.each([EXECUTABLE, "/livenessprobe"])("tells its version and commit as %s", async (path) => {
    const options = path === EXECUTABLE ? [] : [`--entrypoint=${path}`];
    const { code, stdout } = await podman.run(options, image, ["--version"]);
    const commit = annotations["org.opencontainers.image.revision"] ?? "";
    expect(stdout).toStartWith(`livenessprobe ${packageJson.version} (commit ${commit}, Bun `);
    expect(code).toBe(0);
  });

  test("runs as an arbitrary user, and says 200 where the socket allows it", async () => {
    await using driver = await startDriver(implementation);
    chmodSync(driver.socketPath, 0o666);
    await using container = await podman.start(
      [
        ON_HOST_NETWORK,
        "--user=12345:12345",
        "--cap-drop=ALL",
        "--read-only",
        `--volume=${dirname(driver.socketPath)}:/csi`,
      ],
      image,
      ["--health-port=0", "--csi-address=/csi/csi.sock"],
    );
    const answer = await fetch(`${container.url}/healthz`);
    expect([answer.status, await answer.text()]).toEqual([200, "ok"]);
  });

  test(`ends with 0 on the stop signal, before SIGKILL comes after ${STOP_SECONDS} s`, async () => {
    await using container = await podman.start([ON_HOST_NETWORK], image, ["--health-port=0"]);
    expect(await container.stop(STOP_SECONDS)).toBe(0);
  });

  test("has no shell and no package manager to exec", async () => {
    await using container = await podman.start([ON_HOST_NETWORK], image, ["--health-port=0"]);
    const commands = ["sh", "/bin/sh", "busybox", "apk"];
    const ended = await Promise.all(commands.map((command) => container.exec([command, "-c", "echo in"])));
    // 127 is "not found" (podman-exec(1)).
    expect(ended.map(({ code, stdout }) => ({ code, stdout }))).toEqual(
      commands.map(() => ({ code: 127, stdout: "" })),
    );
  });

  test("finds localhost without a network and without a hosts file", async () => {
    const options = ["--network=none", "--no-hosts"];
    await using container = await podman.start(options, image, ["--http-endpoint=localhost:9808"]);
    expect(container.address).toMatch(/^(127\.0\.0\.1|\[::1\]):9808$/);
  });
});

describe("livenessprobe-dev", () => {
  let image: string;
  beforeAll(async () => {
    image = await podman.load(layoutPath("livenessprobe-dev"));
  }, SETUP_BOUND_MS);

  test("has a shell to exec, and what a person looks at a socket with", async () => {
    await using driver: RunningDriver = await startDriver(implementation);
    await using container = await podman.start(
      [ON_HOST_NETWORK, `--volume=${dirname(driver.socketPath)}:/csi`],
      image,
      ["--health-port=0", "--csi-address=/csi/csi.sock"],
    );
    const { stdout } = await container.exec([
      "sh",
      "-c",
      "stat -c '%A %u' /csi/csi.sock && ps | grep -c livenessprobe",
    ]);
    expect(stdout).toMatch(/^srwxr-xr-x 0\n[1-9]\n$/);
  });

  test("has no link to an applet that its busybox is without", async () => {
    const listed = await podman.run(["--entrypoint=/usr/lib/busybox/busybox"], image, ["--list"]);
    const links = [...imageOf(openVariant("livenessprobe-dev"), "amd64").files().values()].flatMap((file) =>
      file.type === "symlink" && file.target.endsWith("/busybox") ? [file.path.replace("/usr/bin/", "")] : [],
    );
    expect(links).not.toEqual([]);
    const applets = listed.stdout.trim().split("\n");
    expect(links.filter((name) => !applets.includes(name))).toEqual([]);
  });
});

test("arm64's executable answers /healthz with arm64's libraries and nothing of this machine's", async () => {
  await needPrograms({ "qemu-aarch64-static": "qemu-user-static" });
  const image = imageOf(openVariant("livenessprobe"), "arm64");
  using rootfs = temporaryDirectory();
  writeRootfs(image, rootfs.path);
  const env = Object.fromEntries((image.config.config.Env ?? []).map((line) => line.split(/=(.*)/s).slice(0, 2)));
  await using driver = await startDriver(implementation);
  await using sidecar = await startSidecar(
    ["-L", rootfs.path, join(rootfs.path, EXECUTABLE), "--health-port=0", `--csi-address=${driver.socketPath}`],
    { executable: Bun.which("qemu-aarch64-static") ?? "", env },
  );
  const answer = await sidecar.get("/healthz");
  expect([answer.status, await answer.text()]).toEqual([200, "ok"]);
});
