import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type Read, readFailure } from "../base/reads";
import type { Root } from "../node/rooted-path";

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

/** Reads a file of the node as `readRegularFile` does; nothing on a mount that may hang, and nothing outside of the root. */
export function readNodeFile(root: Root, path: string, maxBytes: number): Read<string> {
  const found = root.resolve(path);
  if (found.kind === "found") return readRegularFile(found.outerPath, maxBytes);
  if (found.kind === "missing" || found.kind === "notPermitted") return { kind: found.kind };
  return { kind: "failed", code: found.kind };
}
