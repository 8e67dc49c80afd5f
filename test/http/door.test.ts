import { describe, expect, test } from "bun:test";
import { openDoor, type Door, type DoorOptions } from "../../src/http/door";
import { connectTcp } from "../support/tcp-client";
import { waitUntil } from "../support/wait";

const REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/** A door whose answers come when the test says so, in the order of their requests. */
function open(options: Partial<DoorOptions> = {}) {
  const pending: ((answer: string) => void)[] = [];
  const door = openDoor({
    hostname: "127.0.0.1",
    port: 0,
    maxConnections: 3,
    answer: () => new Promise((resolve) => pending.push((text) => resolve(Buffer.from(text)))),
    ...options,
  });
  return {
    door,
    url: `http://127.0.0.1:${door.port}`,
    asked: () => pending.length,
    answerNext: (text: string) => pending.shift()?.(text),
    [Symbol.dispose]: () => door.terminate(),
  };
}

describe("too many connections", () => {
  test("the oldest that is idle goes, and the newest is answered", async () => {
    using place = open();
    using first = await connectTcp(place.url);
    using second = await connectTcp(place.url, "GET / HT");
    using third = await connectTcp(place.url);
    using fourth = await connectTcp(place.url, REQUEST);
    expect(await first.answer()).toBe("");
    await waitUntil(() => place.asked() === 1, "the request");
    expect([second.ended(), third.ended()]).toEqual([false, false]);
    place.answerNext("hello");
    expect(await fourth.answer()).toBe("hello");
  });

  test("one that is being answered is never the victim, however old", async () => {
    using place = open();
    using oldest = await connectTcp(place.url, REQUEST);
    await waitUntil(() => place.asked() === 1, "the request");
    for (let count = 0; count < 20; count += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, for their age to be known
      await connectTcp(place.url);
    }
    expect(oldest.ended()).toBe(false);
    place.answerNext("hello");
    expect(await oldest.answer()).toBe("hello");
  });

  test("where all are being answered, the newcomer goes", async () => {
    using place = open({ maxConnections: 2 });
    using first = await connectTcp(place.url, REQUEST);
    using second = await connectTcp(place.url, REQUEST);
    await waitUntil(() => place.asked() === 2, "both requests");
    using third = await connectTcp(place.url);
    expect(await third.answer()).toBe("");
    place.answerNext("one");
    place.answerNext("two");
    expect([await first.answer(), await second.answer()].toSorted()).toEqual(["one", "two"]);
  });

  test("one that has its answer and does not hang up is idle again", async () => {
    using place = open({ maxConnections: 1 });
    using first = await connectTcp(place.url, REQUEST);
    await waitUntil(() => place.asked() === 1, "the request");
    place.answerNext("one");
    expect(await first.answer()).toBe("one");
    using second = await connectTcp(place.url, REQUEST);
    await waitUntil(() => place.asked() === 1, "the second request");
    place.answerNext("two");
    expect(await second.answer()).toBe("two");
  });
});

test("a client that went away while it was answered is not taken for an idle one", async () => {
  using place = open({ maxConnections: 2 });
  using gone = await connectTcp(place.url, REQUEST);
  await waitUntil(() => place.asked() === 1, "the request");
  gone.socket.resetAndDestroy();
  using first = await connectTcp(place.url);
  place.answerNext("for nobody");
  await place.door.idle();
  using second = await connectTcp(place.url);
  using third = await connectTcp(place.url);
  expect(await first.answer()).toBe("");
  using fourth = await connectTcp(place.url);
  expect(await second.answer()).toBe("");
  expect([third.ended(), fourth.ended()]).toEqual([false, false]);
});

