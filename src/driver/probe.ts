import type { IdentityClient } from "./identity";
import { diagnoseCall, diagnoseConnect, diagnoseInternal, type Diagnosis, type Scene } from "./diagnosis";
import { errorText } from "../base/errors";
import type { ProbeResult, ProbeTiming } from "./probe-result";
import type { SocketFile } from "./socket-file";

export interface ProbeOptions {
  readonly client: Pick<IdentityClient, "probe">;
  readonly socketPath: string;
  /** Our own effective user id, for a person who has to mend a permission. */
  readonly uid: number;
  readonly lookAtSocketFile: (path: string) => SocketFile;
  /** For how long it has been tried to connect, this attempt included, where there were others before it. */
  readonly triedMs?: () => number;
}

/** Probes the driver once: one connection, one `Identity/Probe`, one result that says why. Never rejects. */
export async function probeOnce(options: ProbeOptions): Promise<ProbeResult> {
  const { client, socketPath, uid } = options;
  try {
    const { outcome, timing } = await client.probe();
    const scene: Scene = {
      socketPath,
      rpcName: "Identity/Probe",
      uid,
      elapsedMs: timing.elapsedMs,
      triedMs: options.triedMs?.(),
      socketFile: () => options.lookAtSocketFile(socketPath),
    };
    switch (outcome.kind) {
      case "answered":
        return { kind: outcome.response.ready ? "ready" : "notReady", timing };
      case "noConnection":
        return failed(diagnoseConnect(outcome.failure, scene), timing);
      case "noAnswer":
        return failed(diagnoseCall(outcome.outcome, scene), timing);
    }
    return outcome satisfies never;
  } catch (error) {
    return failed(diagnoseInternal(errorText(error)), { elapsedMs: 0 });
  }
}

function failed(diagnosis: Diagnosis, timing: ProbeTiming): ProbeResult {
  return { kind: "failed", reason: diagnosis.reason, message: diagnosis.message, timing };
}
