import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { YAML } from "bun";
import packageJson from "../../package.json" with { type: "json" };
import { BUILT_DIRECTORY } from "../../scripts/image/oci/built";
import { tagFault } from "../../scripts/release/check-tag";
import { RELEASE_DIRECTORY, readRelease } from "../../scripts/release/files";
import { makeRelease } from "../../scripts/release/release";
import { digestAt } from "../../scripts/release/targets";
import { run } from "../../scripts/run";
import { type Registry, startRegistry } from "../support/registry";
import { type KeyPair, byKey, cosign, generateKeyPair, passwordOf, runScript, succeeded } from "../support/signing";
import { type StandIn, writeStandIn } from "../support/stand-in-image";
import { readTar } from "../../scripts/image/oci/tar";
import { type TemporaryDirectory, temporaryDirectory } from "../../scripts/temporary";

const { version } = packageJson;
const EXECUTABLES = ["livenessprobe-linux-arm64", "livenessprobe-linux-x64"];
const PLUGIN = `kubectl-csi-${version}.tar.gz`;
const ARCHIVE = `livenessprobe-${version}-apks.tar`;
/** What these tests read of a krew manifest. */
interface KrewManifest {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly version: string; readonly platforms: readonly object[] };
}
/** cosign is compiled where the cache has none. */
const TOOLS_BOUND_MS = 15 * 60_000;

test.each([
  ["v0.1.0", "0.1.0", undefined],
  ["v0.1.1", "0.1.0", "The tag v0.1.1 is not v0.1.0, and package.json has 0.1.0: change one of them"],
  ["0.1.0", "0.1.0", expect.stringContaining("The tag 0.1.0 is not v0.1.0")],
  ["v0.1.0-rc.1", "0.1.0", expect.stringContaining("is not v0.1.0")],
])("the tag %s is held against the version %s", (tag, of, fault) => {
  expect(tagFault(tag, of)).toEqual(fault);
});

describe("the files of a release", () => {
  let directory: TemporaryDirectory;
  let names: readonly string[];

  beforeAll(async () => {
    directory = temporaryDirectory();
    names = await release("first");
  }, 60_000);
  afterAll(() => directory[Symbol.dispose]());

  test("are the executables with an SBOM each, the packages and the checksums", () => {
    const expected = [
      "csi.yaml",
      PLUGIN,
      ARCHIVE,
      ...EXECUTABLES.flatMap((name) => [name, `${name}.spdx.json`]),
      "SHA256SUMS",
    ];
    expect(names).toEqual(expected);
    expect(readdirSync(place("first")).toSorted()).toEqual(expected.toSorted());
  });

  test("have the checksums that sha256sum takes", async () => {
    const said = await run(["sha256sum", "--check", "--strict", "SHA256SUMS"], { cwd: place("first") });
    expect(said.split("\n")).toEqual(names.slice(0, -1).map((name) => `${name}: OK`));
  });

  test("are the same bytes again, whatever was there before", async () => {
    mkdirSync(place("second"));
    writeFileSync(join(place("second"), "livenessprobe-0.0.9-apks.tar"), "of an older version");
    expect(await release("second")).toEqual(names);
    const sums = ["first", "second"].map((name) => readFileSync(join(place(name), "SHA256SUMS"), "utf8"));
    expect(sums[0]).toBe(sums[1] ?? "");
  });

  test("have the packages of both architectures, as `bun run image --packages` wants them, and nobody's name", () => {
    const entries = readTar(readFileSync(join(place("first"), ARCHIVE)));
    expect(entries.filter(({ type }) => type === "directory").map(({ path }) => path)).toEqual(["aarch64", "x86_64"]);
    const files = entries.filter(({ type }) => type === "file");
    const expected = ["aarch64", "x86_64"].flatMap((folder) =>
      readdirSync(join(BUILT_DIRECTORY, "packages", folder))
        .filter((name) => name.endsWith(".apk"))
        .map((name) => `${folder}/${name}`),
    );
    expect(files.map(({ path }) => path)).toEqual(expected.toSorted());
    expect(new Set(files.map(({ uid, gid, mode, mtime }) => `${uid} ${gid} ${mode.toString(8)} ${mtime}`))).toEqual(
      new Set(["0 0 644 1700000000"]),
    );
  });

  test("have the plugin of kubectl, and a krew manifest with its checksum", () => {
    const archive = readFileSync(join(place("first"), PLUGIN));
    const entries = readTar(Bun.gunzipSync(archive));
    expect(entries.map(({ path, uid, mode, mtime }) => `${path} ${uid} ${mode.toString(8)} ${mtime}`)).toEqual([
      "LICENSE 0 644 1700000000",
      "kubectl-csi 0 755 1700000000",
    ]);
    const { metadata, spec } = YAML.parse(readFileSync(join(place("first"), "csi.yaml"), "utf8")) as KrewManifest;
    const [platform] = spec.platforms;
    expect({ name: metadata.name, version: spec.version, ...platform }).toMatchObject({
      name: "csi",
      version: `v${version}`,
      uri: expect.stringMatching(new RegExp(`/v${version}/${PLUGIN}$`)),
      sha256: Bun.SHA256.hash(archive, "hex"),
      bin: entries.at(-1)?.path,
    });
  });

  test("are not made of an executable that is not the image's", async () => {
    copyExecutables("changed");
    writeFileSync(join(place("changed"), "livenessprobe-linux-x64"), "another");
    const made = makeRelease({ from: BUILT_DIRECTORY, to: place("changed"), version, epoch: 0 });
    await expect(made).rejects.toThrow("livenessprobe-linux-x64 is not the executable in the image for amd64");
  });

  describe("are refused", () => {
    beforeAll(() => {
      mkdirSync(place("small"));
      writeFileSync(join(place("small"), "one"), "1");
      writeFileSync(join(place("small"), "SHA256SUMS"), `${Bun.SHA256.hash("1", "hex")}  one\n`);
    });

    test.each([
      ["without checksums", (at: string) => rmSync(join(at, "SHA256SUMS")), "There is no"],
      ["where one is missing", (at: string) => rmSync(join(at, "one")), "one: run bun run release again"],
      ["where one was changed", (at: string) => writeFileSync(join(at, "one"), "2"), "it was changed"],
      ["where one has no checksum", (at: string) => writeFileSync(join(at, "two"), "2"), "two has no checksum"],
    ])("%s", async (name, spoil, why) => {
      const at = place(name);
      await run(["cp", "--recursive", place("small"), at]);
      expect(readRelease(at)).toEqual(["one", "SHA256SUMS"]);
      spoil(at);
      expect(() => readRelease(at)).toThrow(why);
    });
  });

  async function release(name: string): Promise<readonly string[]> {
    copyExecutables(name);
    return makeRelease({ from: BUILT_DIRECTORY, to: place(name), version, epoch: 1_700_000_000 });
  }

  function copyExecutables(name: string): void {
    mkdirSync(place(name), { recursive: true });
    for (const executable of EXECUTABLES)
      copyFileSync(join(RELEASE_DIRECTORY, executable), join(place(name), executable));
  }

  function place(name: string): string {
    return join(directory.path, name);
  }
});

