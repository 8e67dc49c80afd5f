import { endpointPort } from "./endpoint";

Bun.serve({ hostname: "127.0.0.1", port: endpointPort(), fetch: () => new Response("ok") });
