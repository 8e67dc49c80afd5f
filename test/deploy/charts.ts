/** What the values and templates of a chart say about its liveness sidecar: only what docs/adopting.md relies on. */
export interface Chart {
  /** As in the headings of docs/adopting.md. */
  readonly name: string;
  /** The keys that matter, with the chart's defaults. */
  readonly values: ChartValues;
  /** How the template joins the image: the path of a value, or text that follows a quote. */
  readonly image: readonly string[];
  /** What the Linux DaemonSet passes to the sidecar, with the default values in place. */
  readonly args: readonly string[];
  /** The kubelet's, of the driver's liveness probe in that DaemonSet. */
  readonly timeoutSeconds: number;
  /** Of the sidecar in that DaemonSet. */
  readonly memoryLimit: string;
}

export interface ChartValues {
  readonly [key: string]: string | ChartValues;
}

const csiAddress = "--csi-address=/csi/csi.sock";

/** The charts of the Azure drivers, NFS and SMB: the same keys, and `baseRepo` only before a slash. */
const imageLivenessProbe = (repository: string, tag: string): Pick<Chart, "values" | "image"> => ({
  values: { image: { livenessProbe: { repository, tag, pullPolicy: "IfNotPresent" } } },
  image: ["image.livenessProbe.repository", "':", "image.livenessProbe.tag"],
});

