import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Client as GrpcClient, credentials, Metadata } from "@grpc/grpc-js";
import { Glob } from "bun";
import { callOnce, type Client, openClient, type Rpc } from "../../src/driver/client";
import * as messages from "../../src/driver/messages";
import * as nodeMessages from "../../src/driver/node-messages";
import { errorText } from "../../src/base/errors";
import { startAllowListDriver } from "../support/allow-list-driver";
import {
  ALLOWED_METHODS,
  FORBIDDEN_METHODS,
  NODE_GET_INFO_METHOD,
  type NodeGetInfoPolicy,
} from "../support/csi-methods";
import { availableDrivers, startDriver } from "../support/drivers";
import { loadService } from "../support/proto-loader";
import { startRegistrationServer } from "../support/registration-server";

const ROOT = join(import.meta.dir, "../..");
const TIMEOUT_MS = 3_000;
const GET_INFO = "/pluginregistration.Registration/GetInfo";
const STAGE_VOLUME = "/csi.v1.Node/NodeStageVolume";
const NOTIFY = "/pluginregistration.Registration/NotifyRegistrationStatus";

/** Those of a driver, without NodeGetInfo. */
const RPCS: readonly Rpc<unknown>[] = [...Object.values(messages), ...Object.values(nodeMessages)].filter(
  ({ path }) => path !== GET_INFO && path !== NODE_GET_INFO_METHOD,
);

/** A driver that notes what it is asked, whatever it is written with. */
interface NotingDriver extends AsyncDisposable {
  readonly socketPath: string;
  /** The gRPC paths so far; waits for `count` of them. */
  asked(count: number): Promise<readonly string[]>;
}

type Start = (nodeGetInfo: NodeGetInfoPolicy) => Promise<NotingDriver>;

const drivers: readonly (readonly [string, Start])[] = [
  ...(await availableDrivers()).map((implementation): readonly [string, Start] => [
    implementation,
    async (nodeGetInfo) => {
      const driver = await startDriver(implementation, { nodeGetInfo });
      const asked = () => driver.events.flatMap((event) => (event.event === "rpc" ? event.method : []));
      const enough = async (count: number) => {
        await driver.waitFor(() => asked().length >= count);
        return asked();
      };
      return { ...driver, asked: enough };
    },
  ]),
  [
    "node:http2",
    async (nodeGetInfo) => {
      const driver = await startAllowListDriver({ nodeGetInfo });
      return { ...driver, asked: () => Promise.resolve(driver.calls.map(({ method }) => method)) };
    },
  ],
];

describe.each(drivers)("a driver on %s", (_, start) => {
  test("is asked what is allowed, once each, by all RPCs there are but NodeGetInfo", async () => {
    await using driver = await start("forbidden");
    using client = await open(driver.socketPath);
    // oxlint-disable-next-line no-await-in-loop -- one call after the other
    for (const rpc of RPCS) await client.call(rpc);
    expect((await driver.asked(5)).toSorted()).toEqual(
      [...ALLOWED_METHODS].filter((method) => method !== GET_INFO).toSorted(),
    );
  });

  test("is asked NodeGetInfo by its own call alone", async () => {
    await using driver = await start("allowed");
    using client = await open(driver.socketPath);
    await client.call(nodeMessages.NODE_GET_INFO);
    expect(await driver.asked(1)).toEqual([NODE_GET_INFO_METHOD]);
  });

  test("is asked nothing by a client that calls nothing", async () => {
    await using driver = await start("forbidden");
    (await open(driver.socketPath))[Symbol.dispose]();
    expect(await driver.asked(0)).toEqual([]);
  });

  test.each([
    ["NodeGetInfo, where nobody asked for it", NODE_GET_INFO_METHOD],
    ["what touches a volume", STAGE_VOLUME],
    ["what the kubelet alone may tell", NOTIFY],
  ])("fails the test that asks it %s", async (_what, method) => {
    const driver = await start("forbidden");
    await callAnything(driver.socketPath, method);
    expect(await complaintOf(driver)).toContain(`was asked what it must never be: ${method}`);
  });
});

test("an RPC that CSI does not have yet is noticed too", async () => {
  const driver = await startAllowListDriver();
  await callAnything(driver.socketPath, "/csi.v2.Node/NodeReboot");
  expect(await complaintOf(driver)).toContain("/csi.v2.Node/NodeReboot");
});

describe("a registration socket", () => {
  test("is asked GetInfo alone", async () => {
    await using server = await startRegistrationServer();
    const options = { socketPath: server.socketPath, timeoutMs: TIMEOUT_MS };
    await callOnce(options, nodeMessages.GET_REGISTRATION_INFO);
    expect(server.calls).toEqual([GET_INFO]);
  });

  test.each([[NOTIFY], [NODE_GET_INFO_METHOD], ["/csi.v1.Identity/Probe"]])(
    "fails the test that asks it %s",
    async (method) => {
      const server = await startRegistrationServer();
      await callAnything(server.socketPath, method);
      expect(await complaintOf(server)).toContain(method);
    },
  );
});

test("the sources name no other RPC than those, each in one place", () => {
  const files = [...new Glob("src/**/*.ts").scanSync(ROOT)];
  const named = files.flatMap((file) => [
    ...readFileSync(join(ROOT, file), "utf8").matchAll(/"(\/[\w.]+\.[A-Z]\w+\/[A-Z]\w+)"/g),
  ]);
  expect(named.map(([, method]) => method ?? "").toSorted()).toEqual(
    [...ALLOWED_METHODS, NODE_GET_INFO_METHOD].toSorted(),
  );
});

test("proto/ defines no other RPC than those", () => {
  const services = [
    loadService("csi.proto", "csi.v1.Identity"),
    loadService("csi.proto", "csi.v1.Node"),
    loadService("csi.proto", "csi.v1.Controller"),
    loadService("registration.proto", "pluginregistration.Registration"),
  ];
  const defined = services.flatMap((service) => Object.values(service).map(({ path }) => path));
  expect(defined.toSorted()).toEqual([...ALLOWED_METHODS, NODE_GET_INFO_METHOD].toSorted());
});

test("what is allowed is not forbidden", () => {
  expect(FORBIDDEN_METHODS.filter((method) => ALLOWED_METHODS.has(method))).toEqual([]);
});

/**
 * What disposing of a driver throws; undefined where it throws nothing. Not by `expect().rejects`: Bun waits for that
 * in an event loop of its own, in which the end of a driver's process goes unseen at times.
 */
async function complaintOf(driver: AsyncDisposable): Promise<string | undefined> {
  try {
    await driver[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

async function open(socketPath: string): Promise<Client> {
  const outcome = await openClient({ socketPath, timeoutMs: TIMEOUT_MS });
  if (outcome.kind !== "open") throw new Error(`not open but ${outcome.failure.kind}`);
  return outcome.client;
}

/** Makes a call that the sources cannot make, with another client. */
function callAnything(socketPath: string, method: string): Promise<void> {
  const client = new GrpcClient(`unix://${socketPath}`, credentials.createInsecure());
  const { promise, resolve } = Promise.withResolvers<void>();
  const deadline = Date.now() + TIMEOUT_MS;
  client.makeUnaryRequest(method, unchanged, unchanged, Buffer.alloc(0), new Metadata(), { deadline }, () => {
    client.close();
    resolve();
  });
  return promise;
}

function unchanged(bytes: Buffer): Buffer {
  return bytes;
}
