import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DIRECTORY, drawPictures } from "../../scripts/pictures/pictures";

const PICTURES = [...(await drawPictures())];

test.each(PICTURES)("docs/pictures/%s is what bun run pictures draws", (name, svg) => {
  expect(readFileSync(join(DIRECTORY, name), "utf8")).toBe(svg);
});

test.each(PICTURES)("docs/pictures/%s says in words what it shows", (_, svg) => {
  expect(svg).toMatch(/<title>[^<]+<\/title>\s*<desc>[^<]{100,}<\/desc>/);
});
