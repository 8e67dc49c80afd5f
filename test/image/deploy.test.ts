import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { runProgram } from "../../scripts/run";
import { tool } from "../../scripts/tools/tool";
import { MONITOR_ARGS, readMonitorOptions } from "../../src/cli/monitor-options";
import { CHECK_ARGS, readCheckOptions } from "../../src/cli/operator-options";
import { createSidecarMetrics } from "../../src/sidecar/metrics";
import { FAILURE_REASONS } from "../../src/driver/diagnosis";
import {
  buildKustomization,
  containerOf,
  containersOf,
  podOf,
  readManifests,
  workloadOf,
  type Container,
  type Probe,
} from "../support/manifests";
import { imageOf, openLayout } from "../../scripts/image/oci/layout";
import { effectiveContext, RESTRICTED } from "../support/pod-security";
import { findPromtool } from "../support/prometheus-programs";
import { temporaryDirectory, type TemporaryDirectory } from "../../scripts/temporary";
import { startDriver } from "../support/drivers";
import { usable } from "../support/usable";
import { readFlags, readServeFlags } from "../support/serve-flags";

const ROOT = join(import.meta.dirname, "../..");
const EXAMPLES = join(ROOT, "deploy/examples");
const FIXTURES = join(import.meta.dirname, "fixtures/deploy");
const PROMETHEUS = join(EXAMPLES, "prometheus");

const NODE = buildKustomization(join(EXAMPLES, "node"));
const SELINUX = buildKustomization(join(EXAMPLES, "node-selinux"));
const STARTUP = buildKustomization(join(EXAMPLES, "node-startup"));
const AFFINITY = buildKustomization(join(EXAMPLES, "node-affinity"));
const NATIVE = readManifests(join(EXAMPLES, "node-native-sidecar/daemonset.yaml"));
const EXEC = readManifests(join(EXAMPLES, "node-exec-probe/daemonset.yaml"));
const INSTALL = buildKustomization(join(EXAMPLES, "node-exec-probe-install"));
const CONTROLLER = readManifests(join(EXAMPLES, "controller/deployment.yaml"));
const MONITOR = buildKustomization(join(EXAMPLES, "monitor"));
const READINESS = buildKustomization(join(EXAMPLES, "node-readiness"));

const WITH_SIDECAR = [
  ["node", NODE],
  ["node-selinux", SELINUX],
  ["node-native-sidecar", NATIVE],
  ["controller", CONTROLLER],
] as const;
const ALL = [
  ...WITH_SIDECAR,
  ["node-startup", STARTUP],
  ["node-affinity", AFFINITY],
  ["node-exec-probe", EXEC],
  ["node-exec-probe-install", INSTALL],
  ["monitor", MONITOR],
  ["node-readiness", READINESS],
] as const;

const validator = await tool("kubernetes-validate");
const versions = await newestVersions(3);

/** The newest versions of Kubernetes whose schemas the validator carries: its own version is that of the newest. */
async function newestVersions(count: number): Promise<readonly string[]> {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(await runProgram(validator, ["--version"])) ?? [];
  return Array.from({ length: count }, (_, back) => `${major}.${Number(minor) - back}`);
}

describe.each(versions)("Kubernetes %s", (version) => {
  test.concurrent.each(ALL)("takes %s", async (_, manifests) => {
    using directory = temporaryDirectory();
    const file = join(directory.path, "manifests.yaml");
    // JSON is YAML too.
    writeFileSync(file, manifests.map((manifest) => JSON.stringify(manifest)).join("\n---\n"));
    const passed = manifests.map(
      ({ kind, metadata }) =>
        `INFO ${file} passed for resource ${kind.toLowerCase()}/${metadata.name} against version ${version}`,
    );
    // Each by name: a kind that the validator does not know is a warning to it, and no failure.
    expect(await validate(version, file)).toEqual({ code: 0, lines: passed });
  });

  test.concurrent.each([
    ["a field that there is not", "unknown-field", "spec.containers.0: Additional properties are not allowed"],
    ["a value of the wrong type", "wrong-type", "spec.containers.0.livenessProbe.timeoutSeconds: '5s' is not of type"],
  ])("refuses %s", async (_, name, complaint) => {
    const { code, lines } = await validate(version, join(FIXTURES, `${name}.yaml`));
    expect([code, lines]).toEqual([1, [expect.stringContaining(`against version ${version}: ${complaint}`)]]);
  });
});

async function validate(version: string, file: string) {
  const { command, env } = validator;
  return capture([...command, "--kubernetes-version", version, "--strict", file], env);
}

