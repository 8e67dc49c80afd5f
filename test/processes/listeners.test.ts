import { describe, expect, test } from "bun:test";
import { statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";
import { findListeners, type ListenerQuestion, type ListenerSearch } from "../../src/processes/listeners";
import { readText } from "../../src/base/reads";
import { makeNode, type MadeNode } from "../support/made-node";
import { mayMount, mountTelling } from "../support/made-node-mount";
import { inContainer, LISTEN, LISTEN_AND_HANG, mayContain, runScript, startPython } from "../support/made-node-process";
import { usable } from "../support/usable";
import { waitUntil } from "../support/wait";
import { NOBODY_UID } from "../support/socket-cases";

const PROC = { procDir: "/proc", uid: process.getuid?.() ?? 0 };
const isRoot = PROC.uid === 0;
const OWN_MOUNTS = ["unshare", "--user", "--map-root-user", "--mount", "true"];
const containers = mayContain("who listens in a container");

describe("who listens on a socket", () => {
  test("is found by its path", async () => {
    await using node = makeNode();
    await using driver = await startPython(LISTEN, [node.outer("/sought.sock")]);
    expect(await search(node, "/sought.sock")).toEqual({
      kind: "found",
      pids: [driver.pid],
      boundPath: node.outer("/sought.sock"),
    });
  });

  test("is told from who listens on another of the same name", async () => {
    await using node = makeNode();
    for (const name of ["a", "b"]) node.directory(`/${name}`);
    await using one = await startPython(LISTEN, [node.outer("/a/sought.sock")]);
    await using other = await startPython(LISTEN, [node.outer("/b/sought.sock")]);
    expect([pidsOf(await search(node, "/a/sought.sock")), pidsOf(await search(node, "/b/sought.sock"))]).toEqual([
      [one.pid],
      [other.pid],
    ]);
  });

  test("is found though it bound a relative path", async () => {
    await using node = makeNode();
    node.directory("/deep/down");
    await using driver = await startPython(LISTEN, ["../sought.sock"], { cwd: node.outer("/deep/down") });
    expect(pidsOf(await search(node, "/deep/sought.sock"))).toEqual([driver.pid]);
  });

  test("is every process that shares it", async () => {
    await using node = makeNode();
    const fork = LISTEN.replace("print", "import os\nif os.fork() == 0: sys.stdin.read(); os._exit(0)\nprint");
    await using driver = await startPython(fork, [node.outer("/sought.sock")]);
    const pids = pidsOf(await search(node, "/sought.sock"));
    expect(pids).toEqual([driver.pid, expect.any(Number)]);
    process.kill(pids[1] ?? 0, "SIGKILL");
  });

  test("is the driver, and not the program that it starts, though that has fewer descriptors", async () => {
    await using node = makeNode();
    node.fifo("/fifo");
    // A name of its own, or the search goes on for other sockets, and finds both.
    const path = `/${process.pid}.sock`;
    await using driver = await startPython(LISTEN_AND_HANG, [node.outer(path), node.outer("/fifo")]);
    await waitUntil(async () => (pidsOf(await search(node, path)) ?? []).length > 1, "the program that it starts");
    const question = { ...questionFor(node, path), everyHolder: false };
    const [found = { kind: "nobody" as const }] = await findListeners(PROC, question);
    expect(pidsOf(found)).toEqual([driver.pid]);
  });

  test.if(isRoot && usable("a user namespace", OWN_MOUNTS))(
    "is not looked for on mounts that a process may have made by itself",
    async () => {
      await using node = makeNode();
      await using _ = await startPython(LISTEN, [node.outer("/sought.sock")], { prefix: OWN_MOUNTS.slice(0, -1) });
      expect(await search(node, "/sought.sock")).toEqual({ kind: "unknown", why: "mount" });
    },
  );

  test("is nobody, where its driver was killed", async () => {
    await using node = makeNode();
    node.staleSocket("/sought.sock");
    expect(await search(node, "/sought.sock")).toEqual({ kind: "nobody" });
  });

  test("is nobody, though somebody listens on another of the same name", async () => {
    await using node = makeNode();
    node.staleSocket("/stale/sought.sock");
    await node.liveSocket("/live/sought.sock");
    expect(await search(node, "/stale/sought.sock")).toEqual({ kind: "nobody" });
  });

  test("is not known, and not nobody, where there was no time to look", async () => {
    await using node = makeNode();
    await node.liveSocket("/sought.sock");
    const found = await findListeners(PROC, { ...questionFor(node, "/sought.sock"), boundMs: 0 });
    expect(found).toEqual([{ kind: "unknown", why: "cut" }]);
  });

  test("is found for each of many sockets, in their order", async () => {
    await using node = makeNode();
    for (const name of ["a", "b", "c"]) node.directory(`/${name}`);
    node.staleSocket("/b/sought.sock");
    await using driver = await startPython(LISTEN, [node.outer("/a/sought.sock"), node.outer("/c/sought.sock")]);
    const sockets = ["a", "b", "c"].flatMap((name) => questionFor(node, `/${name}/sought.sock`).sockets);
    const found = await findListeners(PROC, { ...questionFor(node, "/a/sought.sock"), sockets });
    expect(found.map(pidsOf)).toEqual([[driver.pid], [], [driver.pid]]);
  });

  test("is not told where its file was renamed", async () => {
    await using node = makeNode();
    await node.liveSocket("/sought.sock.new");
    node.rename("/sought.sock.new", "/sought.sock");
    expect(await search(node, "/sought.sock")).toEqual({ kind: "nobody" });
  });

  test("is not guessed of two, where one has taken the other's path", async () => {
    await using node = makeNode();
    await using older = await startPython(LISTEN, [node.outer("/sought.sock")]);
    node.rename("/sought.sock", "/unlinked");
    await using newer = await startPython(LISTEN, [node.outer("/sought.sock")]);
    expect(await search(node, "/sought.sock")).toEqual({
      kind: "doubtful",
      why: "several",
      pids: expect.arrayContaining([older.pid, newer.pid]),
    });
  });
});

describe.if(containers)("in containers", () => {
  test("drivers that all bind the same path are told apart", async () => {
    await using node = makeNode();
    for (const name of ["a", "b"]) node.directory(`/plugins/${name}`);
    const start = (name: string) =>
      startPython(LISTEN, ["/csi/sought.sock"], { prefix: inContainer(node.outer(`/plugins/${name}`), "/csi") });
    await using one = await start("a");
    await using other = await start("b");
    expect(await search(node, "/plugins/a/sought.sock")).toEqual({
      kind: "found",
      pids: [one.pid],
      boundPath: "/csi/sought.sock",
    });
    expect(pidsOf(await search(node, "/plugins/b/sought.sock"))).toEqual([other.pid]);
  });

  test.if(mayMount("who listens below a mount that may hang"))(
    "a path that leads over a mount that may hang is not followed",
    async () => {
      await using node = makeNode();
      node.directory("/dead");
      node.directory("/plugins/a");
      await using dead = await mountTelling(node.outer("/dead"));
      // MS_BIND
      const hide = `import ctypes; ctypes.CDLL(None).mount(b"${node.outer("/dead")}", b"/csi", None, 4096, None)`;
      await using driver = await startPython(LISTEN.replace("print", `${hide}\nprint`), ["/csi/sought.sock"], {
        prefix: inContainer(node.outer("/plugins/a"), "/csi"),
      });
      const before = dead.requests();
      expect(await search(node, "/plugins/a/sought.sock")).toEqual({ kind: "unknown", why: "mount" });
      expect(dead.requests()).toEqual(before);
      expect(readText(`/proc/${driver.pid}/mountinfo`)).toContain("fuse.silent");
    },
  );
});

describe.if(isRoot)("what cannot be seen is told", () => {
  test("to another user, who needs uid 0", async () => {
    expect(await searchWith({ uid: NOBODY_UID })).toEqual({ kind: "notPermitted", needs: "uid 0" });
  });

  test("to uid 0 without capabilities, who needs SYS_PTRACE", async () => {
    const prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    expect(await searchWith({ prefix })).toEqual({ kind: "notPermitted", needs: "SYS_PTRACE" });
  });

  test.if(containers)("among the processes of one container, who needs those of the node", async () => {
    const prefix = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
    expect(await searchWith({ prefix })).toEqual({ kind: "notPermitted", needs: "hostPID" });
  });

  test.if(containers)("among those of a node that is a container, to uid 0 without capabilities", async () => {
    using scratch = temporaryDirectory();
    const kubelet = join(scratch.path, "kubelet");
    symlinkSync(Bun.which("sleep") ?? "", kubelet);
    const startKubelet = '"$0" 60 & until grep -q kubelet /proc/$!/comm; do :; done; exec "$@"';
    const node = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", startKubelet, kubelet];
    const prefix = [...node, "setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    expect(await searchWith({ prefix })).toEqual({ kind: "notPermitted", needs: "SYS_PTRACE" });
  });

  test("and nobody is still nobody to uid 0 with all capabilities", async () => {
    expect(await searchWith({}, (node) => node.staleSocket("/sought.sock"))).toEqual({ kind: "nobody" });
  });
});

/** What a process with other rights finds of a socket that somebody listens on. */
async function searchWith(
  rights: Parameters<typeof runScript>[1],
  make: (node: MadeNode) => void | Promise<void> = (node) => node.liveSocket("/sought.sock"),
): Promise<unknown> {
  await using node = makeNode();
  await make(node);
  const question = JSON.stringify(questionFor(node, "/sought.sock"));
  const script = `import { findListeners } from "./src/processes/listeners";
    const access = { procDir: "/proc", uid: process.getuid() };
    console.log(JSON.stringify((await findListeners(access, ${question}))[0]));`;
  return await runScript(script, rights);
}

async function search(node: MadeNode, path: string): Promise<ListenerSearch> {
  const [found] = await findListeners(PROC, questionFor(node, path));
  return found ?? { kind: "nobody" };
}

function questionFor(node: MadeNode, path: string): ListenerQuestion {
  const { dev, ino, uid } = statSync(node.outer(path), { bigint: true });
  const socket = { path, outerPath: node.outer(path), fileId: `${dev}:${ino}`, ownerUid: Number(uid) };
  return { sockets: [socket], boundMs: 60_000, everyHolder: true };
}

function pidsOf(found: ListenerSearch): readonly number[] {
  return found.kind === "found" ? found.pids : [];
}
