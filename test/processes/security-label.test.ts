import { expect, test } from "bun:test";
import { readSecurityLabel } from "../../src/processes/processes";
import { makeNode } from "../support/made-node";

const CONTAINER_T = "system_u:system_r:container_t:s0:c1,c2";

test.each([
  ["an SELinux context", { current: `${CONTAINER_T}\0` }, `${CONTAINER_T} (SELinux)`],
  ["one without a range", { current: "user:role:type" }, "user:role:type (SELinux)"],
  [
    "an AppArmor profile",
    { current: "cri-containerd.apparmor.d (enforce)\n" },
    "cri-containerd.apparmor.d (enforce) (AppArmor)",
  ],
  [
    "an AppArmor profile in a file of its own",
    { current: "something else", "apparmor/current": "driver (complain)\n" },
    "driver (complain) (AppArmor)",
  ],
  ["no profile", { current: "unconfined\n", "apparmor/current": "unconfined\n" }, undefined],
  ["nothing", { current: "" }, undefined],
  ["no files", {}, undefined],
])("%s is told", async (_, files, label) => {
  await using node = makeNode();
  for (const [name, text] of Object.entries(files)) node.file(`/proc/7/attr/${name}`, text);
  expect(readSecurityLabel(node.outer("/proc"), 7)).toBe(label);
});

test("our own can be asked for on any machine", () => {
  expect(() => readSecurityLabel("/proc", "self")).not.toThrow();
});