async function capture(command: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = Bun.spawn([...command], { env: { ...process.env, ...env }, stdin: "ignore", stderr: "pipe" });
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, lines: `${stdout}${stderr}`.split("\n").filter((line) => line !== "") };
}

describe.each(WITH_SIDECAR)("in %s", (_, manifests) => {
  const pod = podOf(manifests);
  const sidecar = containerOf(pod, "livenessprobe");
  const driver = containerOf(pod, "driver");
  const probe = driver.livenessProbe ?? {};
  const readme = podOfReadme();

  test("the sidecar's flags are taken, and are those of the README", async () => {
    expect(sidecar.args).toEqual(containerOf(readme, "livenessprobe").args);
    expect((await readServeFlags(sidecar.args ?? [])).endpoints).toMatchObject([
      { probes: true, metricsPath: "/metrics" },
    ]);
  });

  test("the kubelet waits for longer than a probe takes, and asks as in the README", async () => {
    expect(timeoutMs(probe)).toBeGreaterThan((await readServeFlags(sidecar.args ?? [])).probeTimeoutMs);
    const { httpGet: _ours, ...settings } = probe;
    const { httpGet: _theirs, ...documented } = containerOf(readme, "driver").livenessProbe ?? {};
    expect(settings).toEqual(documented);
  });

  test("the kubelet asks for /healthz where the sidecar listens, and the sidecar declares that port", async () => {
    const port = (await readServeFlags(sidecar.args ?? [])).endpoints[0]?.listener.port ?? NaN;
    expect(probe.httpGet).toEqual({ path: "/healthz", port });
    expect(sidecar.ports).toEqual([{ name: "healthz", containerPort: port }]);
  });

  test("the sidecar finds the socket where the driver makes it, in a directory that is read-only to it", async () => {
    const { csiSocketPath } = await readServeFlags(sidecar.args ?? []);
    expect(driver.args).toContain(`--endpoint=unix://${csiSocketPath}`);
    const shared = { mountPath: dirname(csiSocketPath), name: driver.volumeMounts?.[0]?.name ?? "" };
    expect(driver.volumeMounts).toContainEqual(shared);
    expect(sidecar.volumeMounts).toEqual([{ ...shared, readOnly: true }]);
  });

  test("the sidecar may use as much memory as the README says", () => {
    expect(sidecar.resources).toEqual(containerOf(readme, "livenessprobe").resources);
  });
});

test.each([
  ["node", NODE, { runAsUser: 0 }],
  ["node-selinux", SELINUX, { runAsUser: 0, seLinuxOptions: { type: "spc_t" } }],
  ["node-native-sidecar", NATIVE, { runAsUser: 0 }],
  ["controller", CONTROLLER, { runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, runAsNonRoot: true }],
])("the sidecar in %s has a uid, and no privilege", (_, manifests, own) => {
  const pod = podOf(manifests);
  expect(effectiveContext(pod, containerOf(pod, "livenessprobe"))).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
    ...own,
  });
});

describe.each(ALL)("in %s", (_, manifests) => {
  const workload = workloadOf(manifests);
  const pod = workload.template.spec;

  test("the image is this version's", () => {
    const images = containersOf(pod).map(({ image }) => image);
    const mounted = (pod.volumes ?? []).flatMap(({ image }) => (image === undefined ? [] : [image]));
    const suffix = manifests === CONTROLLER ? "-nonroot" : "";
    const ours = `registry.example/csi-livenessprobe:${packageJson.version}${suffix}`;
    if (manifests === EXEC) expect(mounted).toEqual([{ reference: ours, pullPolicy: "IfNotPresent" }]);
    else expect(images).toContain(ours);
  });

  test("the workload lies in the namespace beside it, selects its own pods, and mounts the pod's volumes", () => {
    const namespaces = manifests.filter(({ kind }) => kind === "Namespace").map(({ metadata }) => metadata.name);
    expect(namespaces).toEqual([workload.metadata.namespace ?? ""]);
    expect(workload.template.metadata.labels).toMatchObject(workload.selector.matchLabels);
    const mounted = containersOf(pod).flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name));
    expect(new Set(mounted)).toEqual(new Set((pod.volumes ?? []).map(({ name }) => name)));
  });
});

test("the native sidecar is an init container that runs on, and the only one", () => {
  const [sidecar, ...others] = podOf(NATIVE).initContainers ?? [];
  expect([sidecar?.name, sidecar?.restartPolicy, others]).toEqual(["livenessprobe", "Always", []]);
});

