import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type BunAccount, embeddedPackages, linkedParts } from "./bun-parts";

/** The text of a licence of Bun or of a part of it. */
export interface BunLicence {
  /** Below `licences/bun/` here, and below `bun/` among the notices of the image. */
  readonly file: string;
  /** The parts that have this licence, as Bun's page and `process.versions` name them. */
  readonly parts: readonly string[];
  /** The SPDX expression of this text. */
  readonly licence: string;
  /** Where the text was taken from, unchanged. */
  readonly from: string;
}

/**
 * Bun publishes no texts, so each one comes from the part's own project, in a version as near as possible. The years in
 * a copyright line may be those of that version.
 */
const LIBRARIES: readonly (readonly [file: string, parts: readonly string[], licence: string, from: string])[] = [
  ["MIT.txt", ["bun"], "MIT", "the MIT licence; Bun's sources name no copyright holder"],
  [
    "Apache-2.0.txt",
    ["boringssl", "simdutf", "uSockets", "uWebsockets", "highway", "typescript"],
    "Apache-2.0",
    "Debian's base-files 12.4",
  ],
  ["LGPL-2.0.txt", ["JavaScriptCore"], "LGPL-2.0-only", "the GNU Library General Public License, version 2"],
  ["LGPL-2.1.txt", ["JavaScriptCore", "tinycc"], "LGPL-2.1-only", "the GNU Lesser General Public License, version 2.1"],
  ["MPL-2.0.txt", ["Lightning CSS", "Servo"], "MPL-2.0", "npm's lightningcss 1.33.0"],
  ["boringssl.txt", ["boringssl"], "Apache-2.0 AND BSD-3-Clause", "BoringSSL in the crate boring-sys 5.4.0"],
  ["brotli.txt", ["brotli"], "MIT", "brotli 1.2.0"],
  ["c-ares.txt", ["c-ares"], "MIT", "c-ares in the LICENSE of Node.js 20.20.2"],
  ["esbuild.txt", ["esbuild"], "MIT", "npm's esbuild 0.28.2"],
  ["hdrhistogram.txt", ["HdrHistogram_c"], "BSD-2-Clause", "HdrHistogram_c, LICENSE.txt"],
  ["icu.txt", ["libicu"], "Unicode-3.0", "ICU 78.3, with the parts that it names"],
  ["ijg.txt", ["libjpeg-turbo"], "IJG", "libjpeg-turbo 3.1.3, README.ijg"],
  ["libarchive.txt", ["libarchive"], "BSD-2-Clause", "libarchive 3.7.4, COPYING"],
  ["libbase64.txt", ["libbase64"], "BSD-2-Clause", "aklomp/base64, LICENSE"],
  ["libdeflate.txt", ["libdeflate"], "MIT", "libdeflate 1.23, COPYING"],
  ["libjpeg-turbo.txt", ["libjpeg-turbo"], "BSD-3-Clause AND IJG AND Zlib", "libjpeg-turbo 3.1.3, LICENSE.md"],
  ["libpng.txt", ["libspng"], "libpng-2.0", "libpng 1.6.48, of which libspng has portions"],
  ["libspng.txt", ["libspng"], "BSD-2-Clause", "libspng 0.7.4"],
  ["libwebp.txt", ["libwebp"], "BSD-3-Clause", "libwebp 1.6.0, COPYING"],
  ["libwebp-patents.txt", ["libwebp"], "NOASSERTION", "libwebp 1.6.0, PATENTS"],
  ["llhttp.txt", ["llhttp"], "MIT", "llhttp in the LICENSE of Node.js 20.20.2"],
  ["lol-html.txt", ["lol-html"], "BSD-3-Clause", "the crate lol_html 3.0.3"],
  ["ls-hpack.txt", ["ls-hpack"], "MIT", "litespeedtech/ls-hpack, LICENSE"],
  ["ls-qpack.txt", ["ls-qpack"], "MIT", "litespeedtech/ls-qpack, LICENSE"],
  ["lsquic.txt", ["lsquic"], "MIT", "litespeedtech/lsquic, LICENSE"],
  ["lsquic-chrome.txt", ["lsquic"], "BSD-3-Clause", "litespeedtech/lsquic, LICENSE.chrome"],
  ["mimalloc.txt", ["mimalloc"], "MIT", "mimalloc 3 in the crate libmimalloc-sys 0.1.49"],
  ["picohttpparser.txt", ["picohttp"], "MIT", "the head of picohttpparser.c in PyPI's gunicorn-h1c 0.6.10"],
  ["tinycc-relicensing.txt", ["tinycc"], "MIT", "TinyCC 0.9.27, RELICENSING"],
  ["typescript-notice.txt", ["typescript"], "NOASSERTION", "npm's typescript 7.0.2, NOTICE.txt"],
  ["webkit.txt", ["JavaScriptCore"], "NOASSERTION", "Debian's copyright file of WebKitGTK 2.50.6"],
  ["xxhash.txt", ["ls-hpack"], "BSD-2-Clause", "xxHash 0.8.3, a copy of which ls-hpack has"],
  ["zlib-ng.txt", ["zlib-ng"], "Zlib", "zlib-ng in the crate libz-ng-sys 1.1.32"],
  ["zstd.txt", ["zstd"], "BSD-3-Clause", "zstd 1.5.7"],
];

