import * as fs from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import type { TLSSocket } from "node:tls";
import { type Pair, authority, certificate } from "../../../sandbox/pki";

const UID = "0b4c1a52-7f3e-4d55-9a30-2f6d3a1c9e77";
export const TOKEN = "token-of-the-tests";
const USER = "tester";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
export const json =
  (body: unknown): Handler =>
  (_, response) =>
    response.end(JSON.stringify(body));

/** As much of an API server as the program asks before it starts, over TLS on loopback, for whoever can log in. */
export class FakeCluster {
  readonly uid = UID;
  readonly handlers: Record<string, Handler> = {
    "/api/v1/namespaces/kube-system": json({ metadata: { uid: UID } }),
    "/api/v1/nodes": json({
      items: [{ spec: { podCIDRs: ["10.1.1.0/24"] } }, { spec: { podCIDRs: ["10.1.0.0/24"] } }, { spec: {} }],
    }),
    "/apis": json({
      groups: ["cert-manager.io", "external-secrets.io", "gateway.networking.k8s.io", "monitoring.coreos.com"].map(
        (name) => ({ name }),
      ),
    }),
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=kubernetes":
      json({ items: [{ endpoints: [{ addresses: ["192.0.2.10"] }], ports: [{ name: "https", port: 6443 }] }] }),
  };
  readonly ca: Pair;
  readonly client: Pair;
  private readonly server: https.Server;

  private constructor(readonly dir: string) {
    this.ca = authority(dir, "cluster-ca", "cluster CA of the tests");
    this.client = certificate(dir, "client", this.ca, { commonName: USER });
    const serving = certificate(dir, "serving", this.ca, { commonName: "fake", names: ["IP:127.0.0.1"] });
    const read = (file: string): Buffer => fs.readFileSync(file);
    this.server = https.createServer(
      {
        key: read(serving.key),
        cert: read(serving.cert),
        ca: read(this.ca.cert),
        requestCert: true,
        rejectUnauthorized: false,
      },
      (request, response) => this.handle(request, response),
    );
    fs.writeFileSync(path.join(dir, "token"), `${TOKEN}\n`);
    const credential = { kind: "ExecCredential", status: { token: TOKEN } };
    fs.writeFileSync(path.join(dir, "credential.json"), JSON.stringify(credential));
  }

  static async start(dir: string): Promise<FakeCluster> {
    const cluster = new FakeCluster(dir);
    await new Promise<void>((done) => cluster.server.listen(0, "127.0.0.1", done));
    return cluster;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get caData(): string {
    return fs.readFileSync(this.ca.cert).toString("base64");
  }

  /** A login that the kubeconfig only points to. */
  get exec(): object {
    return {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "cat",
      args: [path.join(this.dir, "credential.json")],
    };
  }

  /** Writes a kubeconfig and gives the environment that names it. */
  kubeconfig(user: object = { exec: this.exec }, cluster: object = {}): NodeJS.ProcessEnv {
    const file = path.join(this.dir, "kubeconfig");
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        { name: "fake", cluster: { server: this.url, "certificate-authority-data": this.caData, ...cluster } },
      ],
      users: [{ name: "tester", user }],
      contexts: [
        { name: "fake-admin", context: { cluster: "fake", user: "tester" } },
        { name: "broken", context: { cluster: "elsewhere", user: "tester" } },
      ],
      "current-context": "fake-admin",
    };
    fs.writeFileSync(file, JSON.stringify(config));
    return { KUBECONFIG: file };
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(() => done()));
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    const socket = request.socket as TLSSocket;
    const byCertificate = socket.authorized && socket.getPeerCertificate().subject?.CN === USER;
    if (!byCertificate && request.headers.authorization !== `Bearer ${TOKEN}`) response.statusCode = 401;
    const handler = this.handlers[request.url ?? ""];
    if (!handler) response.statusCode = 404;
    if (handler && response.statusCode === 200) handler(request, response);
    else response.end("{}");
  }
}
