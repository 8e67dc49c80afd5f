import { expect, test } from "bun:test";
import { lowest } from "../../bench/search";

test.each([
  ["in the middle", { enough: 23, lasting: 23 }, 23],
  ["the smallest there is", { enough: 3, lasting: 3 }, 3],
  ["the largest there is", { enough: 66, lasting: 66 }, 66],
  ["higher once it is looked at for long", { enough: 20, lasting: 22 }, 22],
  ["none", { enough: 70, lasting: 70 }, undefined],
  ["none that lasts", { enough: 20, lasting: 70 }, undefined],
] as const)("the lowest value that holds is %s", async (_, { enough, lasting }, found) => {
  const search = { from: 2, to: 66, step: 1 };
  const holds = async (value: number) => value >= enough;
  const confirms = async (value: number) => value >= lasting;
  expect(await lowest({ ...search, holds, confirms })).toBe(found);
});

test("a step is never halved", async () => {
  const tried: number[] = [];
  const holds = async (value: number) => tried.push(value) > 0 && value >= 21;
  expect(await lowest({ from: 2, to: 66, step: 4, holds, confirms: holds })).toBe(22);
  expect(tried.every((value) => (value - 2) % 4 === 0)).toBe(true);
});
