import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type Read, readFailure, valueOf } from "../base/reads";
import { resolutionText, type Root } from "../node/rooted-path";

/** Reads a regular file by a path that leads to it without links. Nothing else is waited for, such as a FIFO. */
export function readRegularFile(path: string, maxBytes: number): Read<string> {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return { kind: "failed", code: "it is no regular file" };
      const buffer = Buffer.alloc(Math.min(stats.size, maxBytes));
      let length = 0;
      for (let bytes = -1; bytes !== 0 && length < buffer.length; length += bytes)
        bytes = readSync(fd, buffer, length, buffer.length - length, null);
      return { kind: "read", value: buffer.toString("utf8", 0, length) };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return readFailure(error);
  }
}

/** Why a file could not be read, in words. */
export function failureText(failure: Exclude<Read<unknown>, { readonly kind: "read" }>): string {
  switch (failure.kind) {
    case "notPermitted":
      return "we may not read it";
    case "missing":
      return "it does not exist";
    case "failed":
      return failure.code;
  }
  return failure satisfies never;
}

/** Texts of files, and a sentence for each that is there and could not be read. */
export interface Texts {
  readonly texts: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Reads small files of the node as `readRegularFile` does; nothing on a mount that may hang, and nothing outside of the
 * root.
 */
export function readNodeFiles(root: Root, paths: readonly string[]): Texts {
  const reads = paths.map((path) => {
    const found = root.resolve(path);
    const read: Read<string> =
      found.kind === "found"
        ? readRegularFile(found.outerPath, SMALL_FILE_BYTES)
        : found.kind === "missing"
          ? { kind: "missing" }
          : { kind: "failed", code: resolutionText(found) };
    return { path, read };
  });
  return {
    texts: reads.flatMap(({ read }) => valueOf(read) ?? []),
    notes: reads.flatMap(({ path, read }) =>
      read.kind === "read" || read.kind === "missing" ? [] : [`${path} was not read: ${failureText(read)}`],
    ),
  };
}

const SMALL_FILE_BYTES = 65_536;
