import { randomBytes } from "node:crypto";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { type AmfValue, decodeAmf, encodeAmf } from "../../../src/edge/amf0.js";
import { ChunkReader, encodeMessage, messageType, type RtmpMessage } from "../../../src/edge/rtmp-chunks.js";

/** How the server answers `publish`, given the stream name with its query. */
export type PublishAnswer = "start" | "bad-name" | "close" | "silence" | "revoke";

/** The server half of RTMP, as little as a publisher needs: answers commands and remembers what it is sent. */
export class FakeRtmpServer {
  readonly commands: AmfValue[][] = [];
  readonly messages: RtmpMessage[] = [];
  readonly sockets: Socket[] = [];
  #server: Server;
  readonly #accepted = new Set<Socket>();
  /** Called when a publisher that was accepted leaves. */
  onDelete: () => void = () => {};

  private constructor(readonly answer: (name: string) => PublishAnswer) {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(answer: (name: string) => PublishAnswer): Promise<FakeRtmpServer> {
    const fake = new FakeRtmpServer(answer);
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  connect(): Socket {
    return connect(this.port, "127.0.0.1");
  }

  /** Messages of one type. */
  of(type: number): RtmpMessage[] {
    return this.messages.filter((message) => message.type === type);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.sockets.push(socket);
    const reader = new ChunkReader();
    let hello = Buffer.alloc(0);
    let greeted = false;
    socket.on("error", () => {});
    socket.on("data", (data: Buffer) => {
      let stream = data;
      if (!greeted) {
        hello = Buffer.concat([hello, data]);
        if (hello.length < 1537) return;
        const c1 = hello.subarray(1, 1537);
        stream = hello.subarray(1537);
        greeted = true;
        socket.write(Buffer.concat([Buffer.of(3), randomBytes(1536), c1]));
        reader.push(Buffer.concat([encodeMessage(noise, 2, 128)])); // a reader with state, as in real life
        pendingC2.set(socket, 1536);
      }
      const skip = Math.min(pendingC2.get(socket) ?? 0, stream.length);
      pendingC2.set(socket, (pendingC2.get(socket) ?? 0) - skip);
      for (const message of reader.push(stream.subarray(skip))) this.#onMessage(socket, message);
    });
  }

  #onMessage(socket: Socket, message: RtmpMessage): void {
    this.messages.push(message);
    if (message.type !== messageType.commandAmf0) return;
    const command = decodeAmf(message.body);
    this.commands.push(command);
    const [name, transaction, , argument] = command;
    if (name === "connect") {
      control(socket, messageType.windowAckSize, 3000);
      control(socket, messageType.setPeerBandwidth, 5_000_000, 2);
      send(socket, [
        "_result",
        transaction,
        { fmsVer: "x" },
        { code: "NetConnection.Connect.Success", level: "status" },
      ]);
    } else if (name === "createStream") {
      send(socket, ["_result", transaction, null, 1]);
      ping(socket);
    } else if (name === "publish") {
      this.#onPublish(socket, String(argument));
    } else if (name === "deleteStream" && this.#accepted.delete(socket)) {
      this.onDelete();
    }
  }

  #onPublish(socket: Socket, name: string): void {
    const answer = this.answer(name);
    if (answer === "start") this.#accepted.add(socket);
    if (answer === "close") socket.end();
    if (answer === "bad-name") status(socket, "error", "NetStream.Publish.BadName", `Already publishing ${name}`);
    if (answer === "start" || answer === "revoke")
      status(socket, "status", "NetStream.Publish.Start", "Start publishing");
    if (answer === "revoke") setTimeout(() => status(socket, "error", "NetStream.Publish.Revoked", name), 100);
  }
}

const pendingC2 = new WeakMap<Socket, number>();
const noise: RtmpMessage = { type: messageType.acknowledgement, streamId: 0, timestamp: 0, body: Buffer.alloc(4) };

function status(socket: Socket, level: string, code: string, description: string): void {
  send(socket, ["onStatus", 0, null, { level, code, description }]);
}

function send(socket: Socket, values: readonly AmfValue[]): void {
  const message = { type: messageType.commandAmf0, streamId: 0, timestamp: 0, body: encodeAmf(values) };
  socket.write(encodeMessage(message, 3, 128));
}

function control(socket: Socket, type: number, value: number, ...more: number[]): void {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(value);
  socket.write(
    encodeMessage({ type, streamId: 0, timestamp: 0, body: Buffer.concat([body, Buffer.from(more)]) }, 2, 128),
  );
}

function ping(socket: Socket): void {
  const body = Buffer.from("000600001234", "hex");
  socket.write(encodeMessage({ type: messageType.userControl, streamId: 0, timestamp: 0, body }, 2, 128));
}
