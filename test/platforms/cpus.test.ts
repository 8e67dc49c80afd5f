import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { BUILT_DIRECTORY } from "../../scripts/image/oci/built";
import { imageOf } from "../../scripts/image/oci/layout";
import { temporaryDirectory } from "../../scripts/temporary";
import { openVariant } from "../support/built-images";
import { startDriver } from "../support/drivers";
import { EXECUTABLE } from "../support/executable";
import { writeRootfs } from "../support/rootfs";
import { startSidecar } from "../support/sidecar";
import { usable } from "../support/usable";
import { emulate, findQemu } from "./qemu";

const qemu = await findQemu();
const { amd64 = "", arm64 = "" } = qemu ?? {};

// An emulated CPU is a slow one.
const SLOW = "--probe-timeout=60s";
const check = (socketPath: string) => ["check", SLOW, socketPath];

describe.if(qemu !== undefined)("on an x86-64 CPU", () => {
  test.each(["Nehalem", "Westmere", "SandyBridge", "Haswell", "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt"])(
    "as %s: it probes a driver",
    async (model) => {
      await using driver = await startDriver("grpc-js");
      const { stdout, code } = await emulate(amd64, ["-cpu", model, EXECUTABLE, ...check(driver.socketPath)]);
      expect([stdout, code]).toEqual([expect.stringMatching(/^ready: /), 0]);
    },
  );

  test("as Nehalem, the oldest: /healthz answers 200", async () => {
    await using driver = await startDriver("grpc-js");
    const args = ["--http-endpoint=127.0.0.1:0", SLOW, "--csi-address", driver.socketPath];
    await using sidecar = await startSidecar(["-cpu", "Nehalem", EXECUTABLE, ...args], { executable: amd64 });
    expect((await sidecar.get("/healthz")).status).toBe(200);
  });

  test.each([
    ["qemu64, x86-64-v1", "qemu64"],
    ["kvm64, x86-64-v1", "kvm64"],
    ["Penryn, without SSE4.2 and POPCNT", "Penryn"],
    ["Nehalem without SSE4.1", "Nehalem,-sse4.1"],
    ["Nehalem without POPCNT", "Nehalem,-popcnt"],
  ])("as %s: it ends with SIGILL and says nothing", async (_, model) => {
    const { stdout, stderr, signal } = await emulate(amd64, ["-cpu", model, EXECUTABLE]);
    const emulators = "qemu: uncaught target signal 4 (Illegal instruction) - core dumped\n";
    expect([stdout, stderr, signal]).toEqual(["", emulators, "SIGILL"]);
  });

  test("as Nehalem without SSE4.2 alone: it names the feature, and exits with 134", async () => {
    const { stderr, code } = await emulate(amd64, ["-cpu", "Nehalem,-sse4.2", EXECUTABLE]);
    expect([stderr, code]).toEqual([expect.stringContaining("this CPU is missing SSE4.2 support"), 134]);
  });
});

const built = usable("arm64 (bun run image first)", ["test", "-e", join(BUILT_DIRECTORY, "digests.json")]);
const root = temporaryDirectory();
if (built) writeRootfs(imageOf(openVariant("livenessprobe"), "arm64"), root.path);
afterAll(() => root[Symbol.dispose]());

const inImage = (path: string) => join(root.path, path);
const withPages = (bytes: number, ...command: readonly string[]) =>
  emulate(arm64, ["-p", String(bytes), "-L", root.path, ...command]);

describe.if(qemu !== undefined && built)("the image for arm64", () => {
  test("with pages of 4 KiB: it probes a driver", async () => {
    await using driver = await startDriver("grpc-js");
    const { stdout, code } = await withPages(4_096, inImage("usr/bin/livenessprobe"), ...check(driver.socketPath));
    expect([stdout, code]).toEqual([expect.stringMatching(/^ready: /), 0]);
  });

  test.each([
    ["16 KiB", 16_384],
    ["64 KiB", 65_536],
  ])("with pages of %s: it aborts, where another program of the image runs", async (_, bytes) => {
    const other = await withPages(bytes, inImage("lib/ld-linux-aarch64.so.1"), "--version");
    expect([other.code, other.stdout]).toEqual([0, expect.stringContaining("stable release")]);
    const { stdout, stderr, signal } = await withPages(bytes, inImage("usr/bin/livenessprobe"));
    expect([stdout, stderr, signal]).toEqual(["", expect.stringContaining("abort() called"), "SIGABRT"]);
  });
});
