import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../scripts/run";
import { temporaryDirectory } from "../../scripts/temporary";
import { buildGoDriver } from "../support/driver-builds";
import { findPrograms } from "./debian-programs";

/** A Linux 6.1 that runs as a process (User Mode Linux). */
const DEB = {
  name: "user-mode-linux",
  path: "pool/main/u/user-mode-linux/user-mode-linux_6.1um4+b13_amd64.deb",
  sha256: "0ce700f835c385ab09860ad33137817402403a29e424177510244bd75a81c687",
};
const LINUX = "./usr/bin/linux.uml";
const LIVENESSPROBE = join(import.meta.dirname, "../../dist/livenessprobe");

const found = await findPrograms(DEB, [LINUX], "cgroup v2");
const driver = await buildGoDriver({ CGO_ENABLED: "0" });

// cgroup v1 is test/kubelet's, on a machine that has it.
test.if(found !== undefined && driver.kind === "built")(
  "with cgroup v2 inspect counts the out-of-memory kills of a driver's pod, before and after the driver itself is killed",
  async () => {
    using directory = temporaryDirectory();
    const variables = {
      DRIVER: driver.kind === "built" ? driver.program.command[0] : "",
      LIVENESSPROBE,
      SAID: directory.path,
    };
    const init = join(import.meta.dirname, "cgroup-v2.sh");
    const files = ["rootfstype=hostfs", "rootflags=/", "rw", `init=${init}`, `uml_dir=${directory.path}`];
    // The console says nothing, and a panic ends it.
    const kernel = ["mem=1G", "con=null", "con0=null,fd:2", "quiet", "panic=-1"];
    const set = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    await run(["timeout", "--signal=KILL", "120", join(found ?? "", LINUX), ...kernel, ...files, ...set]);
    const processStep = (file: string) =>
      /^ok +process .*$/m.exec(readFileSync(join(directory.path, file), "utf8"))?.[0];
    expect(processStep("after-child")).toEndWith(
      "1 out-of-memory kill in its container, 1 out-of-memory kill in its pod",
    );
    expect(processStep("after-driver")).toEndWith(", 2 out-of-memory kills in its pod");
  },
);
