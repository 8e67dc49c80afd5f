// The least that a sidecar on Bun does: `Bun.serve`, and for each question one call with node:http2, of which nothing
// is checked.
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";

const EMPTY_REQUEST = Buffer.alloc(5);

const csiAddress = flag("--csi-address");
const port = Number(/:(\d+)$/.exec(flag("--http-endpoint"))?.[1]);

Bun.serve({ hostname: "127.0.0.1", port, fetch: probe });

function flag(name: string): string {
  const value = process.argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  if (value === undefined) throw new Error(`${name} is missing`);
  return value;
}

function probe(): Promise<Response> {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const session = connectHttp2("http://localhost", { createConnection: () => connect({ path: csiAddress }) });
  const call = session.request({
    ":method": "POST",
    ":path": "/csi.v1.Identity/Probe",
    "content-type": "application/grpc",
    te: "trailers",
  });
  call.on("trailers", () => {
    session.destroy();
    resolve(new Response("ok"));
  });
  call.resume();
  call.end(EMPTY_REQUEST);
  return promise;
}
