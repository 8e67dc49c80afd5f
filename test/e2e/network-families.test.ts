import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXECUTABLE, behindShell } from "../support/executable";
import { FAILING_CALLS, PYTHON } from "../support/failing-calls";
import { startSidecar } from "../support/sidecar";
import { temporaryDirectory } from "../../scripts/temporary";
import { usable } from "../support/usable";

const EVERY_ADDRESS = ["--health-port=0", "--http-endpoint=:0", "--http-endpoint=0.0.0.0:0", "--http-endpoint=[::]:0"];

// socket(AF_INET6), as a kernel without IPv6 answers it.
const WITHOUT_IPV6 = [FAILING_CALLS, "EAFNOSUPPORT", `${process.arch === "x64" ? 41 : 198}:10`];
const mayFilter = usable("a kernel without IPv6", [PYTHON, ...WITHOUT_IPV6, "/bin/true"]);

describe.concurrent.if(mayFilter)("where the kernel has no IPv6, every address is those of IPv4", () => {
  test.each(EVERY_ADDRESS)("%s", async (flag) => {
    await using sidecar = await startSidecar([...WITHOUT_IPV6, EXECUTABLE, flag], { executable: PYTHON });
    expect(sidecar.logLines.join("\n")).toContain('address="0.0.0.0:');
    expect((await sidecar.get("/")).status).toBe(404);
  });
});

const SWITCH_OFF = "echo 1 | tee /proc/sys/net/ipv6/conf/all/disable_ipv6 /proc/sys/net/ipv6/conf/lo/disable_ipv6";
const NETWORK = `ip link set lo up && ${SWITCH_OFF} > /dev/null`;
const mayUnshare = usable("IPv6 that is switched off", ["unshare", "-n", "sh", "-c", NETWORK]);

describe.concurrent.if(mayUnshare)("where IPv6 is switched off, every address is reached over IPv4", () => {
  test.each(EVERY_ADDRESS)("%s", async (flag) => {
    const args = ["-n", "sh", "-c", `${NETWORK}; exec "$0" "$@"`, EXECUTABLE, flag];
    await using sidecar = await startSidecar(args, { executable: "unshare" });
    expect(statusInNetworkOf(sidecar.pid, `${sidecar.url}/`)).toBe("404");
  });
});

/** Asks from the network namespace of another process: this one's network has no way there. */
function statusInNetworkOf(pid: number, url: string): string {
  const ask = `process.stdout.write(String((await fetch("${url}")).status))`;
  const inside = ["nsenter", "-t", String(pid), "-n", process.execPath, "-e", ask];
  return Bun.spawnSync(inside).stdout.toString();
}

const mayMount = usable("another /etc/hosts", ["unshare", "-m", "mount", "--bind", "/etc/hosts", "/etc/hosts"]);

describe.concurrent.if(mayMount)("localhost is 127.0.0.1, as in Go, whatever /etc/hosts has first", () => {
  test.each([
    ["::1", "::1 localhost\n127.0.0.1 localhost\n"],
    ["127.0.0.1", "127.0.0.1 localhost\n::1 localhost\n"],
  ])("%s", async (_, hosts) => {
    using directory = temporaryDirectory();
    const file = join(directory.path, "hosts");
    writeFileSync(file, hosts);
    const [args] = behindShell(`mount --bind ${file} /etc/hosts`, ["--http-endpoint=localhost:0"]);
    await using sidecar = await startSidecar(["-m", "/bin/sh", ...args], { executable: "unshare" });
    expect((await fetch(`http://127.0.0.1:${new URL(sidecar.url).port}/`)).status).toBe(404);
  });
});
