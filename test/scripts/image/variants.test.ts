import { expect, test } from "bun:test";
import { variantFor } from "../../../scripts/image/variants";

test.each([
  ["0.1.0", undefined, "livenessprobe"],
  ["0.1.0-nonroot", undefined, "livenessprobe-nonroot"],
  ["0.1.0-dev", undefined, "livenessprobe-dev"],
  ["0.1.0-zstd", undefined, "livenessprobe-zstd"],
  ["0.1.0-nonroot-zstd", undefined, "livenessprobe-nonroot-zstd"],
  ["nonroot", undefined, "livenessprobe"],
  ["0.1.0-rc.1", undefined, "livenessprobe"],
  [undefined, undefined, "livenessprobe"],
  ["0.1.0-nonroot", "livenessprobe-nonroot", "livenessprobe-nonroot"],
  ["mine", "livenessprobe-nonroot", "livenessprobe-nonroot"],
  [undefined, "livenessprobe-dev", "livenessprobe-dev"],
] as const)("the tag %s with --variant %s is of %s", (tag, wanted, variant) => {
  expect(variantFor(tag, wanted)).toBe(variant);
});

test.each([
  ["0.1.0-nonroot", "livenessprobe", "livenessprobe-nonroot"],
  ["0.1.0-nonroot-zstd", "livenessprobe-nonroot", "livenessprobe-nonroot-zstd"],
  ["0.1.0-dev", "livenessprobe-nonroot", "livenessprobe-dev"],
] as const)("the tag %s is refused with --variant %s", (tag, wanted, variant) => {
  expect(() => variantFor(tag, wanted)).toThrow(
    `The tag ${tag} is of ${variant}, and --variant says ${wanted}: change one of them`,
  );
});
