import { type AmfValue, isAmfObject } from "./amf0.js";

export type RtmpErrorKind = "closed" | "rejected" | "protocol" | "timeout";

/** Why a session ended or a command failed. `code` is the server's, such as `NetStream.Publish.BadName`. */
export class RtmpError extends Error {
  override readonly name = "RtmpError";
  constructor(
    readonly kind: RtmpErrorKind,
    message: string,
    readonly code: string | undefined = undefined,
  ) {
    super(message);
  }
}

/** The information object of onStatus, _result and _error. */
export interface RtmpStatus {
  readonly level: string;
  readonly code: string;
  readonly description: string;
}

/** Turns a status into the error that it reports. */
export function rejection(status: RtmpStatus): RtmpError {
  const text = status.description === "" ? status.code : `${status.code} (${status.description})`;
  return new RtmpError("rejected", `the server answers ${text}`, status.code);
}

export function closedByServer(): RtmpError {
  return new RtmpError("closed", "the server closes the connection");
}

/** Finds the information object among a command's arguments. */
export function readStatus(args: readonly AmfValue[]): RtmpStatus {
  const info = args.find((value) => isAmfObject(value) && "code" in value);
  const field = (name: string) => {
    const value = info !== undefined && isAmfObject(info) ? info[name] : undefined;
    return typeof value === "string" ? value : "";
  };
  return { level: field("level"), code: field("code") || "an unnamed error", description: field("description") };
}