test("the start-up overlay waits for /readyz, then asks /livez, and changes nothing else", () => {
  const [driver, ...others] = podOf(NODE).containers;
  const { httpGet, ...settings } = driver?.livenessProbe ?? {};
  const asking = (path: string) => ({ httpGet: { path, port: httpGet?.port ?? "none" } });
  expect<unknown>(podOf(STARTUP)).toEqual({
    ...podOf(NODE),
    containers: [
      {
        ...driver,
        startupProbe: { ...asking("/readyz"), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 60 },
        livenessProbe: { ...settings, ...asking("/livez") },
      },
      ...others,
    ],
  });
});

test("the overlay that installs changes where the exec probe finds its files, and nothing else of the probe", () => {
  const { exec, ...settings } = containerOf(podOf(EXEC), "driver").livenessProbe ?? {};
  const [loader = "", option = "", libraries = "", , ...check] = exec?.command ?? [];
  const [installedLoader, installedLibraries] = [loader, libraries].map((path) => path.replace("/usr", ""));
  const command = [installedLoader, option, installedLibraries, "/livenessprobe/livenessprobe", ...check];
  expect<unknown>(containerOf(podOf(INSTALL), "driver").livenessProbe).toEqual({ ...settings, exec: { command } });
  const { args } = containerOf(podOf(INSTALL), "install-livenessprobe");
  expect(args).toEqual(["install", "/out", "--start-as=/livenessprobe"]);
});

test("the SELinux overlay adds a domain to the two unprivileged containers, and nothing else", () => {
  const [driver, ...unprivileged] = podOf(NODE).containers;
  expect(podOf(SELINUX)).toEqual({
    ...podOf(NODE),
    containers: [expect.anything(), ...unprivileged.map(inDriversDomain)],
  });
  expect(podOf(SELINUX).containers[0]).toEqual(driver);
});

function inDriversDomain(container: Container): Container {
  return { ...container, securityContext: { ...container.securityContext, seLinuxOptions: { type: "spc_t" } } };
}

describe("the monitor", () => {
  const pod = podOf(MONITOR);
  const monitor = containerOf(pod, "monitor");
  const [command, ...words] = monitor.args ?? [];

  test("has flags that are taken, and paths that are mounted", async () => {
    const { rootDir, incidentDir } = readMonitorOptions(await readFlags("monitor", MONITOR_ARGS, words));
    expect(command).toBe("monitor");
    expect(monitor.volumeMounts?.map(({ mountPath }) => mountPath)).toEqual([rootDir, incidentDir ?? ""]);
    expect(monitor.volumeMounts?.[0]).toMatchObject({ readOnly: true, mountPropagation: "HostToContainer" });
  });

  test("listens where the kubelet and Prometheus ask", async () => {
    const { listen } = readMonitorOptions(await readFlags("monitor", MONITOR_ARGS, words));
    expect(monitor.ports).toEqual([{ name: "monitor", containerPort: listen.port }]);
    expect(monitor.livenessProbe?.httpGet).toEqual({ path: "/healthz", port: "monitor" });
  });

  test("is in no namespace of the node, and has one capability", () => {
    expect([pod.hostPID, pod.hostNetwork, pod.hostIPC]).toEqual([undefined, undefined, undefined]);
    expect(effectiveContext(pod, monitor)).toEqual({
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"], add: ["SYS_PTRACE"] },
      seccompProfile: { type: "RuntimeDefault" },
      appArmorProfile: { type: "Unconfined" },
      seLinuxOptions: { type: "spc_t" },
    });
  });
});

describe("the readiness reporter beside the monitor", () => {
  const pod = podOf(READINESS);
  const reporter = containerOf(pod, "reporter");
  const environment = new Map(reporter.env?.map(({ name, value }) => [name, value]));

  test("asks the monitor for the driver that its condition names", () => {
    const [{ containerPort } = { containerPort: 0 }] = containerOf(podOf(MONITOR), "monitor").ports ?? [];
    const [driver] = environment.get("CONDITION_TYPE")?.split("/") ?? [];
    expect(environment.get("CHECK_ENDPOINT")).toBe(`http://localhost:${containerPort}/readyz/${driver}`);
  });

  test("has a token, which the monitor has not", () => {
    const mounts = (name: string) => containerOf(pod, name).volumeMounts?.map(({ mountPath }) => mountPath);
    expect(mounts("reporter")).toEqual(["/var/run/secrets/kubernetes.io/serviceaccount"]);
    expect(containerOf(pod, "monitor")).toEqual(containerOf(podOf(MONITOR), "monitor"));
  });

  // The rules of the controller's own resource definition; there is no schema of it in the validator. What the reporter
  // does with the monitor's answers: test/e2e/readiness.test.ts.
  test("is configured for the condition that the rule names, whose taint has a key that the controller takes", () => {
    const { spec } = Bun.YAML.parse(readFileSync(join(EXAMPLES, "node-readiness/rule.yaml"), "utf8")) as {
      readonly spec: unknown;
    };
    expect(spec).toEqual({
      conditions: [{ type: environment.get("CONDITION_TYPE"), requiredStatus: "True" }],
      taint: {
        key: expect.stringMatching(/^readiness\.k8s\.io\/[A-Za-z0-9][\w.-]*[A-Za-z0-9]$/),
        effect: "NoSchedule",
      },
      enforcementMode: "bootstrap-only",
      nodeSelector: { matchLabels: expect.any(Object) },
    });
  });
});

