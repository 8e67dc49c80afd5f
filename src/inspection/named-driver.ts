import { GET_PLUGIN_INFO } from "../driver/messages";
import { ConfigError } from "../base/errors";
import { createSlots } from "../node/descriptors";
import { DRIVER_PLACES, driverDirectoryOf, type NodeView } from "./node-view";
import { askRegistration, askSocket, isCsiRegistration, isRegistrationSocket, type Target } from "./registrations";
import { type Invocation, ownCommand, shellCommand } from "../base/shell-command";
import { type NodeSocket, skippedText } from "../node/socket-search";
import { suggest } from "../base/suggest";
import { quote } from "../base/text";

export interface NamedDriverOptions {
  readonly probeTimeoutMs: number;
  readonly self: Invocation;
}

/**
 * Finds the path of a driver's socket, as the kubelet knows it, by the driver's name: that of its directory in
 * `plugins/`, its registration, or its answer to GetPluginInfo, for which only drivers of other names are asked. A
 * driver that has stopped may have left its directory or registration: nothing is at the path then.
 *
 * @throws {ConfigError} if no driver or several have the name, or if we must not connect to it
 */
export async function findNamedDriver(name: string, node: NodeView, options: NamedDriverOptions): Promise<string> {
  const slots = createSlots();
  const { sockets } = node.search;
  const asking = sockets
    .filter(isRegistrationSocket)
    .map((socket) => slots.use(() => askRegistration(socket, node, options.probeTimeoutMs)));
  const announced = (await Promise.all(asking)).filter(isCsiRegistration);
  const found = sockets
    .filter((socket) => !isRegistrationSocket(socket))
    .map((socket): Target => ({ kind: "socket", socket }));
  const known = new Set([
    ...socketsIn(node, name).map(({ outerPath }) => outerPath),
    ...announced.filter(({ info }) => info.name === name).map(({ target }) => keyOf(target)),
  ]);
  // Of two paths to a socket, the one that was found in the directories is shown.
  const targets = new Map([...announced.map(({ target }) => target), ...found].map((each) => [keyOf(each), each]));
  const matching = [...targets].map(async ([key, target]) => {
    if (known.has(key)) return [target];
    const isMatch = target.kind === "socket" && (await slots.use(() => tellsName(target.socket, name, options)));
    return isMatch ? [target] : [];
  });
  const matches = (await Promise.all(matching)).flat();
  const [only, ...more] = matches;
  if (only === undefined) return emptyDirectoryOf(name, node, options);
  if (more.length > 0)
    throw new ConfigError(`there are ${matches.length} drivers ${quote(name)}: ${choiceOf(matches)}`);
  if (only.kind === "socket") return only.socket.path;
  if (only.outcome.kind === "notAsked")
    throw new ConfigError(`driver ${quote(name)} is not to be connected to: ${only.outcome.message}`);
  return only.path;
}

/** The sockets in the directories of a driver. */
export function socketsIn(node: NodeView, name: string): readonly NodeSocket[] {
  return node.search.sockets.filter(({ path }) => driverDirectoryOf(node, path) === name);
}

function keyOf(target: Target): string {
  return target.kind === "socket" ? target.socket.outerPath : target.path;
}

/** A registered path may be any text, such as a flag, so only sockets of the node are offered. */
function choiceOf(matches: readonly Target[]): string {
  const offered = matches.flatMap((each) =>
    each.kind === "socket" ? [shellCommand([each.socket.path]) ?? quote(each.socket.path)] : [],
  );
  const refused = matches.flatMap((each) =>
    each.kind === "socket" ? [] : [`${quote(each.path)}, which is registered for it and not to be connected to`],
  );
  return [
    ...(offered.length === 0 ? [] : [`name a socket, ${offered.join(" or ")}`]),
    ...(refused.length === 0 ? [] : [`not ${refused.join(", or ")}`]),
  ].join("; ");
}

/** Where a driver's socket is expected, if the driver has a directory without one. */
function emptyDirectoryOf(name: string, node: NodeView, { self }: NamedDriverOptions): string {
  const directories = node.kubeletDirs
    .flatMap((path) => DRIVER_PLACES.map((place) => `${path}/${place}/${name}`))
    .filter(() => name !== "." && name !== "..");
  const skipped = node.search.skipped.find(({ path }) =>
    directories.some((directory) => `${directory}/`.startsWith(`${path}/`) || path.startsWith(`${directory}/`)),
  );
  if (skipped !== undefined)
    throw new ConfigError(`driver ${quote(name)} was not looked for everywhere: ${skippedText(skipped)}`);
  const there = directories.find((directory) => {
    const found = node.root.resolve(directory);
    return found.kind === "found" && found.file.type === "directory";
  });
  if (there !== undefined) return `${there}/csi.sock`;
  const meant = suggest(
    name,
    node.search.sockets.flatMap(({ path }) => driverDirectoryOf(node, path) ?? []),
  );
  const list = ownCommand(self, ["list"]);
  const advice = [
    ...(meant === undefined ? [] : [`did you mean ${quote(meant)}?`]),
    ...(list === undefined ? [] : [`to see those there are: ${list}`]),
  ];
  throw new ConfigError([`there is no driver ${quote(name)} here`, ...advice].join("; "));
}

async function tellsName(socket: NodeSocket, name: string, options: NamedDriverOptions): Promise<boolean> {
  const outcome = await askSocket(socket, GET_PLUGIN_INFO, options.probeTimeoutMs);
  if (outcome.kind === "noConnection" && outcome.failure.kind === "shortage")
    throw new ConfigError(`${socket.path} cannot be asked for its name: ${outcome.failure.code}`);
  return outcome.kind === "answered" && outcome.response.name === name;
}
