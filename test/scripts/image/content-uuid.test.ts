import { expect, test } from "bun:test";
import { contentUuid } from "../../../scripts/image/content-uuid";

test("a UUID of version 8 in RFC 9562's variant, made of the SHA-256 of the content", () => {
  // sha256("") is e3b0c44298fc1c149afbf4c8996fb924...
  expect(contentUuid("")).toBe("e3b0c442-98fc-8c14-9afb-f4c8996fb924");
  expect(contentUuid("a")).not.toBe(contentUuid("b"));
});