describe("Pod Security", () => {
  const unrestricted = podOf(readManifests(join(FIXTURES, "unrestricted.yaml")));

  test.each(RESTRICTED)("restricted, %s: the controller satisfies it, and the fixture does not", (_, holds) => {
    expect([holds(podOf(CONTROLLER)), holds(unrestricted)]).toEqual([true, false]);
  });

  test.each([
    ["controller", "restricted", CONTROLLER],
    ["node", "privileged", NODE],
    ["node-native-sidecar", "privileged", NATIVE],
    ["node-exec-probe", "privileged", EXEC],
    ["node-exec-probe-install", "privileged", INSTALL],
    ["monitor", "privileged", MONITOR],
  ])("the namespace of %s enforces %s", (_, profile, manifests) => {
    const [namespace] = manifests.filter(({ kind }) => kind === "Namespace");
    expect(namespace?.metadata.labels).toEqual({ "pod-security.kubernetes.io/enforce": profile });
  });
});

describe("the exec probe", () => {
  const driver = containerOf(podOf(EXEC), "driver");
  const probe = driver.livenessProbe ?? {};
  const command = probe.exec?.command ?? [];
  const check = command.indexOf("check");

  test("gives flags that are taken, and less time than the kubelet does", async () => {
    const options = readCheckOptions(await readFlags("check", CHECK_ARGS, command.slice(check + 1)));
    expect(options.target).toEqual({ kind: "address", socketPath: expect.any(String) });
    const socketPath = options.target.kind === "address" ? options.target.socketPath : "";
    expect(driver.args).toContain(`--endpoint=unix://${socketPath}`);
    expect(timeoutMs(probe)).toBeGreaterThan(options.probeTimeoutMs);
  });

  const mayMount = usable("a root without glibc", ["unshare", "--mount", "true"]);

  describe.if(mayMount)("in a root that has nothing but the image, as a volume", () => {
    let root: TemporaryDirectory;
    afterAll(() => root[Symbol.dispose]());
    beforeAll(() => {
      root = temporaryDirectory();
      const mount = driver.volumeMounts?.find(({ name }) => name === "livenessprobe");
      const image = imageOf(
        openLayout(join(ROOT, "dist/image/livenessprobe")),
        process.arch === "x64" ? "amd64" : "arm64",
      );
      mkdirSync(join(root.path, "proc"));
      for (const file of image.files().values()) {
        const path = join(root.path, mount?.mountPath ?? "", file.path);
        mkdirSync(dirname(path), { recursive: true });
        if (file.type === "file") writeFileSync(path, file.content, { mode: file.mode });
        if (file.type === "symlink") symlinkSync(file.target, path);
      }
    });

    test("the image's own loader starts the check, which finds the driver ready", async () => {
      const socketPath = join(root.path, "csi/csi.sock");
      mkdirSync(dirname(socketPath));
      await using running = await startDriver("grpc-js", { socketPath });
      expect(await enterRoot(command)).toEqual({ code: 0, lines: [expect.stringMatching(/^ready: \/csi\/csi.sock /)] });
      await running.stop();
      expect(await enterRoot(command)).toEqual({
        code: 2,
        lines: [expect.stringMatching(/^no such file: \/csi\/csi.sock /)],
      });
    });

    test("it could not start without", async () => {
      const ran = await enterRoot(command.slice(check - 1));
      expect(ran).toEqual({ code: 127, lines: [expect.stringContaining("No such file or directory")] });
    });

    // As every container has it: Bun does not start without a /proc.
    const enterRoot = (words: readonly string[]) => {
      const enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"';
      return capture(["unshare", "--mount", "sh", "-c", enter, root.path, ...words]);
    };
  });
});

const promtool = await findPromtool();