export const CHARTS: readonly Chart[] = [
  {
    // kubernetes-sigs/aws-ebs-csi-driver, charts/aws-ebs-csi-driver: values.yaml and templates/_node.tpl at 01db425,
    // templates/_node-windows.tpl at 037f445, templates/controller.yaml at 014eef4
    name: "aws-ebs-csi-driver",
    values: {
      image: { containerRegistry: "" },
      sidecars: {
        livenessProbe: {
          image: {
            pullPolicy: "IfNotPresent",
            repository: "public.ecr.aws/csi-components/livenessprobe",
            tag: "v2.16.0-eksbuild.2",
          },
        },
      },
    },
    image: [
      "image.containerRegistry",
      "sidecars.livenessProbe.image.repository",
      "':",
      "sidecars.livenessProbe.image.tag",
    ],
    args: [csiAddress],
    timeoutSeconds: 3,
    memoryLimit: "256Mi",
  },
  {
    // kubernetes-sigs/aws-efs-csi-driver, charts/aws-efs-csi-driver: values.yaml and templates/_node.tpl at 3571bad,
    // templates/controller-deployment.yaml at 008332a
    name: "aws-efs-csi-driver",
    values: {
      sidecars: {
        livenessProbe: {
          image: {
            repository: "public.ecr.aws/eks-distro/kubernetes-csi/livenessprobe",
            tag: "v2.12.0-eks-1-29-7",
            pullPolicy: "IfNotPresent",
          },
        },
      },
    },
    image: ["sidecars.livenessProbe.image.repository", "':", "sidecars.livenessProbe.image.tag"],
    args: [csiAddress, "--health-port=9809", "--v=2"],
    timeoutSeconds: 3,
    memoryLimit: "none",
  },
  {
    // kubernetes-sigs/azuredisk-csi-driver, charts/latest/azuredisk-csi-driver: values.yaml at cd300eb,
    // templates/csi-azuredisk-node.yaml at e639c59, csi-azuredisk-node-windows.yaml at 87a2144, ...-hostprocess.yaml at
    // f65e3d1
    name: "azuredisk-csi-driver",
    ...imageLivenessProbe("/oss/v2/kubernetes-csi/livenessprobe", "v2.18.0"),
    args: [csiAddress, "--probe-timeout=3s", "--health-port=29603", "--v=2"],
    timeoutSeconds: 10,
    memoryLimit: "100Mi",
  },
  {
    // kubernetes-sigs/azurefile-csi-driver, charts/latest/azurefile-csi-driver: values.yaml at 0309d8e,
    // templates/csi-azurefile-node.yaml at 0267240, csi-azurefile-node-windows.yaml at 817aed0, ...-hostprocess.yaml at
    // 3cac122
    name: "azurefile-csi-driver",
    ...imageLivenessProbe("/oss/kubernetes-csi/livenessprobe", "v2.14.0"),
    args: [csiAddress, "--probe-timeout=10s", "--http-endpoint=localhost:29613", "--v=2"],
    timeoutSeconds: 30,
    memoryLimit: "100Mi",
  },
  {
    // kubernetes-csi/csi-driver-nfs, charts/latest/csi-driver-nfs: values.yaml at 00a1607, templates/csi-nfs-node.yaml
    // at 57d8b1e
    name: "csi-driver-nfs",
    ...imageLivenessProbe("registry.k8s.io/sig-storage/livenessprobe", "v2.15.0"),
    args: [csiAddress, "--probe-timeout=3s", "--http-endpoint=localhost:29653", "--v=2"],
    timeoutSeconds: 10,
    memoryLimit: "100Mi",
  },
  {
    // kubernetes-csi/csi-driver-smb, charts/latest/csi-driver-smb: values.yaml at f975c1b, templates/csi-smb-node.yaml
    // at aba2761, csi-smb-node-windows.yaml at de19e40, csi-smb-node-windows-hostprocess.yaml at 052c41f
    name: "csi-driver-smb",
    ...imageLivenessProbe("registry.k8s.io/sig-storage/livenessprobe", "v2.10.0"),
    args: [csiAddress, "--probe-timeout=3s", "--http-endpoint=localhost:29643", "--v=2"],
    timeoutSeconds: 10,
    memoryLimit: "100Mi",
  },
  {
    // kubernetes-sigs/secrets-store-csi-driver: manifest_staging/charts/secrets-store-csi-driver/values.yaml at
    // c7da95a, charts/secrets-store-csi-driver/templates/secrets-store-csi-driver.yaml at d0faaff
    name: "secrets-store-csi-driver",
    values: {
      linux: {
        livenessProbeImage: {
          repository: "k8s.gcr.io/sig-storage/livenessprobe",
          tag: "v2.6.0",
          pullPolicy: "IfNotPresent",
        },
      },
    },
    image: ["linux.livenessProbeImage.repository", "':", "linux.livenessProbeImage.tag"],
    args: [csiAddress, "--probe-timeout=3s", "--http-endpoint=0.0.0.0:9808", "-v=2"],
    timeoutSeconds: 10,
    memoryLimit: "100Mi",
  },
  {
    // longhorn/longhorn, chart: values.yaml and templates/deployment-driver.yaml at 45157bc;
    // longhorn/longhorn-manager, csi/deployment.go at 0036265
    name: "longhorn",
    values: { image: { csi: { livenessProbe: { repository: "longhornio/livenessprobe", tag: "v2.15.0" } } } },
    image: ["image.csi.livenessProbe.repository", "':", "image.csi.livenessProbe.tag"],
    args: ["--v=4", csiAddress],
    timeoutSeconds: 4,
    memoryLimit: "none",
  },
  {
    // longhorn/longhorn, chart/templates/deployment-driver.yaml at 073c05a; the values of v1.10.1 only in a copy
    name: "longhorn with `registry`",
    values: {
      image: {
        csi: { livenessProbe: { registry: "", repository: "longhornio/livenessprobe", tag: "v2.17.0-20251030" } },
      },
    },
    image: [
      "image.csi.livenessProbe.registry",
      "'/",
      "image.csi.livenessProbe.repository",
      "':",
      "image.csi.livenessProbe.tag",
    ],
    args: ["--v=4", csiAddress],
    timeoutSeconds: 4,
    memoryLimit: "none",
  },
  {
    // topolvm/topolvm, charts/topolvm: values.yaml at 028e26e, templates/node/daemonset.yaml at 0024a5a,
    // templates/controller/deployment.yaml at 030983c
    name: "topolvm",
    values: { image: { csi: { livenessProbe: "" } } },
    image: ["image.csi.livenessProbe"],
    args: ["--csi-address=/var/lib/kubelet/plugins/topolvm.io/node/csi-topolvm.sock", "--http-endpoint=:9808"],
    timeoutSeconds: 3,
    memoryLimit: "none",
  },
];
