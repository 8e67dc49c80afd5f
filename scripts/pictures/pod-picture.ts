import { FONT, type Theme } from "./theme";

/** What the picture tells of a pod, as its manifest says it. */
export interface Pod {
  readonly endpoint: string;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
  readonly socketPath: string;
  readonly probeTimeout: string;
}

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly livenessProbe?: {
    readonly httpGet: { readonly path: string; readonly port: number };
    readonly periodSeconds: number;
    readonly timeoutSeconds: number;
    readonly failureThreshold: number;
  };
}

interface Manifest {
  readonly kind: string;
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
}

/** @throws where the manifest has no driver with a liveness probe, or no sidecar with both of its flags */
export function readPod(yaml: string): Pod {
  // Ours; test/deploy holds it to the schema of Kubernetes.
  const documents = Bun.YAML.parse(yaml) as readonly Manifest[];
  const containers = documents.find(({ kind }) => kind === "DaemonSet")?.spec.template.spec.containers ?? [];
  const probe = containers.find(({ name }) => name === "driver")?.livenessProbe;
  const args = containers.find(({ name }) => name === "livenessprobe")?.args ?? [];
  const flag = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const [socketPath, probeTimeout] = [flag("csi-address"), flag("probe-timeout")];
  if (probe === undefined || socketPath === undefined || probeTimeout === undefined)
    throw new Error(
      "the manifest lacks the driver's livenessProbe, or --csi-address or --probe-timeout of the sidecar",
    );
  const { httpGet, periodSeconds, timeoutSeconds, failureThreshold } = probe;
  const endpoint = `:${httpGet.port}${httpGet.path}`;
  return { endpoint, periodSeconds, timeoutSeconds, failureThreshold, socketPath, probeTimeout };
}

const TITLE = "How the sidecar works in a pod";

/** Draws who asks whom in a pod. 800 wide, so that its text keeps its size on a page. */
export function drawPod(pod: Pod, theme: Theme): string {
  const { endpoint, periodSeconds, timeoutSeconds, failureThreshold, socketPath, probeTimeout } = pod;
  const steps = [
    `1. The kubelet sends GET ${endpoint} to the sidecar every ${periodSeconds} s and waits ${timeoutSeconds} s.`,
    `2. The sidecar calls Identity/Probe of the driver through ${socketPath} and waits up to ${probeTimeout}.`,
    "3. The driver says that it is ready, that it is not, or nothing at all.",
    "4. The sidecar answers 200, or 500 with the reason.",
    `5. After ${failureThreshold} failures in a row the kubelet restarts the driver's container.`,
  ];
  const body = [
    box(20, 50, 150, 260, "kubelet", "on the node", theme),
    `<rect x="424" y="20" width="356" height="310" rx="8" fill="none" stroke="${theme.line}" stroke-dasharray="5 4"/>`,
    label(440, 40, "pod", theme.faintText),
    box(440, 50, 324, 80, "livenessprobe", "the sidecar", theme, theme.accent),
    box(440, 240, 324, 70, "driver", "the CSI driver's container", theme),
    arrow(170, 72, 440, 72, theme.accent),
    step(184, 64, 1, `GET ${endpoint}`, theme),
    label(184, 90, `every ${periodSeconds} s, waits ${timeoutSeconds} s`, theme.faintText),
    arrow(440, 116, 170, 116, theme.accent),
    step(184, 140, 4, "200, or 500 and why", theme),
    arrow(456, 130, 456, 240, theme.accent),
    step(466, 170, 2, "Identity/Probe", theme),
    label(466, 191, socketPath, theme.faintText),
    label(466, 211, `waits ${probeTimeout}`, theme.faintText),
    arrow(620, 240, 620, 130, theme.accent),
    step(630, 170, 3, "ready", theme),
    label(630, 191, "or not ready,", theme.faintText),
    label(630, 211, "or no answer", theme.faintText),
    arrow(170, 275, 440, 275, theme.line),
    step(184, 267, 5, "restarts the driver", theme),
    label(184, 295, `after ${failureThreshold} failures in a row`, theme.faintText),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="800" height="350" viewBox="0 0 800 350" role="img" font-family='${FONT}' font-size="14">`,
    `<title>${TITLE}</title>`,
    `<desc>${steps.join(" ")}</desc>`,
    `<rect width="800" height="350" fill="${theme.background}"/>`,
    ...body,
    "</svg>\n",
  ].join("\n");
}

function box(
  x: number,
  y: number,
  width: number,
  height: number,
  name: string,
  what: string,
  theme: Theme,
  edge?: string,
) {
  const [centre, middle] = [x + width / 2, y + height / 2];
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${theme.panel}" stroke="${edge ?? theme.line}" stroke-width="1.5"/>`,
    `<text x="${centre}" y="${middle - 3}" text-anchor="middle" font-size="17" font-weight="600" fill="${theme.text}">${name}</text>`,
    `<text x="${centre}" y="${middle + 17}" text-anchor="middle" fill="${theme.faintText}">${what}</text>`,
  ].join("\n");
}

function step(x: number, y: number, number: number, text: string, theme: Theme): string {
  return `<text x="${x}" y="${y}" fill="${theme.text}"><tspan font-weight="600" fill="${theme.accent}">${number}</tspan> ${text}</text>`;
}

function label(x: number, y: number, text: string, colour: string): string {
  return `<text x="${x}" y="${y}" fill="${colour}">${text}</text>`;
}

const HEAD = 8;

/** A line along an axis, with its head at the end. */
function arrow(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  const [dx, dy] = [Math.sign(x2 - x1), Math.sign(y2 - y1)];
  const [baseX, baseY] = [x2 - dx * HEAD, y2 - dy * HEAD];
  const corners = [
    [x2, y2],
    [baseX + (dy * HEAD) / 2, baseY + (dx * HEAD) / 2],
    [baseX - (dy * HEAD) / 2, baseY - (dx * HEAD) / 2],
  ];
  const head = corners.map((corner) => corner.join(",")).join(" ");
  return `<path d="M${x1} ${y1}L${baseX} ${baseY}" stroke="${colour}" stroke-width="2"/><polygon points="${head}" fill="${colour}"/>`;
}
