import { type Component, NOASSERTION } from "./component";
import { githubPurl, npmPurl } from "./purl";

/** Where a library comes from: what Bun's page does not say. */
export interface Origin {
  /** Its name in `process.versions`. */
  readonly version?: string;
  /** The text before its version in the executable, if `process.versions` does not have it. */
  readonly mark?: string;
  /** `OWNER/NAME` on GitHub, if Bun uses another repository than the page names. */
  readonly repository?: string;
  /** Its directory in Bun's own repository. */
  readonly directory?: string;
}

/**
 * The libraries of Bun's page. The repositories are Bun's own forks, as its build names them (scripts/build/deps in
 * oven-sh/bun).
 */
export const LIBRARIES: Readonly<Record<string, Origin>> = {
  JavaScriptCore: { version: "webkit", repository: "oven-sh/WebKit" },
  boringssl: { version: "boringssl", repository: "oven-sh/boringssl" },
  brotli: {},
  libarchive: { version: "libarchive" },
  "lol-html": { version: "lolhtml" },
  "ls-hpack": { version: "lshpack" },
  "ls-qpack": {},
  lsquic: {},
  mimalloc: { version: "mimalloc", repository: "oven-sh/mimalloc" },
  picohttp: { version: "picohttpparser" },
  zstd: { version: "zstd" },
  simdutf: {},
  tinycc: { version: "tinycc", repository: "oven-sh/tinycc" },
  uSockets: { version: "usockets", directory: "packages/bun-usockets" },
  "zlib-ng": { version: "zlib" },
  "c-ares": { version: "ares" },
  libicu: { version: "icu" },
  libbase64: {},
  libdeflate: { version: "libdeflate" },
  "libjpeg-turbo": { mark: "libjpeg-turbo version " },
  libspng: {},
  libwebp: {},
  highway: {},
  HdrHistogram_c: {},
  sqlite: { version: "sqlite" },
  uWebsockets: { version: "uwebsockets", directory: "packages/bun-uws" },
};

/** On Bun's page, but not in Bun for Linux. */
export const ELSEWHERE: ReadonlySet<string> = new Set([
  "libuv",
  // The page links to windows.zig.
  "Tigerbeetle's IO code",
]);

/** In `process.versions`, but not on Bun's page. */
export const UNLISTED: Readonly<Record<string, (version: string) => Pick<Component, "purl" | "licence">>> = {
  // Node.js' HTTP parser.
  llhttp: (version) => ({ purl: githubPurl("nodejs/llhttp", `v${version}`), licence: "MIT" }),
  // `bun check` has the declarations of its standard library.
  typescript: (version) => ({ purl: npmPurl("typescript", version), licence: "Apache-2.0" }),
};

/** In `process.versions`, but not parts of Bun. */
export const NO_PARTS: ReadonlySet<string> = new Set([
  "bun",
  // Bun is compatible with these.
  "node",
  "v8",
  "uv",
  "napi",
  "modules",
  // The version that node:crypto reports for BoringSSL.
  "openssl",
  // The edition of the data in ICU.
  "unicode",
  // A compiler that older versions of Bun were built with; the executable names only clang and rustc (section
  // .comment).
  "zig",
]);

/** The words of the page -> an SPDX expression; the narrower one, if the words allow two. */
export const LICENCES: Readonly<Record<string, string>> = {
  "LGPL-2": "LGPL-2.0-only",
  "several licenses": NOASSERTION,
  MIT: "MIT",
  "MIT licensed": "MIT",
  "BSD 3-Clause": "BSD-3-Clause",
  "BSD 2-Clause": "BSD-2-Clause",
  "MIT (bundled xxhash is BSD 2-Clause)": "MIT AND BSD-2-Clause",
  "MIT (portions derived from Chromium proto-quic, BSD 3-Clause)": "MIT AND BSD-3-Clause",
  "dual-licensed under the Perl License or the MIT License": "Artistic-1.0-Perl OR GPL-1.0-or-later OR MIT",
  "dual-licensed under the BSD License or GPLv2 license": "BSD-3-Clause OR GPL-2.0-only",
  "Apache 2.0": "Apache-2.0",
  "Apache 2.0 licensed": "Apache-2.0",
  "LGPL v2.1": "LGPL-2.1-only",
  zlib: "Zlib",
  "ICU license": "Unicode-3.0",
  "BSD 3-Clause / IJG / zlib": "BSD-3-Clause AND IJG AND Zlib",
  "BSD 2-Clause (portions derived from libpng, PNG Reference Library License v2)": "BSD-2-Clause AND libpng-2.0",
  "dual-licensed under CC0 1.0 or the BSD 2-Clause License": "CC0-1.0 OR BSD-2-Clause",
  "public domain": "blessing",
};
