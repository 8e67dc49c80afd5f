import { containersOf, type Container, type PodSpec, type SecurityContext } from "./manifests";

/**
 * The profile `restricted`, with all of `baseline` that it includes: each control's name and whether a pod satisfies
 * it. From Kubernetes' "Pod Security Standards", for Linux.
 */
export const RESTRICTED: readonly (readonly [control: string, holds: (pod: PodSpec) => boolean])[] = [
  ["host namespaces", (pod) => !pod.hostNetwork && !pod.hostPID && !pod.hostIPC],
  ["privileged containers", everyContext(({ privileged }) => privileged !== true)],
  ["host ports", everyContainer(({ ports = [] }) => ports.every(({ hostPort }) => hostPort === undefined))],
  ["host probes", everyContainer(({ livenessProbe }) => livenessProbe?.httpGet?.host === undefined)],
  ["AppArmor", everyContext(({ appArmorProfile }) => appArmorProfile?.type !== "Unconfined")],
  ["SELinux", everyContext(({ seLinuxOptions }) => isConfined(seLinuxOptions))],
  ["the type of /proc", everyContext(({ procMount = "Default" }) => procMount === "Default")],
  ["sysctls", ({ securityContext }) => (securityContext?.sysctls ?? []).length === 0],
  ["volume types", ({ volumes = [] }) => volumes.every((volume) => isAmong(VOLUME_TYPES, volumeType(volume)))],
  ["capabilities", everyContext(({ capabilities }) => capabilitiesAreLeast(capabilities))],
  ["seccomp", everyContext(({ seccompProfile }) => isAmong(["RuntimeDefault", "Localhost"], seccompProfile?.type))],
  ["privilege escalation", everyContext(({ allowPrivilegeEscalation }) => allowPrivilegeEscalation === false)],
  ["running as non-root", everyContext(({ runAsNonRoot }) => runAsNonRoot === true)],
  ["a non-root user", everyContext(({ runAsUser }) => runAsUser !== 0)],
];

const VOLUME_TYPES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

/** What holds for a container: its own field, or where it has none the pod's. */
export function effectiveContext(pod: PodSpec, container: Container): SecurityContext {
  return { ...pod.securityContext, ...container.securityContext };
}

function everyContainer(holds: (container: Container) => boolean) {
  return (pod: PodSpec) => containersOf(pod).every(holds);
}

function everyContext(holds: (context: SecurityContext) => boolean) {
  return (pod: PodSpec) => containersOf(pod).every((container) => holds(effectiveContext(pod, container)));
}

function isConfined({ type, user, role }: NonNullable<SecurityContext["seLinuxOptions"]> = {}): boolean {
  const types = ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
  return (type === undefined || types.includes(type)) && user === undefined && role === undefined;
}

function capabilitiesAreLeast({ add = [], drop = [] }: NonNullable<SecurityContext["capabilities"]> = {}): boolean {
  return drop.includes("ALL") && add.every((capability) => capability === "NET_BIND_SERVICE");
}

function volumeType(volume: object): string | undefined {
  return Object.keys(volume).find((key) => key !== "name");
}

function isAmong(allowed: readonly string[], value: string | undefined): boolean {
  return value !== undefined && allowed.includes(value);
}
