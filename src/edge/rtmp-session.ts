import type { Duplex } from "node:stream";
import { type AmfValue, decodeAmf, encodeAmf } from "./amf0.js";
import { withTimeout } from "./clock.js";
import { ChunkReader, encodeMessage, INITIAL_CHUNK_SIZE, messageType, type RtmpMessage } from "./rtmp-chunks.js";
import { clientHello, readServerHello } from "./rtmp-handshake.js";
import { closedByServer, RtmpError, type RtmpStatus, readStatus, rejection } from "./rtmp-status.js";

/** Bytes of a chunk that we send, nginx-rtmp's own default. */
const CHUNK_SIZE = 4096;
const ACK_WINDOW = 2_500_000;
/** Statuses that nobody has asked for yet. */
const MAX_STATUSES = 50;
/** Answers that the server asks for, and does not read; bytes. */
const MAX_UNREAD = 1024 * 1024;
/** Milliseconds that the last written bytes may take when we hang up. */
const LINGER_MS = 2000;
/** Chunk streams: 2 is reserved for protocol control, the others are ours to choose. */
const chunkStream = { control: 2, command: 3, audio: 4, data: 5, video: 6 } as const;
/** Always 1 on a fresh connection. */
const DEFAULT_STREAM = 1;
/** An event's type and its timestamp. */
const PING_BYTES = 6;
const userControl = { pingRequest: 6, pingResponse: 7 } as const;

export interface SessionOptions {
  /** A connected byte stream: a TCP socket or an SSH channel. The session owns it from now on. */
  readonly socket: Duplex;
  /** Milliseconds that the server may take for the handshake and for each answer. */
  readonly timeoutMs?: number;
  /** Aborting drops the connection. */
  readonly signal?: AbortSignal | undefined;
}

/** The number that createStream gave; servers that give none, or nonsense, have one stream. */
export function streamIdOf(value: AmfValue): number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32 ? value : DEFAULT_STREAM;
}

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** One RTMP connection of a client, up to its end. Commands in, statuses out; acknowledgements and pings by itself. */
export class RtmpSession {
  readonly #socket: Duplex;
  readonly #timeoutMs: number;
  readonly #reader = new ChunkReader();
  readonly #commands = new Map<number, Waiter<AmfValue[]>>();
  readonly #statuses: RtmpStatus[] = [];
  #statusWaiter: Waiter<RtmpStatus> | undefined;
  #handshake: { bytes: Buffer; waiter: Waiter<void> } | undefined;
  #transaction = 0;
  #chunkSize = INITIAL_CHUNK_SIZE;
  #received = 0;
  #acknowledged = 0;
  #peerWindow = ACK_WINDOW;
  #end: RtmpError | undefined;
  #resolveEnded: (error: RtmpError) => void = () => {};
  /** Resolves, never rejects, with why the connection ended. */
  readonly ended: Promise<RtmpError>;
  #resolveMedia: () => void = () => {};
  /** Resolves when the server sends audio or video, if ever. */
  readonly media: Promise<void>;
  /** Bytes given to the connection. */
  sentBytes = 0;

