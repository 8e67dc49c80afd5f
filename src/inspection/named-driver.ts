import { openSession } from "../driver/session";
import { ConfigError } from "../base/errors";
import { pinSocket } from "../node/pinned-socket";
import { driverDirectoryOf, type NodeSocket, type NodeView } from "./node-view";
import { askRegistration, CSI_PLUGIN, type RegistrationOptions, type Told } from "./registrations";
import { shellCommand } from "../base/shell-command";
import { quote } from "../base/text";

/** The socket of a driver that was asked for by its name. */
export interface NamedDriver {
  /** As the kubelet knows it. */
  readonly path: string;
  /** Where this process connects to it; undefined where it is registered with a path that is not to be connected to. */
  readonly connectPath: string | undefined;
  /** `device:inode`. */
  readonly fileId: string | undefined;
}

/**
 * Finds a driver by its name: that of its directory right in `plugins/`, one that is registered for it, or what it tells
 * itself. Drivers that are called so already are not asked, so that one that hangs gets no connection for it.
 *
 * @throws {ConfigError} where no driver is called so, where several are (none is guessed), or where it is not to be connected to
 */
export async function findNamedDriver(
  name: string,
  node: NodeView,
  options: RegistrationOptions,
): Promise<NamedDriver> {
  const registry = node.search.sockets.filter(({ directory }) => directory === "plugins_registry");
  const others = node.search.sockets.filter(({ directory }) => directory !== "plugins_registry");
  const answers = await Promise.all(registry.map(async (socket) => askRegistration(socket, node, options)));
  const told = answers.flatMap((answer) => (answer.kind === "told" && answer.info.type === CSI_PLUGIN ? [answer] : []));
  const registered = told.filter(({ info }) => info.name === name).map(targetOf);
  const byDirectory = others.filter(({ path }) => driverDirectoryOf(node, path) === name).map(namedBy);
  const known = new Set([...registered, ...byDirectory].map(({ connectPath }) => connectPath));
  const announced = told.flatMap(({ target }) => (target.kind === "socket" ? [target.socket] : []));
  const unknown = [...others, ...announced].filter(({ outerPath }) => !known.has(outerPath));
  const telling = await Promise.all(
    bySocket(unknown.map(namedBy)).map(async (driver) => ((await tellsName(driver, name, options)) ? [driver] : [])),
  );
  const matches = bySocket([...byDirectory, ...registered, ...telling.flat()]);
  const [only, ...more] = matches;
  if (only === undefined)
    throw new ConfigError(`there is no driver ${quote(name)} here: livenessprobe list shows those there are`);
  if (more.length > 0)
    throw new ConfigError(
      `there are ${matches.length} drivers ${quote(name)}: name a socket, ${matches.map(({ path }) => shellCommand([path]) ?? quote(path)).join(" or ")}`,
    );
  if (only.connectPath === undefined)
    throw new ConfigError(
      `driver ${quote(name)} is registered with ${only.path}, which is not to be connected to: livenessprobe list says why`,
    );
  return only;
}

function namedBy({ path, outerPath, fileId }: NodeSocket): NamedDriver {
  return { path, connectPath: outerPath, fileId };
}

function targetOf({ target }: Told): NamedDriver {
  return target.kind === "socket"
    ? namedBy(target.socket)
    : { path: target.path, connectPath: undefined, fileId: undefined };
}

/** Each socket once, by whatever path it was found first. */
function bySocket(drivers: readonly NamedDriver[]): readonly NamedDriver[] {
  const groups = Map.groupBy(drivers, ({ path, connectPath }) => connectPath ?? path);
  return [...groups.values()].flatMap((same) => same.slice(0, 1));
}

async function tellsName(
  { connectPath, fileId }: NamedDriver,
  name: string,
  { probeTimeoutMs: timeoutMs, userAgent }: RegistrationOptions,
): Promise<boolean> {
  if (connectPath === undefined || fileId === undefined) return false;
  const pinned = pinSocket(connectPath, fileId);
  if (pinned.kind !== "pinned") return false;
  using socket = pinned.socket;
  const opened = await openSession({ socketPath: socket.path, timeoutMs, userAgent });
  if (opened.kind !== "open") return false;
  using session = opened.session;
  const { answer } = await session.getPluginInfo();
  return answer.kind === "answered" && answer.response.name === name;
}
