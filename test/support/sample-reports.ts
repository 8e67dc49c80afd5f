import type { DriverReport, InspectReport, NodeReport } from "../../src/inspection/report";

const SLEEPING = { letter: "S", word: "sleeping" } as const;

/** A driver that is ready, but for what is said otherwise. */
export function driverReport(changes: Partial<DriverReport> = {}): DriverReport {
  return {
    socket: "/var/lib/kubelet/plugins/ebs.csi.aws.com/csi.sock",
    driver: "ebs.csi.aws.com",
    nameSource: "driver",
    vendorVersion: "v1.35.0",
    outcome: { kind: "ready" },
    connectMs: 1.234,
    callMs: 0.8123,
    slow: false,
    announced: "yes",
    listener: undefined,
    capabilities: undefined,
    ...changes,
  };
}

export function nodeReport(drivers: readonly DriverReport[], changes: Partial<NodeReport> = {}): NodeReport {
  return { drivers, looked: [], notes: [], complete: true, denied: [], absent: undefined, ...changes };
}

const HUNG_SOCKET = "/var/lib/kubelet/plugins/efs.csi.aws.com/csi.sock";

/** As on a node of a cloud: one of each outcome, and of what may be unknown. */
export const NODE_REPORT: NodeReport = nodeReport(
  [
    driverReport({
      socket: HUNG_SOCKET,
      driver: "efs.csi.aws.com",
      nameSource: "registration",
      vendorVersion: undefined,
      outcome: {
        kind: "failed",
        reason: "hung",
        message: `driver hung: HTTP/2 is up on ${HUNG_SOCKET}, but Identity/Probe was not answered within 3s; see the driver's log, or raise --probe-timeout if it needs longer`,
      },
      callMs: 3_000.412,
      announced: "unknown",
      listener: {
        pid: 812,
        command: "efs",
        state: { letter: "D", word: "uninterruptible" },
        namespace: "kube-system",
        pod: "efs-csi-node-9qv4d",
        container: "efs-plugin",
      },
    }),
    driverReport({
      socket: "/var/lib/kubelet/plugins/csi-nfsplugin/csi.sock",
      driver: "csi-nfsplugin",
      nameSource: "directory",
      vendorVersion: undefined,
      outcome: {
        kind: "failed",
        reason: "nobody_listens",
        message:
          "nobody listens: /var/lib/kubelet/plugins/csi-nfsplugin/csi.sock is there but refuses connections (tried for 0s); the driver that made it has stopped, or does not listen yet",
      },
      connectMs: undefined,
      callMs: undefined,
      announced: "no",
    }),
    driverReport({
      socket: "/var/lib/kubelet/plugins/csi-secrets-store/csi.sock",
      driver: "secrets-store.csi.k8s.io",
      vendorVersion: "v1.4.8",
      outcome: { kind: "notReady" },
      connectMs: 12.04,
      callMs: 118.26,
      listener: {
        pid: 990,
        command: "secrets-store-c",
        state: SLEEPING,
        namespace: undefined,
        pod: undefined,
        container: undefined,
      },
      capabilities: { plugin: [], node: [], controller: undefined },
    }),
    driverReport({
      socket: "/mnt/other/csi.sock",
      driver: "disk.csi.example",
      nameSource: "registration",
      vendorVersion: undefined,
      outcome: {
        kind: "notAsked",
        message: "its registration names /mnt/other/csi.sock, which lies outside of the kubelet's directory",
      },
      connectMs: undefined,
      callMs: undefined,
    }),
    driverReport({
      socket: "/var/lib/kubelet/plugins/fsx.csi.aws.com/csi.sock",
      driver: "fsx.csi.aws.com",
      callMs: 2_310.4,
      slow: true,
    }),
    driverReport({
      listener: {
        pid: 4_711,
        command: "aws-ebs-csi-dri",
        state: SLEEPING,
        namespace: "kube-system",
        pod: "ebs-csi-node-x7k2p",
        container: "ebs-plugin",
      },
      capabilities: {
        plugin: ["CONTROLLER_SERVICE", "VOLUME_ACCESSIBILITY_CONSTRAINTS"],
        node: ["STAGE_UNSTAGE_VOLUME", "EXPAND_VOLUME", "GET_VOLUME_STATS"],
        controller: undefined,
      },
    }),
    driverReport({
      socket: "/var/lib/kubelet/plugins_registry/gpu.nvidia.com-reg.sock",
      driver: "gpu.nvidia.com",
      vendorVersion: undefined,
      outcome: { kind: "notCsi", what: "DRAPlugin" },
      connectMs: 0.9,
      callMs: undefined,
    }),
  ],
  { notes: ["/var/lib/kubelet/plugins/kubernetes.io was not entered: volumes are mounted below it"] },
);

const STEERING = "\u001b[2J\u001b]0;owned\u0007";
const TURNING = "\u202egnp.exe\u202c";

/**
 * Drivers that say what would break a table, a terminal or the reader's trust, as they did not come to it in this
 * order.
 */
