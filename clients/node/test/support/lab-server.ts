import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { gunzipSync } from "node:zlib";

/** A request as the server got it. */
export interface Received {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: NodeJS.Dict<string | string[]>;
  /** Bytes on the wire, before decompression. */
  rawBytes: number;
  /** Text of the body after decompression. */
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape.
  json: any;
}

/** What the server does: answers, closes the connection without an answer, or never answers. */
export type Answer = { status: number; headers?: Record<string, string>; body?: unknown } | "drop" | "hang" | "cut";

export type Handler = (request: Received, index: number) => Answer | Promise<Answer>;

/** A server on a real socket that fails on purpose, and remembers what it got. */
export class LabServer {
  readonly received: Received[] = [];
  readonly sockets = new Set<Socket>();
  socketCount = 0;
  private readonly server = createServer((request, response) => void this.serve(request, response));

  private constructor(private handler: Handler) {
    this.server.on("connection", (socket) => {
      this.socketCount++;
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
  }

  static async start(handler: Handler = acceptAll): Promise<LabServer> {
    const lab = new LabServer(handler);
    await new Promise<void>((resolve) => lab.server.listen(0, "127.0.0.1", resolve));
    return lab;
  }

  get host(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Ids of the events in each request to the track endpoint. */
  get trackedIds(): string[][] {
    return this.received
      .filter((request) => request.path === "/api/track/")
      .map((request) => request.json.batch.map((event: { idempotency_id: string }) => event.idempotency_id));
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw).toString();
    const url = new URL(request.url ?? "/", "http://lab");
    const received: Received = {
      method: request.method ?? "",
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      rawBytes: raw.length,
      text,
      json: text === "" ? null : JSON.parse(text),
    };
    const index = this.received.push(received) - 1;
    const answer = await this.handler(received, index);
    if (answer === "hang") return;
    if (answer === "drop") return void request.socket.destroy();
    if (answer === "cut") {
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
      response.write('{"half":', () => request.socket.destroy());
      return;
    }
    const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? {});
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(body);
  }
}

/** A track endpoint that stores everything. */
export const acceptAll: Handler = (request) => ({
  status: 201,
  body: verdicts(request, () => ({ status: "accepted" })),
});

/** The body of an answer with a verdict for each event of a request. */
export function verdicts(
  request: Received,
  judge: (event: { idempotency_id: string; event_name: string }) => { status: string; reason?: string },
): unknown {
  const results = request.json.batch.map((event: { idempotency_id: string; event_name: string }) => ({
    idempotency_id: event.idempotency_id,
    ...judge(event),
  }));
  const failed = results.filter((result: { status: string }) => ["rejected", "conflict"].includes(result.status));
  const success = failed.length === 0 ? "all" : failed.length === results.length ? "none" : "some";
  return { success, results };
}
