import { callOnce } from "../driver/client";
import { GET_PLUGIN_INFO } from "../driver/messages";
import { ConfigError } from "../base/errors";
import { createSlots } from "../node/descriptors";
import { pinSocket } from "../node/pinned-socket";
import { DRIVER_PLACES, driverDirectoryOf, type NodeView } from "./node-view";
import { askRegistration, CSI_PLUGIN, type Target } from "./registrations";
import { type Invocation, ownCommand, shellCommand } from "../base/shell-command";
import { type NodeSocket, skippedText } from "../node/socket-search";
import { suggest } from "../base/suggest";
import { quote } from "../base/text";

export interface NamedDriverOptions {
  readonly probeTimeoutMs: number;
  readonly self: Invocation;
}

/**
 * Finds the path of a driver's socket, as the kubelet knows it, by the driver's name: that of its directory in `plugins/`, its
 * registration, or its answer to GetPluginInfo, for which only drivers of other names are asked. A driver that has stopped may have left
 * its directory or registration: nothing is at the path then.
 *
 * @throws {ConfigError} if no driver or several have the name, or if we must not connect to it
 */
export async function findNamedDriver(name: string, node: NodeView, options: NamedDriverOptions): Promise<string> {
  const registry = node.search.sockets.filter(({ directory }) => directory === "plugins_registry");
  const slots = createSlots();
  const answers = await Promise.all(
    registry.map((socket) => slots.use(() => askRegistration(socket, node, options.probeTimeoutMs))),
  );
  const told = answers.flatMap((answer) => (answer.kind === "told" && answer.info.type === CSI_PLUGIN ? [answer] : []));
  const registered = told.filter(({ info }) => info.name === name).map(({ target }) => target);
  const known = [...socketsIn(node, name).map(targetOf), ...registered];
  const announced = told.flatMap(({ target }) => (target.kind === "socket" ? [target] : []));
  const others = node.search.sockets.filter(({ directory }) => directory !== "plugins_registry").map(targetOf);
  const isKnown = (target: Target): boolean => known.some((each) => keyOf(each) === keyOf(target));
  const unknown = bySocket([...others, ...announced]).filter((each) => !isKnown(each));
  const tells = await Promise.all(unknown.map(({ socket }) => slots.use(() => tellsName(socket, name, options))));
  const matches = bySocket<Target>([...known, ...unknown.filter((_, index) => tells[index])]);
  const [only, ...more] = matches;
  if (only === undefined) return emptyDirectoryOf(name, node, options);
  if (more.length > 0)
    throw new ConfigError(`there are ${matches.length} drivers ${quote(name)}: ${choiceOf(matches)}`);
  if (only.kind === "elsewhere" && only.outcome.kind === "notAsked")
    throw new ConfigError(`driver ${quote(name)} is not to be connected to: ${only.outcome.message}`);
  return only.kind === "socket" ? only.socket.path : only.path;
}

/** The sockets in the directories of a driver. */
export function socketsIn(node: NodeView, name: string): readonly NodeSocket[] {
  return node.search.sockets.filter(({ path }) => driverDirectoryOf(node, path) === name);
}

function targetOf(socket: NodeSocket): Extract<Target, { readonly kind: "socket" }> {
  return { kind: "socket", socket };
}

function keyOf(target: Target): string {
  return target.kind === "socket" ? target.socket.outerPath : target.path;
}

/** Each socket once, by the path that was found first. */
function bySocket<Each extends Target>(targets: readonly Each[]): readonly Each[] {
  return [...Map.groupBy(targets, keyOf).values()].flatMap((same) => same.slice(0, 1));
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
  const directories = node.kubelets.roots
    .flatMap(({ path }) => DRIVER_PLACES.map((place) => `${path}/${place}/${name}`))
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

async function tellsName(
  { outerPath, fileId, path }: NodeSocket,
  name: string,
  { probeTimeoutMs: timeoutMs }: NamedDriverOptions,
): Promise<boolean> {
  const pinned = pinSocket(outerPath, fileId);
  if (pinned.kind === "failed") throw new ConfigError(`${path} cannot be asked for its name: ${pinned.code}`);
  if (pinned.kind === "replaced") return false;
  using socket = pinned.socket;
  const { outcome } = await callOnce({ socketPath: socket.path, timeoutMs }, GET_PLUGIN_INFO);
  return outcome.kind === "answered" && outcome.response.name === name;
}
