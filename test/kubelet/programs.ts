import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { prepareBaseline } from "../../bench/programs";
import { cached } from "../../scripts/cache";
import { fetchDeb, unpackDeb } from "../../scripts/image/inputs/debs";
import { BUILT_DIRECTORY, openBuilt } from "../../scripts/image/oci/built";
import { readLock } from "../../scripts/image/inputs/lock";
import { run } from "../../scripts/run";
import { temporaryDirectory } from "../../scripts/temporary";
import { kubernetes } from "../../scripts/tools/kubernetes";
import { buildGoDriver, buildGoProgram } from "../support/driver-builds";

/** When Debian's archive had these versions: snapshot.debian.org has them at this time. */
const SEEN = "2026-11-25T00:00:00Z";

/** For amd64. containerd is sid's, since image volumes need containerd 2.1; the others are bookworm's. */
const DEBS = {
  "pool/main/c/containerd/containerd_2.1.9+ds1-5_amd64.deb":
    "2dda86ce7033fd612fc50e136679d8174ccad680eb29cd4611e0d2a1b84cf591",
  "pool/main/r/runc/runc_1.1.5+ds1-1+deb12u1_amd64.deb":
    "a00351f8c0318de0b424ecf5cd0fdb69880a89f3511cae4f6fff7de3e57881c5",
  "pool/main/g/golang-github-containernetworking-plugins/containernetworking-plugins_1.1.1+ds1-3+b5_amd64.deb":
    "4cac8143474d1249b19f7b0e80b8d0daaa6dfdaa8bd514bc468d38d4a108099f",
  "pool/main/e/etcd/etcd-server_3.4.23-4+b4_amd64.deb":
    "3a9445d4560ad6de1c375756b2a17d97713df44cbd20a658c871fe108af7ef5d",
} as const;

/** Where the programs of a node are. */
export interface NodePrograms {
  /** The folders for PATH. */
  readonly path: readonly string[];
  /** The folder of the CNI plugins. */
  readonly cni: string;
}

/**
 * Builds Kubernetes, and unpacks the container runtime and etcd, or takes what is in the cache.
 *
 * @throws where this is not an amd64 machine, where Go 1.26 or dpkg is missing, or where a hash differs
 */
export async function nodePrograms(): Promise<NodePrograms> {
  if (process.arch !== "x64") throw new Error("the container runtime of the node's tests is pinned for amd64 alone");
  const built = await kubernetes();
  const root = await cached(Object.values(DEBS), "node", async (path) => {
    for (const [file, sha256] of Object.entries(DEBS)) {
      const deb = await fetchDeb({ archive: "debian", path: file, sha256 }, SEEN);
      await run(["dpkg-deb", "--extract", deb, path]);
    }
  });
  return { path: [built, join(root, "usr/bin"), join(root, "usr/sbin")], cni: join(root, "usr/lib/cni") };
}

/**
 * Writes the archives of the images: the one of `bun run image` as it is, and those whose place in the manifests of
 * deploy/examples a program of ours takes. PEER of the environment is the Go sidecar, a static file, as in the bench.
 *
 * @param directory empty; an archive is called as its repository: registry.example/NAME
 */
export async function writeImages(directory: string): Promise<void> {
  for (const variant of ["livenessprobe", "livenessprobe-nonroot"] as const)
    await pack(join(directory, `csi-${variant}.tar`), openBuilt(BUILT_DIRECTORY, variant).layout);
  const env = { CGO_ENABLED: "0" };
  const registrar = await buildGoProgram(join(import.meta.dirname, "registrar"), "registrar", [], env);
  const sidecar = await prepareBaseline(process.env["PEER"]);
  if (sidecar.kind === "missing") throw new Error(`the image of the Go sidecar cannot be made: ${sidecar.why}`);
  await writeImage(directory, "livenessprobe:v2.19.0", sidecar.program.path);
  for (const [tag, build] of [
    ["my-csi-driver:v1", await buildGoDriver(env)],
    ["csi-node-driver-registrar:v2.15.0", registrar],
  ] as const) {
    if (build.kind === "missing") throw new Error(`the image ${tag} cannot be made: ${build.why}`);
    await writeImage(directory, tag, build.program.command[0] ?? "");
  }
  using scratch = temporaryDirectory();
  const busybox = await unpackDeb(readLock(), "busybox-static", "amd64", scratch.path);
  await writeImage(directory, "pause:v1", join(busybox.root, "bin/busybox"), ["sleep", "infinity"]);
}

/** Writes a Docker archive of an image of one static file. */
async function writeImage(
  directory: string,
  tag: string,
  program: string,
  args: readonly string[] = [],
): Promise<void> {
  using scratch = temporaryDirectory();
  const inside = (name: string) => join(scratch.path, name);
  const entry = basename(program);
  mkdirSync(inside("files"));
  mkdirSync(inside("image"));
  cpSync(program, inside(`files/${entry}`));
  chmodSync(inside(`files/${entry}`), 0o755);
  await pack(inside("image/layer.tar"), inside("files"));

  const layer = await Bun.file(inside("image/layer.tar")).bytes();
  const rootfs = { type: "layers", diff_ids: [`sha256:${Bun.SHA256.hash(layer, "hex")}`] };
  const config = { architecture: "amd64", os: "linux", config: { Entrypoint: [`/${entry}`, ...args] }, rootfs };
  const manifest = [{ Config: "config.json", RepoTags: [`registry.example/${tag}`], Layers: ["layer.tar"] }];
  writeFileSync(inside("image/config.json"), JSON.stringify(config));
  writeFileSync(inside("image/manifest.json"), JSON.stringify(manifest));
  await pack(join(directory, `${tag.split(":")[0]}.tar`), inside("image"));
}

async function pack(archive: string, directory: string): Promise<void> {
  await run(["tar", "--create", "--file", archive, "--directory", directory, "."]);
}
