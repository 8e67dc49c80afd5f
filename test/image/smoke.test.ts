import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { needPrograms } from "../../scripts/tools/debian";
import { layoutPath } from "../support/built-images";
import { type Podman, startPodman } from "../support/containers";
import { buildGoProgram } from "../support/driver-builds";
import { type Ended, runToEnd } from "../support/run-to-end";
import { freePort } from "../support/tcp-client";
import { temporaryDirectory } from "../../scripts/temporary";

const SMOKE = join(import.meta.dirname, "smoke");
const SETUP_BOUND_MS = 300_000;
const VARIANTS = ["livenessprobe", "livenessprobe-nonroot", "livenessprobe-dev"] as const;
type Name = (typeof VARIANTS)[number];

const cleanup = new AsyncDisposableStack();
let podman: Podman;
/** For the script's own temporary directories: nothing may be left in it. */
let temporary: string;
/** Linked statically, to run in a container with nothing else. */
let driver: string;
const images = new Map<Name, string>();

beforeAll(async () => {
  await needPrograms({ curl: "curl" });
  podman = cleanup.use(await startPodman());
  temporary = cleanup.use(temporaryDirectory()).path;
  for (const variant of VARIANTS) images.set(variant, await podman.load(layoutPath(variant)));
  const built = await buildGoProgram(join(import.meta.dirname, "../drivers/go"), "driver", [], { CGO_ENABLED: "0" });
  if (built.kind === "missing") throw new Error(`The CSI driver cannot be built here: ${built.why}`);
  driver = built.program.command[0] ?? "";
}, SETUP_BOUND_MS);
afterAll(async () => cleanup[Symbol.asyncDispose]());

const STOPPED = [
  "HEAD /healthz is 200 with the driver there, after N s",
  "HEAD /healthz is 500 with the driver stopped, after N s",
];

describe.concurrent("with a CSI driver beside it", () => {
  test.each<[what: string, variant: Name, owner: number, options: readonly string[], says: readonly string[]]>([
    ["the default image and root's socket", "livenessprobe", 0, [], STOPPED],
    // Empty, it is as if it were not given.
    [
      "the default image and root's socket, of the driver that it builds",
      "livenessprobe",
      0,
      ["--driver", ""],
      STOPPED,
    ],
    [
      "the default image without any right",
      "livenessprobe",
      0,
      ["--", "--cap-drop=ALL", "--read-only", "--security-opt=no-new-privileges"],
      STOPPED,
    ],
    ["-nonroot and a socket of its own user", "livenessprobe-nonroot", 65532, [], STOPPED],
    [
      "-nonroot and root's socket",
      "livenessprobe-nonroot",
      0,
      ["--denied"],
      [
        "HEAD /healthz is 500 with the driver there, after N s",
        "it says: permission denied: /csi/csi.sock belongs to uid 0 and gid 0 with mode 0755, and connecting as uid 65532 " +
          "needs write permission; run livenessprobe as uid 0 (no capability is needed), or let the driver make its socket " +
          "writable for uid 65532 (mode 0777) (tried for N s)",
      ],
    ],
  ])("%s", async (_, variant, owner, options, says) => {
    const { code, stdout, stderr } = await smoke(variant, ["--driver-user", String(owner), ...options]);
    const lines = stdout
      .replace(/\b\d(\.\d+)? ?s\b/g, "N s")
      .trimEnd()
      .split("\n");
    expect({ lines, stderr, code }).toEqual({
      lines: [
        `ok: the driver listens on /csi/csi.sock: srwxr-xr-x, uid ${owner}`,
        `ok: ${images.get(variant)} runs with podman`,
        ...says.map((line) => `ok: ${line}`),
      ],
      stderr: "",
      code: 0,
    });
  });
});

/** In place of the sidecar: what a shell of `-dev` does on a port. */
const WRONG: readonly (readonly [what: string, script: (port: number) => string, says: RegExp])[] = [
  [
    "looks for the driver elsewhere",
    (port) => `exec livenessprobe --health-port=${port} --csi-address=/nowhere/csi.sock`,
    /^failed: HEAD \/healthz is 500 with the driver there, and should be 200\nthe image's log:\n.*"Starting livenessprobe"/,
  ],
  [
    "says 200 whatever the driver does",
    (port) => `echo ok >/tmp/healthz && exec /usr/lib/busybox/busybox httpd -f -p 127.0.0.1:${port} -h /tmp`,
    /^failed: HEAD \/healthz is 200 with the driver stopped, and should be 500\n/,
  ],
  ["takes its time to answer", () => "sleep 60", /^failed: \S+ does not answer on port \d+ within 10 s\n/],
  ["ends", () => "echo the end", /^failed: \S+ ended\nthe image's log:\nthe end\n/],
];

describe.concurrent("an image is found to be wrong that", () => {
  test.each(WRONG)("%s", async (_, script, says) => {
    const port = await freePort();
    const entrypoint = JSON.stringify(["sh", "-c", script(port)]);
    const { code, stderr } = await smoke("livenessprobe-dev", ["--", `--entrypoint=${entrypoint}`], port);
    expect({ stderr, code }).toEqual({ stderr: expect.stringMatching(says), code: 1 });
  });

  test("does not start", async () => {
    const { code, stderr } = await smoke("livenessprobe", ["--", "--entrypoint=/nowhere"]);
    expect({ stderr, code }).toEqual({ stderr: expect.stringMatching(/failed: \S+ does not start\n$/), code: 1 });
  });
});

test.concurrent("what listens on the port already is not taken for the image", async () => {
  using server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("ok") });
  const { code, stderr } = await smoke("livenessprobe", [], server.port);
  expect({ stderr, code }).toEqual({
    stderr: `cannot: something answers on port ${server.port} already; give another with --port\n`,
    code: 2,
  });
});

test.each<[args: readonly string[], says: string]>([
  [[], "no image is named: test/image/smoke IMAGE, or --help"],
  [["a", "b"], "two images are named, a and b"],
  [["--port"], "--port takes a word, and none is behind it"],
  [["--no"], "--no is no option; --help lists them"],
  [["a", "--engine=lxc"], "--engine=lxc is no option; --help lists them"],
  [["a", "--engine", "lxc"], "lxc: not in PATH, or not running"],
])("called with %j it says why it cannot be", async (args, says) => {
  const { code, stderr } = await runToEnd([SMOKE, ...args]);
  expect({ stderr, code }).toEqual({ stderr: `cannot: ${says}\n`, code: 2 });
});

// The last one, so that it looks at what all others left.
test("it leaves no container, no image and no file", async () => {
  const containers = await runToEnd(["podman", "ps", "--all", "--quiet"], podman.env);
  const listed = await runToEnd(["podman", "images", "--format={{.Repository}}:{{.Tag}}"], podman.env);
  expect(containers.stdout).toBe("");
  expect(listed.stdout.trim().split("\n").toSorted()).toEqual([...images.values()].toSorted());
  expect(readdirSync(temporary)).toEqual([]);
});

async function smoke(variant: Name, options: readonly string[], port?: number): Promise<Ended> {
  const given = [
    "--engine",
    "podman",
    "--host-network",
    "--driver",
    driver,
    "--port",
    String(port ?? (await freePort())),
  ];
  return runToEnd([SMOKE, images.get(variant) ?? "", ...given, ...options], { ...podman.env, TMPDIR: temporary });
}
