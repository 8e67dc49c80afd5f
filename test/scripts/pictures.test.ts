import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hashOfPage, readSource } from "../../scripts/pictures/page-picture";
import { DIRECTORY, drawPictures, pathOfPage } from "../../scripts/pictures/pictures";
import { THEMES } from "../../scripts/pictures/theme";

const PICTURES = [...(await drawPictures())];

test.each(PICTURES)("docs/pictures/%s is what bun run pictures draws", (name, svg) => {
  expect(readFileSync(join(DIRECTORY, name), "utf8")).toBe(svg);
});

test.each(PICTURES)("docs/pictures/%s says in words what it shows", (_, svg) => {
  expect(svg).toMatch(/<title>[^<]+<\/title>\s*<desc>[^<]{100,}<\/desc>/);
});

test.each(THEMES)("the $name picture of the monitor's page is of the page as it is: run bun run pictures", (theme) => {
  const png = readFileSync(pathOfPage(theme));
  expect({ source: readSource(png), isSmall: png.length < 60 * 1_024 }).toEqual({
    source: hashOfPage(),
    isSmall: true,
  });
});
