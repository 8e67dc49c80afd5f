import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { temporaryDirectory } from "../../scripts/temporary";
import { MAX_DRIVERS_WITH_SERIES } from "../../src/monitor/metrics";
import type { ControlledDriver } from "../support/controlled-driver";
import { EXECUTABLE } from "../support/executable";
import { valueOf } from "../support/exposition";
import { kubeletNode, placeIn, startIn } from "../support/listed-node";
import { LISTEN_AND_HANG, startPython } from "../support/made-node-process";
import { FAST, inspected, ready, scrape, startMonitor, startNamed, textOf } from "../support/monitor";
import { type Sidecar, startSidecar } from "../support/sidecar";
import { usable } from "../support/usable";
import { waitUntil } from "../support/wait";

// Processes start slowly on a busy machine.
setDefaultTimeout(240_000);

describe("of very many drivers", () => {
  const resources = new AsyncDisposableStack();
  const node = resources.use(kubeletNode());
  let monitor: Sidecar;
  let liar: ControlledDriver;

  beforeAll(async () => {
    for (let index = 0; index < 58; index += 1) resources.use(await startNamed(node, `d${index}.csi`));
    resources.use(await startNamed(node, "long.csi", "x".repeat(4_096)));
    liar = resources.use(await startNamed(node, "liar.csi"));
    let answers = 0;
    liar.nameOf = () => `liar-${(answers += 1)}.csi`;
    monitor = resources.use(await startMonitor(node));
  });
  afterAll(() => resources.disposeAsync());

  test("60 are all ready, and one scrape stays within the budget of series", async () => {
    await ready(monitor);
    const families = await scrape(monitor);
    const series = [...families.values()].flatMap(({ samples }) => samples);
    const byDriver = Map.groupBy(series, ({ labels }) => labels["driver_name"] ?? "");
    const own = byDriver.get("") ?? [];
    byDriver.delete("");
    expect([...byDriver.values()].filter((each) => each.length > 12)).toEqual([]);
    expect(own.length).toBeLessThanOrEqual(25);
    expect(byDriver.size).toBe(60);
    expect(families.get("csi_node_driver_ready")?.samples.filter(({ value }) => value !== 1)).toEqual([]);
    expect(valueOf(families, "csi_node_monitor_sockets", { state: "found" })).toBe(60);
    expect(valueOf(families, "csi_node_monitor_sockets", { state: "left_out" })).toBe(0);
  });

  test("a name of 4 KiB is cut in a label, and is asked for in full", async () => {
    const name = "x".repeat(4_096);
    expect(valueOf(await scrape(monitor), "csi_node_driver_ready", { driver_name: name.slice(0, 63) })).toBe(1);
    expect((await monitor.get(`/readyz/${name}`)).status).toBe(200);
  });

  test("one that calls itself otherwise in each answer is known by the first", async () => {
    await waitUntil(() => liar.calls.filter((call) => call.endsWith("/Probe")).length > 2, "more probes of the liar");
    const names = (await scrape(monitor))
      .get("csi_node_driver_ready")
      ?.samples.map(({ labels }) => labels["driver_name"]);
    expect(names?.filter((name) => name?.startsWith("liar-"))).toEqual(["liar-1.csi"]);
    expect((await monitor.get("/readyz/liar-2.csi")).status).toBe(404);
  });

  test("64 have series, the others are counted, and all are watched", async () => {
    for (let index = 0; index < 10; index += 1) resources.use(await startNamed(node, `late-${index}.csi`));
    await waitUntil(
      async () => valueOf(await scrape(monitor), "csi_node_monitor_sockets", { state: "left_out" }) === 6,
      "those that have no series",
    );
    await ready(monitor);
    const families = await scrape(monitor);
    expect(families.get("csi_node_driver_info")?.samples).toHaveLength(MAX_DRIVERS_WITH_SERIES);
    expect(valueOf(families, "csi_node_monitor_sockets", { state: "found" })).toBe(70);
    const { items } = JSON.parse(await textOf(monitor, "/api/v1/drivers"));
    expect(items).toHaveLength(70);
    for (let index = 0; index < 10; index += 1)
      expect((await monitor.get(`/readyz/late-${index}.csi`)).status).toBe(200);
  });
});