/** The npm packages that Bun contains. It does not name their versions; these are the newest. */
const PACKAGES: Readonly<Record<string, readonly [version: string, licence: string]>> = {
  acorn: ["8.19.0", "MIT"],
  "acorn-walk": ["8.3.5", "MIT"],
  assert: ["2.1.0", "MIT"],
  "browserify-zlib": ["0.2.0", "MIT"],
  buffer: ["6.0.3", "MIT"],
  "constants-browserify": ["1.0.0", "MIT"],
  "crypto-browserify": ["3.12.1", "MIT"],
  "domain-browser": ["5.7.0", "Artistic-2.0"],
  events: ["3.3.0", "MIT"],
  "https-browserify": ["1.0.0", "MIT"],
  "os-browserify": ["0.3.0", "MIT"],
  "path-browserify": ["1.0.1", "MIT"],
  process: ["0.11.10", "MIT"],
  punycode: ["2.3.1", "MIT"],
  "querystring-es3": ["0.2.1", "MIT"],
  "stream-browserify": ["3.0.0", "MIT"],
  "stream-http": ["3.2.0", "MIT"],
  string_decoder: ["1.3.0", "MIT"],
  "timers-browserify": ["2.0.12", "MIT"],
  "tty-browserify": ["0.0.1", "MIT"],
  url: ["0.11.4", "MIT"],
  util: ["0.12.5", "MIT"],
  "vm-browserify": ["1.1.2", "MIT"],
};

const LICENCES: readonly BunLicence[] = [
  ...LIBRARIES.map(([file, parts, licence, from]) => ({ file, parts, licence, from })),
  ...Object.entries(PACKAGES).map(([name, [version, licence]]) => ({
    file: `npm/${name}.txt`,
    parts: [name],
    licence,
    from: `npm's ${name} ${version}`,
  })),
];

/** In the public domain: no text is required. */
const WITHOUT_TEXT: ReadonlySet<string> = new Set(["sqlite"]);

/**
 * The licences of Bun and of all parts that it names.
 *
 * @throws where a part has no text here
 */
export function bunLicences(account: BunAccount): readonly BunLicence[] {
  const parts = [...linkedParts(account), ...embeddedPackages(account.page)].map(({ name }) => name);
  const covered = new Set(LICENCES.flatMap((licence) => licence.parts));
  const missing = parts.filter((name) => !covered.has(name) && !WITHOUT_TEXT.has(name));
  if (missing.length === 0) return LICENCES;
  throw new Error(
    `There is no licence text for ${missing.join(", ")}: add it in scripts/image/contents/bun-licences.ts`,
  );
}

export function readBunLicence({ file }: BunLicence): string {
  // Our own licence has the same text.
  const path = file === "Apache-2.0.txt" ? "../../../LICENSE" : `licences/bun/${file}`;
  return readFileSync(join(import.meta.dirname, path), "utf8");
}
