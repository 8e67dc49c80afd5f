import { describe, expect, test } from "bun:test";
import { csiMountsIn, redactMounts } from "../../src/report/mounts";

const KUBELET = "/var/lib/kubelet";
const VOLUME = `${KUBELET}/pods/6b29fc40-ca47-1067-b31d-00dd010662da/volumes/kubernetes.io~csi/pvc-1/mount`;

describe("a line of the mount table belongs to CSI", () => {
  test.each<readonly [string, string, boolean]>([
    ["a staged volume", `${KUBELET}/plugins/kubernetes.io/csi/a.csi/0123/globalmount`, true],
    ["a block volume", `${KUBELET}/plugins/kubernetes.io/csi/volumeDevices/publish/pvc-1/u`, true],
    ["a pod's volume", VOLUME, true],
    ["a pod's block volume", `${KUBELET}/pods/u/volumeDevices/kubernetes.io~csi/pvc-1`, true],
    ["a driver's own mount", `${KUBELET}/plugins/a.csi/mount`, true],
    ["a driver's own mount in the other directory", `${KUBELET}/csi-plugins/a.csi`, true],
    ["a projected volume", `${KUBELET}/pods/u/volumes/kubernetes.io~projected/token`, false],
    ["a volume of the kubelet itself", `${KUBELET}/plugins/kubernetes.io/nfs/mounts/a`, false],
    ["the kubelet's directory", KUBELET, false],
    ["another kubelet's volume", `/var/lib/k0s/kubelet/plugins/kubernetes.io/csi/a`, false],
    ["another directory", "/data", false],
  ])("%s", (_, mountPoint, isCsi) => {
    expect(csiMountsIn(`${lineOf(mountPoint)}\n`, "", [KUBELET])).toHaveLength(isCsi ? 1 : 0);
    expect(csiMountsIn(lineOf(`/host${mountPoint}`), "/host", [KUBELET])).toHaveLength(isCsi ? 1 : 0);
  });

  test("a subPath, by the file system of its volume", () => {
    const subPath = (pod: string) => `${KUBELET}/pods/${pod}/volume-subpaths/pvc-1/c/0`;
    const text = [lineOf(VOLUME, "0:50"), lineOf(subPath("a"), "0:50"), lineOf(subPath("b"), "0:51")].join("\n");
    expect(csiMountsIn(text, "", [KUBELET]).map(({ mountPoint }) => mountPoint)).toEqual([VOLUME, subPath("a")]);
  });

  test("its members are unescaped, and what is no line is left out", () => {
    const line = `36 35 0:50 /a\\040b ${VOLUME} rw,nosuid shared:1 - nfs4 nfs.example:/c\\040d rw,vers=4.2,addr=10.0.0.1`;
    expect(csiMountsIn(`garbage\n${line}\n`, "", [KUBELET])).toEqual([
      {
        mountPoint: VOLUME,
        root: "/a b",
        type: "nfs4",
        source: "nfs.example:/c d",
        options: ["rw", "nosuid"],
        superOptions: ["rw", "vers=4.2", "addr=10.0.0.1"],
      },
    ]);
  });
});

test.each<readonly [string, string, string, number]>([
  ["an NFS mount", "rw,vers=4.2,rsize=1048576,hard,sec=krb5p,clientaddr=10.0.0.2,addr=10.0.0.1", "", 0],
  ["an SMB mount", "rw,username=alice,uid=0,addr=10.0.0.1", "rw,username=[redacted],uid=0,addr=10.0.0.1", 1],
  ["a Ceph mount", "rw,name=admin,secret=AQB=,acl", "rw,name=admin,secret=[redacted],acl", 1],
  ["a password with commas", "password=a,b,c=d,rw", "password=[redacted],[redacted],c=[redacted],rw", 3],
  ["an option that nobody knows", "rw,x-y=z,allow_other", "rw,x-y=[redacted],allow_other", 1],
  ["a flavour of security that nobody knows", "sec=z", "sec=[redacted]", 1],
  ["a value with signs", "lowerdir=/a:/b,pw=a=b", "lowerdir=/a:/b,pw=[redacted]", 1],
])("options: %s", (_, before, after, count) => {
  const [mount, ...others] = csiMountsIn(`${lineOf(VOLUME)},${before}`, "", [KUBELET]);
  expect(others).toEqual([]);
  const { part, redactions } = redactMounts(mount === undefined ? [] : [mount], "mounts");
  expect(part[0]?.superOptions.slice(1).join(",")).toBe(after || before);
  expect(redactions).toEqual(count === 0 ? [] : [{ where: "mounts[0].superOptions", kind: "mount option", count }]);
});

function lineOf(mountPoint: string, device = "0:50"): string {
  return `36 35 ${device} / ${mountPoint} rw,relatime shared:1 - fuse.a source rw`;
}