describe.concurrent("an incident", () => {
  const UID = "8f3a7c52-1b2d-4e5f-9a0b-c1d2e3f40516";
  const LOG = `/var/log/pods/kube-system_a-csi-node-x2v9k_${UID}/driver/0.log`;
  const mayMount = usable("the log of a driver's container", ["unshare", "--mount", "true"]);

  test.if(mayMount)(
    "has the log of the driver's container in its file with --incident-logs, and nowhere else",
    async () => {
      using directory = temporaryDirectory();
      await using node = kubeletNode();
      node.file(LOG, Array.from({ length: 5_000 }, (_, line) => `password-${line}\n`).join(""));
      node.file("/cgroup", `0::/kubepods/burstable/pod${UID}/${"4f1c0a9e".repeat(8)}\n`);
      await using driver = await startIn(node, "grpc-js", "a.csi");
      // The kernel's own file says that the driver is in no pod.
      const enter = `mount --bind ${node.outer("/cgroup")} /proc/${driver.pid}/cgroup; exec "$0" "$@"`;
      const flags = ["--root", node.rootDir, "--incident-dir", directory.path, "--incident-logs"];
      await using monitor = await startSidecar(
        ["--mount", "--propagation=private", "sh", "-ec", enter, EXECUTABLE, "monitor", ...FAST, ...flags],
        { executable: "unshare" },
      );
      await ready(monitor);
      await driver.pause();
      const { id } = await inspected(monitor);
      driver.resume();
      await ready(monitor);

      const path = `${directory.path}/incident-${id}.json`;
      expect(readdirSync(directory.path)).toEqual([`incident-${id}.json`]);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const { log, ...document } = JSON.parse(readFileSync(path, "utf8"));
      expect(log).toEqual(Array.from({ length: 100 }, (_, line) => `password-${4_900 + line}`));
      expect(document).toMatchObject({ namespace: "kube-system", pod: "a-csi-node-x2v9k", container: "driver" });
      expect(JSON.parse(await textOf(monitor, `/api/v1/incidents/${id}`))).toEqual(document);
      const paths = ["/", `/incidents/${id}`, "/api/v1/incidents", "/api/v1/drivers", "/metrics", "/readyz"];
      const served = await Promise.all(paths.map((each) => textOf(monitor, each)));
      expect([...served, ...monitor.logLines].filter((text) => text.includes("password"))).toEqual([]);
    },
  );

  test("of a driver with a thread in state D says so, and what it waits for", async () => {
    await using node = kubeletNode();
    node.fifo("/fifo");
    const first = await startNamed(node, "a.csi");
    await using monitor = await startMonitor(node);
    await ready(monitor);
    // It was started anew, and hangs at once.
    await first[Symbol.asyncDispose]();
    rmSync(placeIn(node, "a.csi"), { force: true });
    await using _ = await startPython(LISTEN_AND_HANG, [placeIn(node, "a.csi"), node.outer("/fifo")]);
    const { id } = await inspected(monitor);
    const document = JSON.parse(await textOf(monitor, `/api/v1/incidents/${id}`));
    const steps: readonly { readonly title: string; readonly details?: readonly string[] }[] =
      document.inspection.steps;
    const [wait = ""] = steps.find(({ title }) => title === "process")?.details ?? [];
    expect(wait).toMatch(/^waits for a program that it starts \(\w*(clone|fork)\w*\)$/);
    expect(document).toMatchObject({ driver: "a.csi", verdict: `failed: hung at HTTP/2; process ${wait}` });
    const listener = async () => JSON.parse(await textOf(monitor, "/api/v1/drivers")).items[0]?.listener;
    // A scan after the incident.
    await waitUntil(async () => (await listener())?.state === "D", "the driver's state");
  });
});
