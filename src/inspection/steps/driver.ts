import { isUnimplemented, type NoConnection } from "../../driver/client";
import { diagnose, type Diagnosis } from "../../driver/diagnosis";
import { StatusCode, statusName } from "../../grpc/status";
import { type NextCommands, remedyOf } from "../next-commands";
import {
  ALL_QUESTIONS,
  answersOf,
  type AskedDriver,
  type Call,
  converse,
  type DriverAnswers,
  failedAnswers,
  NODE_INFO,
  type Questions,
  titleOf,
} from "../questions";
import { failed, type InspectStep, NOT_REACHED, passed, type StepOutcome, step } from "../report";

export interface DriverStepOptions extends AskedDriver {
  /** Whether NodeGetInfo is asked for: some drivers write to the API server or log in to an array in it. */
  readonly nodeInfo: boolean;
  readonly next: NextCommands;
  /** Called before each wait, with what is waited for. */
  readonly onWait: (what: string) => void;
}

export interface DriverSteps {
  readonly steps: readonly InspectStep[];
  readonly answers: DriverAnswers;
}

export async function takeDriverSteps(options: DriverStepOptions): Promise<DriverSteps> {
  const conversation = await converse(options, questionsOf(options), options.onWait);
  if (conversation.kind === "unopened") return connectFailed(conversation.opened, conversation.diagnosis, options);
  const { connectMs, settingsMs } = conversation.timing;
  const steps = [
    step("connect", passed([]), connectMs),
    step("HTTP/2", passed([]), settingsMs),
    ...conversation.calls.map((call) => step(call.title, callOutcome(call, options), call.durationMs)),
  ];
  return { steps: [...steps, ...unreachedSteps(options, steps.length)], answers: answersOf(conversation) };
}

/** The steps of a connection that could not be made. */
export function connectFailed(opened: NoConnection, diagnosis: Diagnosis, options: DriverStepOptions): DriverSteps {
  const { failure, elapsedMs, connectMs } = opened;
  if (failure.kind === "refused" || failure.kind === "shortage")
    return failedAt("connect", elapsedMs, [], diagnosis, options);
  const before = [step("connect", passed([]), connectMs)];
  return failedAt("HTTP/2", elapsedMs - (connectMs ?? 0), before, diagnosis, options);
}

/** The steps where one is the last that was reached, because it failed. */
export function failedAt(
  title: string,
  elapsedMs: number,
  before: readonly InspectStep[],
  diagnosis: Diagnosis,
  options: DriverStepOptions,
): DriverSteps {
  const steps = [...before, step(title, failedBy(diagnosis, options), elapsedMs)];
  return { steps: [...steps, ...unreachedSteps(options, steps.length)], answers: failedAnswers(diagnosis) };
}

/** The steps after so many. */
export function unreachedSteps(options: Pick<DriverStepOptions, "nodeInfo">, taken = 0): readonly InspectStep[] {
  const titles = ["connect", "HTTP/2", ...questionsOf(options).map(titleOf)];
  return titles.slice(taken).map((title) => step(title, NOT_REACHED));
}

function questionsOf({ nodeInfo }: Pick<DriverStepOptions, "nodeInfo">): Questions {
  return nodeInfo ? [...ALL_QUESTIONS, NODE_INFO] : ALL_QUESTIONS;
}

function callOutcome({ answer, attempt }: Call, options: DriverStepOptions): StepOutcome {
  if (answer.kind === "answered") {
    const { details, ready } = answer.response;
    // As of a driver that answers an error: only its log says more.
    return ready === false ? failed(details, ...remedyOf("rpc_error", options.next)) : passed(details);
  }
  if (isUnimplemented(answer)) return { kind: "absent", details: [statusName(StatusCode.unimplemented)] };
  return failedBy(diagnose(answer, attempt), options);
}

function failedBy({ reason, message }: Diagnosis, { next }: DriverStepOptions): StepOutcome {
  return failed([message], ...remedyOf(reason, next));
}
