import { expect, test } from "bun:test";
import { bunLicences, readBunLicence } from "../../../../scripts/image/contents/bun-licences";
import { bunAccount, embeddedPackages, linkedParts } from "../../../../scripts/image/contents/bun-parts";
import { bunNotice, licenceNotices } from "../../../../scripts/image/contents/notices";

test("each licence that the executable is under goes with it", async () => {
  const notices = await licenceNotices();
  const told = notices.map(({ path, text }) => `${short(path)}: ${first(text)}`);
  expect(told).toEqual(told.toSorted());
  expect(told).toEqual(
    expect.arrayContaining([
      "LICENSE: Apache License",
      "bun/LGPL-2.0.txt: GNU LIBRARY GENERAL PUBLIC LICENSE",
      "bun/LGPL-2.1.txt: GNU LESSER GENERAL PUBLIC LICENSE",
      `bun/NOTICE.md: # Bun ${Bun.version}, which /usr/bin/livenessprobe contains`,
      "npm/@grpc/grpc-js/LICENSE: Apache License",
      "npm/citty/LICENSE: MIT License",
      "npm/scule/LICENSE: MIT License",
    ]),
  );
  expect(await licenceNotices()).toEqual(notices);
});

test("Bun's notice tells how to put another JavaScriptCore in its place, and has Bun's page whole", () => {
  const { page } = bunAccount();
  const notice = bunNotice(page, "1.2.3", []);
  expect(notice).toContain("--compile-executable-path=/path/to/your/bun");
  expect(notice).not.toContain("title: License");
  const body = page.slice(page.indexOf("Bun itself is"));
  expect(words(notice)).toEndWith(words(body));
});

test("a text goes with Bun and with each part of it, but for what is in the public domain", () => {
  const account = bunAccount();
  const parts = [...linkedParts(account), ...embeddedPackages(account.page)].map(({ name }) => name);
  const covered = bunLicences(account).flatMap((licence) => licence.parts);
  expect(["bun", ...parts].filter((name) => !covered.includes(name))).toEqual(["sqlite"]);
});

test.each([
  ["MIT.txt", "Permission is hereby granted, free of charge"],
  ["brotli.txt", "Copyright (c) 2009, 2010, 2013-2016 by the Brotli Authors"],
  ["webkit.txt", "The default license of WebKit is BSD 2-clause"],
  ["libarchive.txt", "Copyright (c) 2003-2018"],
  ["npm/acorn.txt", "Copyright (C) 2012-2022 by various contributors"],
])("%s has the words %s", (file, said) => {
  expect(textOf(file).includes(said)).toBe(true);
});

test("no text is short of a licence: each has a grant or conditions", () => {
  const grant = /permission is (hereby )?granted|redistribution|license(d)? under|conditions|patent|permissive/i;
  const files = bunLicences(bunAccount()).map(({ file }) => file);
  expect(files.filter((file) => !grant.test(textOf(file)))).toEqual([]);
});

test("a part of Bun that no text goes with stops the build", () => {
  const account = bunAccount();
  const page = account.page.replace("[`acorn-walk`]", "[`acorn-runs`]");
  expect(() => bunLicences({ ...account, page })).toThrow(
    "There is no licence text for acorn-runs: add it in scripts/image/contents/bun-licences.ts",
  );
});

test.each([
  ["LICENSE", "Apache-2.0"],
  ["bun/LGPL-2.1.txt", "LGPL-2.1-only"],
  ["bun/brotli.txt", "MIT"],
  ["bun/zlib-ng.txt", "Zlib"],
  ["npm/citty/LICENSE", "MIT"],
])("%s is declared as %s", async (path, licence) => {
  const notice = (await licenceNotices()).find((each) => short(each.path) === path);
  expect(notice?.licence).toBe(licence);
});

function textOf(file: string): string {
  const licence = bunLicences(bunAccount()).find((each) => each.file === file);
  if (licence === undefined) throw new Error(`there is no text ${file}`);
  return readBunLicence(licence);
}

/** Below the notices' directory, and whatever the version. */
function short(path: string): string {
  return path.replace("/usr/share/licenses/livenessprobe/", "").replace(/-[\d.]+\//, "/");
}

function first(text: string): string {
  return text.trim().split("\n")[0]?.trim() ?? "";
}

/** The text without what lines it up. */
function words(text: string): string {
  return text
    .split(/\s+/)
    .filter((word) => !/^-+$/.test(word))
    .join(" ")
    .trim();
}
