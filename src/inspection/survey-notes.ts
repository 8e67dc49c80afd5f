import type { LookedIn } from "../node/kubelet-roots";
import type { Resolution } from "../node/rooted-path";
import { MAX_DEPTH, MAX_ENTRIES, MAX_SOCKETS, type Skipped, type SocketSearch } from "../node/socket-search";

/** A place that was looked in, and what came of it: `/var/lib/kubelet: 3 sockets`. */
export function lookedText({ path, outcome }: LookedIn, { sockets }: SocketSearch): string {
  switch (outcome.kind) {
    case "found": {
      const count = sockets.filter((socket) => socket.path.startsWith(`${path}/`)).length;
      return `${path}: ${count === 1 ? "1 socket" : `${count} sockets`}`;
    }
    case "same":
      return `${path}: the same directory as ${outcome.as}`;
    case "missing":
    case "notADirectory":
    case "loop":
    case "notPermitted":
    case "offLimits":
    case "failed":
      return `${path}: ${resolutionText(outcome)}`;
  }
  return outcome satisfies never;
}

/** Whether a place that was named was not looked into. Of the usual places, those that exist count. */
export function isUnseen({ origin, outcome }: LookedIn): boolean {
  return origin !== "known" && outcome.kind !== "found" && outcome.kind !== "same";
}

/** A place that was named and not looked into. */
export function unseenText(place: LookedIn, search: SocketSearch): string {
  return `${place.origin === "flag" ? "--kubelet-dir" : "a kubelet's --root-dir"} ${lookedText(place, search)}`;
}

/** What was left out, and why. */
export function skippedText({ path, why }: Skipped): string {
  switch (why.kind) {
    case "mount":
      return `${path} was not looked into: ${why.mount.fsType} is mounted there`;
    case "depth":
      return `${path} was not looked into: it lies more than ${MAX_DEPTH} directories deep`;
    case "entries":
      return `${path} was not looked at whole: it holds more than ${MAX_ENTRIES} entries that are no regular files`;
    case "sockets":
      return `${path} was not looked at whole: it holds more than ${MAX_SOCKETS} sockets`;
    case "link":
      return `${path} was not looked into: it is a link to a directory elsewhere`;
    case "outside":
      return `${path} was not asked: it is a link out of the kubelet's directory, to ${why.target}`;
    case "name":
      return `${path} was not looked at: its name is not UTF-8`;
    case "tooLarge":
      return `${path} was not looked into: it holds too many files to be listed`;
    case "notPermitted":
      return `${path} may not be looked into by us`;
    case "failed":
      return `${path} could not be looked into: ${why.code}`;
  }
  return why satisfies never;
}

/** Why a path leads to nothing that can be used. */
export function resolutionText(resolution: Exclude<Resolution, { readonly kind: "found" }>): string {
  switch (resolution.kind) {
    case "missing":
      return "no such directory";
    case "notADirectory":
      return "not a directory";
    case "loop":
      return "its links lead back to themselves";
    case "notPermitted":
      return "we may not look there";
    case "offLimits":
      return resolution.mount === undefined
        ? "volumes are there, which are not touched"
        : `${resolution.mount.fsType} is mounted there, which may never answer`;
    case "failed":
      return resolution.code;
  }
  return resolution satisfies never;
}