describe("Prometheus", () => {
  test.if(promtool !== undefined)("takes the alerts, and they fire when they should", async () => {
    for (const [check, file] of [
      ["check", "prometheus/alerts.yaml"],
      ["test", "prometheus/alerts.test.yaml"],
      ["check", "monitor/alerts.yaml"],
      ["check", "monitor/recording.yaml"],
      ["test", "monitor/alerts.test.yaml"],
    ] as const) {
      const { code, lines } = await capture([promtool ?? "", check, "rules", join(EXAMPLES, file)]);
      expect([code, lines.join("\n")]).toEqual([0, expect.stringContaining("SUCCESS")]);
    }
  });

  test.if(promtool !== undefined)("takes the scrape's configuration", async () => {
    using directory = temporaryDirectory();
    const config = scrapeConfig();
    const path = join(directory.path, "prometheus.yaml");
    // Debian's promtool is built without the discovery of Kubernetes, and does not know its field. JSON leaves it out.
    const jobs = config.scrape_configs.map((job) => ({ ...job, kubernetes_sd_configs: undefined }));
    writeFileSync(
      path,
      JSON.stringify({ ...config, rule_files: [join(PROMETHEUS, "alerts.yaml")], scrape_configs: jobs }),
    );
    expect(await capture([promtool ?? "", "check", "config", path])).toMatchObject({ code: 0 });
  });

  test("has every metric that the alerts name", () => {
    const build = { version: "", commit: "", bun: "" };
    const metrics = createSidecarMetrics({ startTimeSeconds: 0, build, driverName: () => "a.csi.example" });
    metrics.countProbe({ kind: "ready", timing: { elapsedMs: 1 } }, 1, true);
    const text = metrics.render([]);
    const named = new Set(readAlerts().match(/\bcsi_livenessprobe_\w+/g));
    expect(named.size).toBeGreaterThan(3);
    expect([...named].filter((name) => !text.includes(`# TYPE ${name} `))).toEqual([]);
    const results = [...readAlerts().matchAll(/result!?="(\w+)"/g)].map(([, result]) => result);
    expect(["ready", ...FAILURE_REASONS]).toEqual(expect.arrayContaining(results));
  });

  const { namespaceSelector, selector, podMetricsEndpoints } = podMonitor();
  const [job] = scrapeConfig().scrape_configs;
  const namespaces = [NODE, CONTROLLER].map((manifests) => workloadOf(manifests).metadata.namespace ?? "");

  test.each(WITH_SIDECAR)("finds the sidecar of %s, by the operator and without", (_, manifests) => {
    const { labels } = workloadOf(manifests).template.metadata;
    const [port] = containerOf(podOf(manifests), "livenessprobe").ports ?? [];
    expect(labels).toMatchObject(selector.matchLabels);
    expect(podMetricsEndpoints).toMatchObject([{ port: port?.name, path: "/metrics" }]);
    expect(job?.relabel_configs[0]).toMatchObject({
      action: "keep",
      regex: `${labels["app.kubernetes.io/name"]};${port?.name}`,
    });
  });

  test("looks in the namespaces of both parts", () => {
    expect(namespaceSelector.matchNames).toEqual(namespaces);
    expect(job?.kubernetes_sd_configs).toEqual([{ role: "pod", namespaces: { names: namespaces } }]);
  });
});

interface ScrapeConfig {
  readonly scrape_configs: readonly {
    readonly kubernetes_sd_configs: unknown;
    readonly relabel_configs: readonly unknown[];
  }[];
}

// Ours, and promtool reads it too.
function scrapeConfig(): ScrapeConfig {
  return Bun.YAML.parse(readFileSync(join(PROMETHEUS, "prometheus.yaml"), "utf8")) as ScrapeConfig;
}

interface PodMonitorSpec {
  readonly namespaceSelector: { readonly matchNames: readonly string[] };
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly podMetricsEndpoints: readonly unknown[];
}

// Of a kind that Kubernetes itself does not have: each field that is read here is tested.
function podMonitor(): PodMonitorSpec {
  const text = readFileSync(join(PROMETHEUS, "podmonitor.yaml"), "utf8");
  return (Bun.YAML.parse(text) as { readonly spec: PodMonitorSpec }).spec;
}

function readAlerts(): string {
  return readFileSync(join(PROMETHEUS, "alerts.yaml"), "utf8");
}

/** The pod in the README, which is a pod's containers and volumes alone. */
function podOfReadme() {
  const [, yaml = ""] = /```yaml\n(containers:[^]*?)```/.exec(readFileSync(join(ROOT, "README.md"), "utf8")) ?? [];
  return Bun.YAML.parse(yaml) as ReturnType<typeof podOf>;
}

function timeoutMs({ timeoutSeconds = 1 }: Probe): number {
  return timeoutSeconds * 1_000;
}
