import { describe, expect, test } from "bun:test";
import { startDriver } from "../support/drivers";
import { EXECUTABLE } from "../support/executable";
import { FAILING_CALLS, PYTHON } from "../support/failing-calls";
import { runSidecar, startSidecar } from "../support/sidecar";
import { usable } from "../support/usable";

const ON_X64 = "the numbers are those of x86-64";
const onX64 = usable(`kernels (${ON_X64})`, ["sh", "-c", 'test "$(uname -m)" = x86_64']);
const mayFilter = onX64 && usable("kernels", [PYTHON, FAILING_CALLS, "ENOSYS", "424-", "/bin/true"]);

// How a kernel answers a system call that it does not know, and the first one that it does not know.
describe.concurrent.if(mayFilter)("with the system calls of a kernel, /healthz answers 200", () => {
  test.each([
    ["5.0, without io_uring, pidfd_open and clone3", "424-"],
    ["4.17, without io_pgetevents and rseq", "333-"],
    ["4.10, without statx", "332-"],
    ["3.16, without seccomp, getrandom and memfd_create", "317-"],
    ["3.13, without sched_setattr and renameat2", "314-"],
  ])("Linux %s", async (_, calls) => {
    await using driver = await startDriver("grpc-js");
    const args = ["--http-endpoint=127.0.0.1:0", "--csi-address", driver.socketPath];
    const behind = [FAILING_CALLS, "ENOSYS", calls, EXECUTABLE, ...args];
    await using sidecar = await startSidecar(behind, { executable: PYTHON });
    expect((await sidecar.get("/healthz")).status).toBe(200);
  });
});

// How Docker before 20.10.10 answers it. The C library then takes the container for one that may have no threads.
describe.concurrent.if(mayFilter)("where a seccomp profile answers EPERM", () => {
  test("to clone3: it aborts", async () => {
    const { stdout, stderr, signal } = await runSidecar([FAILING_CALLS, "EPERM", "435", EXECUTABLE], {
      executable: PYTHON,
    });
    expect([stdout, stderr, signal]).toEqual(["", expect.stringContaining("abort() called"), "SIGABRT"]);
  });

  test.each([
    ["to statx", "332"],
    ["to pidfd_open", "434"],
    ["to all that are newer than clone3", "436-"],
  ])("%s: it probes a driver", async (_, calls) => {
    await using driver = await startDriver("grpc-js");
    const behind = [FAILING_CALLS, "EPERM", calls, EXECUTABLE, "check", driver.socketPath];
    const { stdout, code } = await runSidecar(behind, { executable: PYTHON });
    expect([stdout, code]).toEqual([expect.stringMatching(/^ready: /), 0]);
  });
});