export const HOSTILE_REPORT: NodeReport = nodeReport(
  [
    driverReport({ driver: `${STEERING}ebs`, vendorVersion: "1.0\n\u001b[32mready\u001b[0m\r\nfake.csi.example" }),
    driverReport({
      driver: TURNING,
      vendorVersion: "\u009b31m",
      socket: "/var/lib/kubelet/plugins/new\nline/csi.sock",
      outcome: {
        kind: "failed",
        reason: "rpc_error",
        message: `rpc error: code = Internal desc = ${STEERING}${TURNING} out of disk`,
      },
    }),
    driverReport({ driver: "日本語ドライバー.例え", vendorVersion: "v1😀", socket: "/日本/csi.sock" }),
    driverReport({ driver: `${"a-very-long-name-".repeat(5)}.csi.example`, vendorVersion: "9".repeat(64) }),
    driverReport({ driver: "e\u0301".repeat(3), vendorVersion: "a\ud800b", callMs: 0 }),
    driverReport({ driver: "x".repeat(70_000), vendorVersion: " ", announced: "no" }),
    driverReport({
      driver: undefined,
      nameSource: undefined,
      outcome: { kind: "notCsi", what: `DRA\tPlugin${STEERING}` },
    }),
    driverReport({
      listener: {
        pid: 1,
        command: `sh${STEERING}`,
        state: SLEEPING,
        namespace: "n\n",
        pod: TURNING,
        container: "\u001bc",
      },
      capabilities: { plugin: ["UNKNOWN(42)"], node: Array(300).fill("UNKNOWN(2147483647)"), controller: undefined },
    }),
  ],
  { notes: [`left out: /var/lib/kubelet/plugins/${STEERING}`] },
);

/** The driver's process is stopped: everything before it answers, and all after the HTTP/2 settings is not reached. */
export const STOPPED_INSPECTION: InspectReport = {
  socket: "/var/lib/kubelet/plugins/ebs.csi.aws.com/csi.sock",
  driver: "ebs.csi.aws.com",
  outcome: {
    kind: "failed",
    reason: "hung",
    message:
      "driver hung: it took the connection on /var/lib/kubelet/plugins/ebs.csi.aws.com/csi.sock but did not begin to speak HTTP/2 within 3s; its process is stopped, deadlocked or starved",
  },
  steps: [
    {
      title: "path",
      outcome: {
        kind: "passed",
        details: [
          "resolves to /mnt/data/kubelet/plugins/ebs.csi.aws.com/csi.sock",
          "49 of 107 bytes as the kubelet uses it",
        ],
      },
      elapsedMs: 0.132,
    },
    {
      title: "file",
      outcome: { kind: "passed", details: ["socket", "uid 0", "gid 0", "mode 0755; we are uid 0"] },
      elapsedMs: 0.02,
    },
    {
      title: "listener",
      outcome: {
        kind: "passed",
        details: ["pid 4711 (aws-ebs-csi-dri)", "in pod kube-system/ebs-csi-node-x7k2p", "container ebs-plugin"],
      },
      elapsedMs: 14.318,
    },
    {
      title: "process",
      outcome: {
        kind: "failed",
        details: ["stopped (T) for 3m12s", "age 6h2m11s", "no out-of-memory kill in its cgroup"],
        remedy: "it answers nothing until it is continued",
        command: "kill -CONT 4711",
      },
      elapsedMs: 0.641,
    },
    {
      title: "wait channel",
      outcome: { kind: "notPermitted", needs: "SYS_PTRACE" },
      elapsedMs: undefined,
    },
    { title: "connect", outcome: { kind: "passed", details: [] }, elapsedMs: 0.204 },
    {
      title: "HTTP/2",
      outcome: {
        kind: "failed",
        details: [
          "driver hung: it took the connection on /var/lib/kubelet/plugins/ebs.csi.aws.com/csi.sock but did not begin to speak HTTP/2 within 3s; its process is stopped, deadlocked or starved",
        ],
        remedy: "see the step process above, and what the driver's log says last",
        command: "kubectl logs -n kube-system ebs-csi-node-x7k2p -c ebs-plugin",
      },
      elapsedMs: 3_000.07,
    },
    { title: "GetPluginInfo", outcome: { kind: "notReached" }, elapsedMs: undefined },
    { title: "ControllerGetCapabilities", outcome: { kind: "notReached" }, elapsedMs: undefined },
  ],
  slow: false,
  verdict: "failed: hung at HTTP/2; process stopped (T) for 3m12s",
  next: "kill -CONT 4711",
};

/** A driver that answers everything, and lies in it. */
export const HOSTILE_INSPECTION: InspectReport = {
  socket: "/csi/日本\n.sock",
  driver: TURNING,
  outcome: { kind: "ready" },
  steps: [
    {
      title: "GetPluginInfo",
      outcome: { kind: "passed", details: [STEERING, "v1\nFAIL  path", "日本語 ".repeat(30)] },
      elapsedMs: 1,
    },
    {
      title: "NodeGetCapabilities",
      outcome: { kind: "absent", details: [`Unimplemented: ${TURNING}`] },
      elapsedMs: 1.96,
    },
    {
      title: "Probe",
      outcome: { kind: "failed", details: ["a".repeat(100)], remedy: `run ${STEERING}`, command: `echo ${TURNING}` },
      elapsedMs: undefined,
    },
    { title: "label", outcome: { kind: "notPermitted", needs: TURNING }, elapsedMs: undefined },
  ],
  slow: false,
  verdict: `ready ${STEERING}`,
  next: undefined,
};