describe("a client", () => {
  test("may close its sending side behind its request", async () => {
    using place = open();
    using client = await connectTcp(place.url);
    client.socket.end(REQUEST);
    await waitUntil(() => place.asked() === 1, "the request");
    place.answerNext("hello");
    expect(await client.answer()).toBe("hello");
  });

  test("that closes its sending side before its request is whole is let go", async () => {
    using place = open();
    using client = await connectTcp(place.url);
    client.socket.end("GET /");
    expect(await client.answer()).toBe("");
    expect(place.asked()).toBe(0);
  });

  test("may send its request a byte at a time", async () => {
    using place = open({ answer: async (head) => Buffer.from(head.kind) });
    using client = await connectTcp(place.url);
    client.socket.setNoDelay(true);
    for (const byte of REQUEST) {
      client.socket.write(byte);
      // oxlint-disable-next-line no-await-in-loop -- lets each byte be a packet of its own
      await new Promise(setImmediate);
    }
    expect(await client.answer()).toBe("request");
  });

  test("is answered once, whatever it sends behind its request", async () => {
    using place = open();
    using client = await connectTcp(place.url, REQUEST + REQUEST + REQUEST);
    await waitUntil(() => place.asked() === 1, "the request");
    client.socket.write(REQUEST);
    place.answerNext("hello");
    expect(await client.answer()).toBe("hello");
    expect(place.asked()).toBe(0);
  });

  test("gets all of an answer that does not fit a socket's buffer, also when it closed its sending side", async () => {
    const answer = "0123456789".repeat(2_000_000);
    using place = open();
    using client = await connectTcp(place.url);
    client.socket.pause();
    client.socket.end(REQUEST);
    await waitUntil(() => place.asked() === 1, "the request");
    place.answerNext(answer);
    await place.door.idle();
    client.socket.resume();
    expect((await client.answer()) === answer).toBe(true);
  });

  test("that goes away while it is answered ends nothing, and the door is idle when its answer is there", async () => {
    using place = open();
    using client = await connectTcp(place.url, REQUEST);
    await waitUntil(() => place.asked() === 1, "the request");
    let idle = false;
    const waiting = place.door.idle().then(() => (idle = true));
    client.socket.resetAndDestroy();
    using other = await connectTcp(place.url, REQUEST);
    await waitUntil(() => place.asked() === 2, "another client's request");
    place.answerNext("for nobody");
    place.answerNext("hello");
    expect(await other.answer()).toBe("hello");
    expect(await waiting).toBe(true);
    expect(idle).toBe(true);
  });
});

describe.concurrent("patience ends for a client", () => {
  test("that sends a byte of its head now and then", async () => {
    using place = open();
    using client = await connectTcp(place.url, "GET / HTTP/1.1\r\nA: ");
    const dripping = setInterval(() => client.socket.write("a"), 500);
    const answer = await client.answer().finally(() => clearInterval(dripping));
    expect(answer).toBe("");
  });

  test("that does not take its answer", async () => {
    using place = open({ answer: async () => Buffer.alloc(20_000_000) });
    using client = await connectTcp(place.url);
    client.socket.pause();
    client.socket.write(REQUEST);
    let reset = false;
    client.socket.on("error", () => (reset = true));
    await waitUntil(() => reset || client.ended(), "the connection to be cut off");
    expect(client.received().length).toBeLessThan(20_000_000);
  });

  test("that sends and sends behind its request, and never hangs up", async () => {
    using place = open({ answer: async () => Buffer.from("hello") });
    using client = await connectTcp(place.url, REQUEST);
    expect(await client.answer()).toBe("hello");
    const dripping = setInterval(() => client.socket.write("more"), 500);
    await waitUntil(() => client.socket.destroyed, "the connection to be cut off").finally(() =>
      clearInterval(dripping),
    );
    expect(client.socket.destroyed).toBe(true);
  });
});

describe("a door that closes", () => {
  test("cuts off who has not asked, answers who has, and is then idle for everyone who waits", async () => {
    using place = open();
    using silent = await connectTcp(place.url);
    using asking = await connectTcp(place.url, REQUEST);
    await waitUntil(() => place.asked() === 1, "the request");
    place.door.close();
    expect(await silent.answer()).toBe("");
    await expect(connectTcp(place.url)).rejects.toThrow();
    const waiters = Promise.all([place.door.idle(), place.door.idle(), place.door.idle()]);
    place.answerNext("hello");
    expect(await asking.answer()).toBe("hello");
    expect(await waiters).toHaveLength(3);
  });

  test("is idle at once where nobody asked", async () => {
    using place = open();
    using silent = await connectTcp(place.url);
    expect(await place.door.idle()).toBeUndefined();
    expect(silent.ended()).toBe(false);
  });

  test("may cut off everyone", async () => {
    using place = open();
    using silent = await connectTcp(place.url);
    using asking = await connectTcp(place.url, REQUEST);
    await waitUntil(() => place.asked() === 1, "the request");
    place.door.terminate();
    expect([await silent.answer(), await asking.answer()]).toEqual(["", ""]);
  });
});

describe("a port that is taken", () => {
  test.each([
    ["on every address", undefined],
    ["on one", "127.0.0.1"],
  ])("%s is an error with its code", (_, hostname) => {
    using place = open({ hostname });
    expect(() => openOn(hostname, place.door.port)).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
  });
});

function openOn(hostname: string | undefined, port: number): Door {
  return openDoor({ hostname, port, maxConnections: 1, answer: async () => Buffer.from("") });
}
