import { join } from "node:path";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const PROTO = join(import.meta.dir, "../../proto");

/**
 * A service of `proto/`, by its full name, as proto-loader reads it: absent fields by their defaults, enums by name where
 * they have one, 64-bit integers as numbers.
 */
export function loadService(file: "csi.proto" | "registration.proto", name: string): ServiceDefinition {
  const options = { keepCase: true, defaults: true, enums: String, longs: Number };
  const loaded = loadSync(join(PROTO, file), options);
  // proto-loader types a package as a union of all that it may hold; this one is a service, or the test fails at once.
  return loaded[name] as ServiceDefinition;
}

/** What proto-loader reads in the response of a method; the shape is its proto file's. */
export function readResponse(service: ServiceDefinition, method: string, bytes: Uint8Array): unknown {
  const { responseDeserialize } = service[method] ?? {};
  if (responseDeserialize === undefined) throw new Error(`there is no method ${method}`);
  return responseDeserialize(Buffer.from(bytes));
}
