import { expect, test } from "bun:test";
import { waitUntil } from "./wait";

test("waiting returns the first value that is there", async () => {
  let looks = 0;
  expect(await waitUntil(() => ((looks += 1) < 3 ? undefined : { looks }), "three looks")).toEqual({ looks: 3 });
});

test.each([0, "", Number.NaN])("%p is there", async (value) => {
  expect(await waitUntil(() => value, "a value", 0)).toBe(value);
});

test("waiting in vain says for what, and for how long", async () => {
  await expect(waitUntil(() => false, "the driver to close", 20)).rejects.toThrow(
    "waited 20 ms in vain for the driver to close",
  );
});
