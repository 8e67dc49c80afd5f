import { expect, test } from "bun:test";
import { bunAccount } from "../../../scripts/image/bun-parts";
import { bunNotice, licenceNotices } from "../../../scripts/image/notices";

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
  const notice = bunNotice(page, "1.2.3");
  expect(notice).toContain("--compile-executable-path=/path/to/your/bun");
  expect(notice).not.toContain("title: License");
  const body = page.slice(page.indexOf("Bun itself is"));
  expect(words(notice)).toEndWith(words(body));
});

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