describe("publishing", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  let directory: TemporaryDirectory;
  let registry: Registry;
  let keys: KeyPair;
  let built: StandIn;
  let repository = "";

  beforeAll(async () => {
    directory = temporaryDirectory();
    registry = await startRegistry();
    keys = await generateKeyPair(directory.path, "ours");
    built = writeBuilt("built", commit);
    repository = `${registry.address}/team/csi-livenessprobe`;
  }, TOOLS_BOUND_MS);
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  test("pushes by digest and signs; the tag is set when all is done, and then there is nothing to do", async () => {
    expect((await publishImages(built, "1.0")).outputs).toBe(`livenessprobe=${built.index}\n`);
    expect(await digestAt(`${repository}:1.0`)).toBeUndefined();
    const type = "https://sigstore.dev/cosign/sign/v1";
    succeeded(await cosign(["verify-attestation", ...byKey(keys), "--type", type, `${repository}@${built.index}`]));

    expect(succeeded(await tagImages(built, "1.0")).stdout).toBe(`${repository}:1.0@${built.index}\n`);
    expect(await digestAt(`${repository}:1.0`)).toBe(built.index);

    const again = await publishImages(built, "1.0");
    expect([again.outputs, again.stdout]).toEqual(["", `${repository}:1.0 is ${built.index} already\n`]);
    expect(succeeded(await tagImages(built, "1.0")).stdout).toBe("");
  }, 60_000);

  test("publishes what has changed, but moves no tag unless it is told to", async () => {
    const first = writeBuilt("night one", commit);
    const second = writeBuilt("night two", commit.replace("0", "f"));
    await publishImages(first, "nightly");
    succeeded(await tagImages(first, "nightly"));

    expect((await publishImages(second, "nightly")).outputs).toBe(`livenessprobe=${second.index}\n`);
    const { code, stderr } = await tagImages(second, "nightly");
    expect([code, stderr]).toEqual([
      1,
      `${repository}:nightly is ${first.index} already: a published version must not change (--move moves a tag)\n`,
    ]);
    expect(await digestAt(`${repository}:nightly`)).toBe(first.index);
    succeeded(await tagImages(second, "nightly", "--move"));
    expect(await digestAt(`${repository}:nightly`)).toBe(second.index);
  }, 60_000);

  test("to a registry that does not answer is no success, and is not taken for one that has nothing", async () => {
    await expect(digestAt("127.0.0.1:9/none:1")).rejects.toThrow("connection refused");
    const args = ["--repository", "127.0.0.1:9/none", "--tag", "1", "--from", built.directory];
    const { code, stderr } = await runScript("release/publish-images.ts", args, {});
    expect([code, stderr]).toEqual([1, expect.stringContaining("connection refused")]);
  });

  test("logs in to the host of the repository, with the token nowhere but in the file", async () => {
    const env = { IMAGE_REPOSITORY: "registry.example/team/name", REGISTRY_USER: "someone", REGISTRY_TOKEN: "secret" };
    const ended = succeeded(await runScript("release/login.ts", [], { ...env, DOCKER_CONFIG: directory.path }));
    expect(ended.stdout + ended.stderr).toBe("");
    expect(JSON.parse(readFileSync(join(directory.path, "config.json"), "utf8"))).toEqual({
      auths: { "registry.example": { auth: btoa("someone:secret") } },
    });
  });

  test.each(["IMAGE_REPOSITORY", "REGISTRY_USER", "REGISTRY_TOKEN"])("does not log in without %s", async (name) => {
    const all = { IMAGE_REPOSITORY: "registry.example/name", REGISTRY_USER: "someone", REGISTRY_TOKEN: "secret" };
    const { code, stderr } = await runScript("release/login.ts", [], { ...all, [name]: undefined });
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${name} is not set`)]);
  });

  describe("on GitHub", () => {
    let files: string;

    beforeAll(() => {
      files = join(directory.path, "release");
      mkdirSync(files);
      writeFileSync(join(files, "one"), "1");
      writeFileSync(join(files, "SHA256SUMS"), `${Bun.SHA256.hash("1", "hex")}  one\n`);
      for (const name of ["one", "SHA256SUMS"]) writeFileSync(join(files, `${name}.sigstore.json`), "{}");
    });

    test("gives GitHub's client the tag, the images and each file with its signature", async () => {
      const { code, called } = await publish(`v${version}`);
      expect(code).toBe(0);
      expect(called.slice(0, 3)).toEqual(["release", "create", `v${version}`]);
      expect(called).toContain("--verify-tag");
      const attached = ["one", "one.sigstore.json", "SHA256SUMS", "SHA256SUMS.sigstore.json"];
      expect(called.slice(-4)).toEqual(attached.map((name) => join(files, name)));
      expect(called.join("\n")).toContain(`    registry.example/name:${version}@${built.index}\n`);
    });

    test("refuses another tag", async () => {
      const { code, called, stderr } = await publish("v9.9.9");
      expect([code, called, stderr]).toEqual([1, [], expect.stringContaining("The tag v9.9.9 is not")]);
    });

    test("refuses a file without a signature", async () => {
      rmSync(join(files, "one.sigstore.json"));
      const { code, called, stderr } = await publish(`v${version}`);
      expect([code, called, stderr]).toEqual([1, [], expect.stringContaining("one.sigstore.json: sign the release's")]);
    });

    /** With a client in the place of GitHub's, which writes down what it was called with. */
    async function publish(tag: string) {
      using place = temporaryDirectory();
      const record = join(place.path, "called");
      const client = join(place.path, "gh");
      writeFileSync(client, `#!/bin/sh\nprintf '%s\\0' "$@" > ${record}\n`);
      chmodSync(client, 0o755);
      const args = ["--tag", tag, "--repository", "registry.example/name", "--from", files, "--image", built.directory];
      const { PATH = "" } = process.env;
      const ended = await runScript("release/publish.ts", args, { PATH: `${place.path}:${PATH}` });
      const called = (await Bun.file(record).exists()) ? (await Bun.file(record).text()).split("\0").slice(0, -1) : [];
      return { ...ended, called };
    }
  });

  function writeBuilt(name: string, revision: string): StandIn {
    mkdirSync(join(directory.path, name));
    return writeStandIn(join(directory.path, name), revision);
  }

  async function publishImages(from: StandIn, tag: string) {
    using place = temporaryDirectory();
    const outputs = join(place.path, "outputs");
    writeFileSync(outputs, "");
    const args = ["--repository", repository, "--tag", tag, "--from", from.directory, "--key", keys.privateKey];
    const env = { ...passwordOf(keys), GITHUB_OUTPUT: outputs, BUILD_COMMIT: revisionOf(from) };
    const ended = succeeded(await runScript("release/publish-images.ts", args, env));
    return { ...ended, outputs: readFileSync(outputs, "utf8") };
  }

  function revisionOf(from: StandIn): string {
    return from.directory.endsWith("two") ? commit.replace("0", "f") : commit;
  }

  async function tagImages(from: StandIn, tag: string, ...more: readonly string[]) {
    const args = ["--repository", repository, "--tag", tag, "--from", from.directory, ...more];
    return runScript("release/tag-images.ts", args, {});
  }
});
