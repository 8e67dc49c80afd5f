import { describe, expect, test } from "bun:test";
import { prepareBaseline } from "../../bench/programs";
import { buildGoSidecar, usableProgram } from "../support/driver-builds";
import { startDriver } from "../support/drivers";
import { FAILING_CALLS, PYTHON } from "../support/failing-calls";
import { startSidecar } from "../support/sidecar";
import { freePort } from "../support/tcp-client";
import { waitUntil } from "../support/wait";
import { usable } from "../support/usable";
import { findQemu } from "./qemu";

// docs/platforms.md tells people to keep the Go sidecar where ours does not start: here it must start.
const qemu = await findQemu();
const { amd64 = "", arm64 = "" } = qemu ?? {};
const here = await prepareBaseline(process.env["PEER"]);
const forHere = here.kind === "there" ? here.program.path : "";
const forArm64 = usableProgram("the Go sidecar", await buildGoSidecar("arm64"))?.command.join(" ") ?? "";
const hasGo = forArm64 !== "";

const CLONE3 = "435";
const onX64 = usable("seccomp (the numbers are those of x86-64)", ["sh", "-c", 'test "$(uname -m)" = x86_64']);
const mayFilter = onX64 && usable("seccomp", [PYTHON, FAILING_CALLS, "EPERM", CLONE3, "/bin/true"]);

describe.if(hasGo && qemu !== undefined)("where ours does not start, the Go sidecar answers 200:", () => {
  test.each(["qemu64", "kvm64", "Penryn", "Nehalem,-sse4.1", "Nehalem,-sse4.2", "Nehalem,-popcnt"])(
    "the x86-64 CPU %s",
    async (model) => {
      expect(await statusOf(amd64, ["-cpu", model, forHere])).toBe(200);
    },
  );

  test.each([
    ["16 KiB", "16384"],
    ["64 KiB", "65536"],
  ])("arm64 with pages of %s", async (_, bytes) => {
    expect(await statusOf(arm64, ["-p", bytes, forArm64])).toBe(200);
  });

  test.if(mayFilter)("a seccomp profile that answers EPERM to clone3", async () => {
    expect(await statusOf(PYTHON, [FAILING_CALLS, "EPERM", CLONE3, forHere])).toBe(200);
  });
});

/**
 * What /healthz answers for a driver that is ready. The last word before the sidecar's own arguments is the sidecar.
 */
async function statusOf(executable: string, words: readonly string[]): Promise<number> {
  await using driver = await startDriver("grpc-js");
  const endpoint = `127.0.0.1:${await freePort()}`;
  // An emulated CPU is a slow one.
  const args = [`--http-endpoint=${endpoint}`, "--probe-timeout=60s", `--csi-address=${driver.socketPath}`];
  await using sidecar = await startSidecar([...words, ...args], {
    executable,
    listening: /\baddress="?(127\.0\.0\.1:\d+)/,
  });
  // It says so right before it listens.
  const answer = await waitUntil(() => sidecar.get("/healthz").catch(() => undefined), "the Go sidecar to listen");
  return answer.status;
}