  private constructor(socket: Duplex, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.media = new Promise((resolve) => {
      this.#resolveMedia = resolve;
    });
    socket.on("data", (bytes: Buffer) => this.#onData(bytes));
    socket.on("end", () => this.#finish(closedByServer()));
    socket.on("close", () => this.#finish(closedByServer()));
    socket.on("error", (error) => this.#finish(new RtmpError("closed", `the connection breaks: ${error.message}`)));
  }

  /**
   * Shakes hands over the socket.
   * @throws RtmpError
   */
  static async open(options: SessionOptions): Promise<RtmpSession> {
    const session = new RtmpSession(options.socket, options.timeoutMs ?? 10_000);
    const drop = () => session.close();
    options.signal?.addEventListener("abort", drop, { once: true });
    session.ended.then(() => options.signal?.removeEventListener("abort", drop));
    if (options.signal?.aborted) drop();
    await session.#shakeHands();
    session.#sendControl(messageType.setChunkSize, CHUNK_SIZE);
    session.#chunkSize = CHUNK_SIZE;
    return session;
  }

  /**
   * Sends a command and waits for its _result.
   * @param args what follows the transaction id: the command object first
   * @throws RtmpError kind `rejected` on _error
   */
  async command(name: string, args: readonly AmfValue[], streamId = 0): Promise<AmfValue[]> {
    const transaction = ++this.#transaction;
    const answer = new Promise<AmfValue[]>((resolve, reject) => this.#commands.set(transaction, { resolve, reject }));
    this.#sendCommand([name, transaction, ...args], streamId);
    return this.#inTime(answer, `the server does not answer "${name}"`);
  }

  /** Sends a command whose result nobody waits for. */
  notify(name: string, args: readonly AmfValue[], streamId = 0): void {
    this.#sendCommand([name, ++this.#transaction, ...args], streamId);
  }

  /** The next onStatus, or an _error that no command waits for. @throws RtmpError when the connection ends first. */
  async nextStatus(timeoutMs = this.#timeoutMs): Promise<RtmpStatus> {
    const queued = this.#statuses.shift();
    if (queued !== undefined) return queued;
    if (this.#end !== undefined) throw this.#end;
    const next = new Promise<RtmpStatus>((resolve, reject) => {
      this.#statusWaiter = { resolve, reject };
    });
    try {
      return await withTimeout(next, timeoutMs, () => new RtmpError("timeout", "the server sends no status"));
    } finally {
      this.#statusWaiter = undefined;
    }
  }

  /** Sends media or metadata and waits while the connection is congested. False when the connection has ended. */
  async sendMedia(
    type: "audio" | "video" | "data",
    streamId: number,
    timestamp: number,
    body: Buffer,
  ): Promise<boolean> {
    const types = { audio: messageType.audio, video: messageType.video, data: messageType.dataAmf0 };
    if (this.#send({ type: types[type], streamId, timestamp, body }, chunkStream[type])) return true;
    if (this.#end === undefined) {
      let onDrain = () => {};
      const drained = new Promise<void>((resolve) => {
        onDrain = resolve;
        this.#socket.once("drain", onDrain);
      });
      await Promise.race([drained, this.ended]);
      this.#socket.off("drain", onDrain);
    }
    return this.#end === undefined;
  }

  /** Ends the connection after what was written is sent. */
  close(): void {
    this.#finish(new RtmpError("closed", "the connection is closed"));
  }

  async #shakeHands(): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#handshake = { bytes: Buffer.alloc(0), waiter: { resolve, reject } };
      if (this.#end !== undefined) reject(this.#end);
    });
    this.#write(clientHello());
    await this.#inTime(done, "the server does not finish the RTMP handshake");
  }

  /** Waits for an answer; a server that is too late is given up, with its connection. */
  async #inTime<T>(answer: Promise<T>, late: string): Promise<T> {
    try {
      return await withTimeout(answer, this.#timeoutMs, () => new RtmpError("timeout", late));
    } catch (error) {
      if (error instanceof RtmpError && error.kind === "timeout") this.#finish(error);
      throw error;
    }
  }

  #onData(bytes: Buffer): void {
    try {
      this.#received += bytes.length;
      this.#acknowledge();
      const stream = this.#handshake === undefined ? bytes : this.#onHandshake(this.#handshake, bytes);
      if (stream.length > 0) for (const message of this.#reader.push(stream)) this.#onMessage(message);
    } catch (error) {
      this.#finish(new RtmpError("protocol", `the server does not speak RTMP: ${(error as Error).message}`));
    }
  }

  #onHandshake(handshake: { bytes: Buffer; waiter: Waiter<void> }, bytes: Buffer): Buffer {
    handshake.bytes = Buffer.concat([handshake.bytes, bytes]);
    const step = readServerHello(handshake.bytes);
    if (step.status === "refused") throw new Error(step.reason);
    if (step.status === "more") return Buffer.alloc(0);
    this.#handshake = undefined;
    this.#write(step.reply);
    handshake.waiter.resolve();
    return step.rest;
  }

  #onMessage(message: RtmpMessage): void {
    switch (message.type) {
      case messageType.windowAckSize:
        this.#peerWindow = message.body.readUInt32BE();
        return;
      case messageType.setPeerBandwidth:
        this.#sendControl(messageType.windowAckSize, message.body.readUInt32BE());
        return;
      case messageType.userControl:
        this.#onUserControl(message.body);
        return;
      case messageType.audio:
      case messageType.video:
        this.#resolveMedia();
        return;
      case messageType.commandAmf0:
        this.#onCommand(decodeAmf(message.body));
        return;
      default:
    }
  }

  #onUserControl(body: Buffer): void {
    if (body.readUInt16BE() !== userControl.pingRequest) return;
    const reply = Buffer.from(body.subarray(0, PING_BYTES));
    reply.writeUInt16BE(userControl.pingResponse);
    this.#assertRead();
    this.#send({ type: messageType.userControl, streamId: 0, timestamp: 0, body: reply }, chunkStream.control);
  }

  #onCommand([name, transaction, ...args]: AmfValue[]): void {
    const waiter = typeof transaction === "number" ? this.#commands.get(transaction) : undefined;
    if (waiter !== undefined && typeof transaction === "number") this.#commands.delete(transaction);
    if (name === "_result") waiter?.resolve(args);
    else if (name === "_error" && waiter !== undefined) waiter.reject(rejection(readStatus(args)));
    else if (name === "_error" || name === "onStatus") this.#onStatus(readStatus(args));
    else if (name === "close") this.#finish(closedByServer());
  }

  #onStatus(status: RtmpStatus): void {
    const waiter = this.#statusWaiter;
    this.#statusWaiter = undefined;
    if (waiter === undefined && this.#statuses.length === MAX_STATUSES)
      throw new Error("it sends statuses without end");
    if (waiter === undefined) this.#statuses.push(status);
    else waiter.resolve(status);
  }

  #acknowledge(): void {
    if (this.#received - this.#acknowledged < this.#peerWindow) return;
    this.#acknowledged = this.#received;
    this.#sendControl(messageType.acknowledgement, this.#received >>> 0);
  }

  /** Only ever sent as an answer. @throws Error when the server asks on and on, and reads none */
  #sendControl(type: number, value: number): void {
    this.#assertRead();
    const body = Buffer.alloc(4);
    body.writeUInt32BE(value);
    this.#send({ type, streamId: 0, timestamp: 0, body }, chunkStream.control);
  }

  #assertRead(): void {
    if (this.#socket.writableLength > MAX_UNREAD) throw new Error("it does not read what it asks for");
  }

  #sendCommand(values: readonly AmfValue[], streamId: number): void {
    const body = encodeAmf(values);
    this.#send({ type: messageType.commandAmf0, streamId, timestamp: 0, body }, chunkStream.command);
  }

  #send(message: RtmpMessage, onStream: number): boolean {
    return this.#write(encodeMessage(message, onStream, this.#chunkSize));
  }

  #write(bytes: Buffer): boolean {
    if (this.#end !== undefined || !this.#socket.writable) return false;
    this.sentBytes += bytes.length;
    return this.#socket.write(bytes);
  }

  #finish(error: RtmpError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#handshake?.waiter.reject(error);
    for (const waiter of this.#commands.values()) waiter.reject(error);
    this.#commands.clear();
    this.#statusWaiter?.reject(error);
    this.#socket.end(() => this.#socket.destroy());
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
    this.#resolveEnded(error);
  }
}
