import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unpackDeb } from "../../scripts/image/inputs/debs";
import { readLock } from "../../scripts/image/inputs/lock";
import { run } from "../../scripts/run";
import { temporaryDirectory } from "../../scripts/temporary";
import { readManifests } from "../support/manifests";
import { runToEnd } from "../support/run-to-end";
import { usable } from "../support/usable";

const ROOT = join(import.meta.dir, "../..");
const PAGE = readFileSync(join(ROOT, "docs/platforms.md"), "utf8");

// What `kubectl debug` and `kubectl get` of the page run or pipe into, between apostrophes.
const [inBusybox = "", inJq = ""] = [...PAGE.matchAll(/^kubectl .*'(.+)'$/gm)].map(([, script]) => script ?? "");

const AMD64_DPKG = 'test "$(dpkg --print-architecture)" = amd64';
const hasBusybox = usable("the check of a node, with Debian's busybox for amd64", ["sh", "-c", AMD64_DPKG]);

describe.if(hasBusybox)("the check of one node, in busybox,", () => {
  const scratch = temporaryDirectory();
  const applets = join(scratch.path, "bin");
  afterAll(() => scratch[Symbol.dispose]());

  test.each([
    [
      "x86-64-v2",
      "flags\t\t: fpu ssse3 cx16 sse4_1 sse4_2 popcnt avx512_vpopcntdq",
      ["ssse3", "sse4_1", "sse4_2", "popcnt"],
    ],
    ["x86-64-v1", "flags\t\t: fpu sse sse2 ht pni cx16", []],
    ["arm64, which calls them Features", "Features\t: fp asimd evtstrm aes", []],
  ])("lists the features of %s, once, and the page size", async (_, line, features) => {
    mkdirSync(applets, { recursive: true });
    const { root } = await unpackDeb(readLock(), "busybox-static", "amd64", scratch.path);
    const busybox = join(root, "bin/busybox");
    await run([busybox, "--install", "-s", applets]);
    const cpus = join(scratch.path, "cpuinfo");
    writeFileSync(cpus, `processor\t: 0\n${line}\n\nprocessor\t: 1\n${line}\n`);
    const script = inBusybox.replace("/proc/cpuinfo", cpus);
    const { stdout } = await runToEnd([busybox, "sh", "-c", script], { PATH: applets });
    const [machine, pages, ...listed] = stdout.trim().split("\n");
    expect([machine, pages, listed]).toEqual([
      expect.stringContaining(" x86_64"),
      expect.stringMatching(/^KernelPageSize: +4 kB$/),
      features,
    ]);
  });
});

describe.if(usable("the check of all nodes", ["jq", "--version"]))("the check of all nodes", () => {
  const AVX = { "feature.node.kubernetes.io/cpu-cpuid.AVX": "true" };
  test.each([
    ["an amd64 node with AVX", false, "amd64", "6.1.0-41-amd64", AVX],
    ["an amd64 node without the label", true, "amd64", "6.1.0-41-amd64", {}],
    ["an arm64 node", false, "arm64", "6.1.0-41-arm64", {}],
    ["an arm64 node of RHEL with 64 KiB pages", true, "arm64", "5.14.0-611.16.1.el9_7.aarch64+64k", {}],
    ["an arm64 node of Ubuntu with 64 KiB pages", true, "arm64", "6.8.0-88-generic-64k", {}],
    ["a Raspberry Pi 5 with 16 KiB pages", true, "arm64", "6.12.47+rpt-rpi-2712", {}],
    ["a node of another architecture", true, "s390x", "6.1.0-41-s390x", {}],
  ])("%s: listed is %p", async (_, listed, architecture, kernelVersion, labels) => {
    const metadata = { name: "node-1", labels: { "kubernetes.io/arch": architecture, ...labels } };
    const nodes = { items: [{ metadata, status: { nodeInfo: { architecture, kernelVersion } } }] };
    using scratch = temporaryDirectory();
    const file = join(scratch.path, "nodes.json");
    writeFileSync(file, JSON.stringify(nodes));
    const row = [metadata.name, architecture, kernelVersion].join("\t");
    expect(await run(["jq", "-r", inJq, file])).toBe(listed ? row : "");
  });
});

test("the affinity of the copy is that of the example, on the other nodes", () => {
  const [example] = readManifests(join(ROOT, "deploy/examples/node-affinity/affinity.yaml"));
  const [, block = ""] = /```yaml\n(.*?)```/s.exec(PAGE) ?? [];
  const opposite = block.replace("operator: In,", "operator: NotIn,");
  expect<unknown>(example?.spec?.template?.spec).toEqual(Bun.YAML.parse(opposite));
});
