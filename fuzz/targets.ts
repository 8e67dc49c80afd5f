import type { Target } from "./target";
import { argv } from "./targets/argv";
import { durations } from "./targets/durations";
import { csiAddresses, listenAddresses } from "./targets/addresses";
import { jsonLog, klogText } from "./targets/logs";
import { messages, messagesOfProtoLoader } from "./targets/messages";
import { grpcAnswers } from "./targets/grpc-answers";
import { httpRequests } from "./targets/http-requests";
import { metrics, shellWords } from "./targets/output";
import { mountLines } from "./targets/mount-lines";
import { nodeFiles } from "./targets/node-files";
import { secrets } from "./targets/secrets";
import { globs, quantities, quotes, statusCodes } from "./targets/texts";

/** Every target, in the order in which they are run. */
export const TARGETS: readonly Target[] = [
  argv,
  durations,
  listenAddresses,
  csiAddresses,
  quantities,
  globs,
  quotes,
  statusCodes,
  klogText,
  jsonLog,
  metrics,
  shellWords,
  messages,
  messagesOfProtoLoader,
  nodeFiles,
  secrets,
  mountLines,
  grpcAnswers,
  httpRequests,
];
