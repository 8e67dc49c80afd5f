import { expect, test } from "bun:test";
import { waitUntil } from "./wait";

test("waiting returns the first value that is there", async () => {
  let looks = 0;
  expect(await waitUntil(() => ((looks += 1) < 3 ? undefined : { looks }), 1000, "three looks")).toEqual({ looks: 3 });
});

test.each([0, "", Number.NaN])("%p is there", async (value) => {
  expect(await waitUntil(() => value, 0, "a value")).toBe(value);
});

test("waiting in vain says for what, and for how long", async () => {
  await expect(waitUntil(() => false, 20, "the driver to close")).rejects.toThrow(
    "waited 20 ms in vain for the driver to close",
  );
});
