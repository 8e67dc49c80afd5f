import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TemporaryDirectory, temporaryDirectory } from "../../scripts/temporary";
import { copyExecutable } from "../support/executable";
import { listenWithoutAccept } from "../support/raw-socket";
import { runToEnd } from "../support/run-to-end";

const canBecomeAnyone = process.getuid?.() === 0 && Bun.which("setpriv") !== null;

let directory: TemporaryDirectory;
let executable = "";
beforeAll(() => {
  directory = temporaryDirectory();
  executable = copyExecutable(directory.path);
});
afterAll(() => directory[Symbol.dispose]());

/** Who runs the executable. */
interface Who {
  readonly uid: number;
  readonly groups?: readonly number[];
  readonly capability?: "dac_override" | "dac_read_search";
}

interface Place {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

const ROOT_BARE: Who = { uid: 0 };
const NOBODY: Who = { uid: 65_532 };

describe.concurrent("what is advised where a socket is denied helps:", () => {
  test.if(canBecomeAnyone).each<[string, Place, Who, string, readonly (Who | { readonly mode: number })[]]>([
    [
      "root's socket, as another uid",
      { uid: 0, gid: 0, mode: 0o755 },
      NOBODY,
      "uid 0 and gid 0 with mode 0755, and connecting as uid 65532 needs write permission; run livenessprobe as uid 0 (no capability is needed), or let the driver make its socket writable for uid 65532 (mode 0777)",
      [ROOT_BARE, { mode: 0o777 }],
    ],
    [
      "a socket of uid 1000, as uid 0 without capabilities",
      { uid: 1000, gid: 1000, mode: 0o755 },
      ROOT_BARE,
      "uid 1000 and gid 1000 with mode 0755, and connecting as uid 0 without the capability DAC_OVERRIDE needs write permission; run livenessprobe as uid 1000 (runAsUser: 1000), or run livenessprobe with the capability DAC_OVERRIDE, or let the driver make its socket writable for uid 0 (mode 0777)",
      [{ uid: 1000 }, { uid: 0, capability: "dac_override" }, { mode: 0o777 }],
    ],
    [
      "a socket that its group may write to, as another uid",
      { uid: 1000, gid: 2000, mode: 0o770 },
      NOBODY,
      "; run livenessprobe as uid 1000 (runAsUser: 1000), or run livenessprobe with the group 2000 (supplementalGroups: [2000]), or let the driver make its socket writable for uid 65532 (mode 0772)",
      [{ uid: 1000 }, { ...NOBODY, groups: [2000] }, { mode: 0o772 }],
    ],
    [
      "a socket that its owner may not write to, as the owner",
      { uid: 1000, gid: 2000, mode: 0o577 },
      { uid: 1000 },
      "; run livenessprobe as uid 0 with the capability DAC_OVERRIDE, or let the driver make its socket writable for uid 1000 (mode 0777)",
      [{ uid: 0, capability: "dac_override" }, { mode: 0o777 }],
    ],
  ])("%s", async (_, place, who, text, remedies) => {
    using own = temporaryDirectory();
    const path = join(own.path, "csi.sock");
    const listener = listenWithoutAccept(path, 16);
    chownSync(path, place.uid, place.gid);
    chmodSync(path, place.mode);
    const denied = await checkAs(who, path);
    expect(denied).toStartWith(`permission denied: ${path} belongs to `);
    expect(denied).toContain(`${text} (tried for `);
    for (const remedy of remedies) {
      if ("mode" in remedy) chmodSync(path, remedy.mode);
      // oxlint-disable-next-line no-await-in-loop -- the mode is the last remedy
      expect(await checkAs("uid" in remedy ? remedy : who, path)).toStartWith("driver hung: it took the connection");
    }
    listener.close();
  });
});

describe.concurrent("what is advised where a directory is closed helps:", () => {
  test.if(canBecomeAnyone).each<[string, Place, Who, string, readonly (Who | { readonly mode: number })[]]>([
    [
      "root's directory, as another uid",
      { uid: 0, gid: 0, mode: 0o700 },
      NOBODY,
      "uid 0 and gid 0 with mode 0700, and uid 65532 needs search permission (x); run livenessprobe as uid 0 (no capability is needed), or open the directory to uid 65532 (mode 0711)",
      [ROOT_BARE, { mode: 0o711 }],
    ],
    [
      "a directory of uid 1000, as uid 0 without capabilities",
      { uid: 1000, gid: 2000, mode: 0o750 },
      ROOT_BARE,
      "; run livenessprobe as uid 1000 (runAsUser: 1000), or run livenessprobe with the group 2000 (supplementalGroups: [2000]), or run livenessprobe with the capability DAC_READ_SEARCH, or open the directory to uid 0 (mode 0751)",
      [{ uid: 1000 }, { uid: 0, groups: [2000] }, { uid: 0, capability: "dac_read_search" }, { mode: 0o751 }],
    ],
  ])("%s", async (_, place, who, text, remedies) => {
    using own = temporaryDirectory();
    const path = join(own.path, "closed", "csi.sock");
    mkdirSync(dirname(path));
    const listener = listenWithoutAccept(path, 16);
    chmodSync(path, 0o777);
    chownSync(dirname(path), place.uid, place.gid);
    chmodSync(dirname(path), place.mode);
    const denied = await checkAs(who, path);
    expect(denied).toStartWith(
      `permission denied: uid ${who.uid} may not reach ${path}: the directory ${dirname(path)} `,
    );
    expect(denied).toContain(`${text} (tried for `);
    for (const remedy of remedies) {
      if ("mode" in remedy) chmodSync(dirname(path), remedy.mode);
      // oxlint-disable-next-line no-await-in-loop -- the mode is the last remedy
      expect(await checkAs("uid" in remedy ? remedy : who, path)).toStartWith("driver hung: it took the connection");
    }
    listener.close();
  });
});

/** What `check` says of a socket on which nobody accepts. */
async function checkAs({ uid, groups = [], capability }: Who, path: string): Promise<string> {
  const kept = capability === undefined ? "-all" : `-all,+${capability}`;
  const as = [
    "setpriv",
    `--reuid=${uid}`,
    `--regid=${uid}`,
    groups.length === 0 ? "--clear-groups" : `--groups=${groups.join(",")}`,
    `--bounding-set=${kept}`,
    "--inh-caps=-all",
  ];
  const { stdout } = await runToEnd([...as, executable, "check", path, "--probe-timeout=100ms"]);
  return stdout;
}
