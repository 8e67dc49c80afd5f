declare const BUILD_VERSION: string | undefined;
declare const BUILD_COMMIT: string | undefined;

/** This program's version; `devel` where it runs from its sources. Set by `scripts/build.ts`. */
export const VERSION: string = typeof BUILD_VERSION === "string" ? BUILD_VERSION : "devel";

/** The commit it was built from, `unknown` where git could not tell. Set by `scripts/build.ts`. */
export const COMMIT: string = typeof BUILD_COMMIT === "string" ? BUILD_COMMIT : "unknown";
