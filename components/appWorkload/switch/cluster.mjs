/** How the switch asks: the API server as its account, Prometheus and pods as anybody. */
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";

const MERGE = "application/merge-patch+json";
const REPLACE = "application/json-patch+json";
/** Under this name the API server files the fields that are the switch's. */
const MANAGER = "platform-switch";

/** The status and text of an answer, on a connection of its own. */
export function ask(url, { method = "GET", headers = {}, body, ca, timeout = 5000 } = {}) {
  return new Promise((done, fail) => {
    const { request: send } = new URL(url).protocol === "https:" ? https : http;
    const request = send(url, { method, headers, ca, timeout, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (text += chunk));
      response.on("error", fail);
      response.on("end", () => done({ status: response.statusCode, text }));
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${timeout / 1000} s`)));
    request.on("error", fail);
    request.end(body);
  });
}

export class Cluster {
  constructor({ api, account }, namespace) {
    this.api = api;
    this.account = account;
    this.namespace = namespace;
  }

  async #asked(url, { method = "GET", type, body } = {}) {
    const read = (name) => fs.readFileSync(path.join(this.account, name), "utf8");
    const headers = { authorization: `Bearer ${read("token").trim()}`, ...(type ? { "content-type": type } : {}) };
    const { status, text } = await ask(this.api + url, { method, headers, body, ca: read("ca.crt"), timeout: 10_000 });
    if (status === 404 && method === "GET") return undefined;
    if (status < 300) return JSON.parse(text);
    const reason = text.startsWith("{") ? JSON.parse(text).message : "";
    throw new Error(`${method} ${url}: ${status} ${reason}`);
  }

  #url(group, kind, name) {
    return `${group}/namespaces/${this.namespace}/${kind}/${name}`;
  }

  #change(group, kind, name, type, body) {
    const url = `${this.#url(group, kind, name)}?fieldManager=${MANAGER}`;
    return this.#asked(url, { method: "PATCH", type, body: JSON.stringify(body) });
  }

  async pods(labels) {
    const selector = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    const query = `labelSelector=${encodeURIComponent(selector.join(","))}`;
    const { items } = await this.#asked(`/api/v1/namespaces/${this.namespace}/pods?${query}`);
    return items.filter(({ metadata }) => !metadata.deletionTimestamp);
  }

  deployment = (name) => this.#asked(this.#url("/apis/apps/v1", "deployments", name));
  service = (name) => this.#asked(this.#url("/api/v1", "services", name));
  route = (name) => this.#asked(this.#url("/apis/gateway.networking.k8s.io/v1", "httproutes", name));
  record = (name) => this.#asked(this.#url("/api/v1", "configmaps", name));
  job = (name) => this.#asked(this.#url("/apis/batch/v1", "jobs", name));

  /** All of a template is put in the other's place: what the other had and this one has not is gone. */
  renew = (name, template, replicas) =>
    this.#change("/apis/apps/v1", "deployments", name, REPLACE, [
      { op: "add", path: "/spec/template", value: template },
      { op: "add", path: "/spec/replicas", value: replicas },
    ]);
  scale = (name, replicas) => this.#change("/apis/apps/v1", "deployments", name, MERGE, { spec: { replicas } });
  select = (name, selector) =>
    this.#change("/api/v1", "services", name, REPLACE, [{ op: "add", path: "/spec/selector", value: selector }]);
  share = (name, rules) =>
    this.#change("/apis/gateway.networking.k8s.io/v1", "httproutes", name, MERGE, { spec: { rules } });
  write = (name, data) => this.#change("/api/v1", "configmaps", name, MERGE, { data });
  /** A verdict is not asked for a second time. */
  giveUp = (name) => this.#change("/apis/batch/v1", "jobs", name, MERGE, { spec: { backoffLimit: 0 } });
  suspend = (name, isSuspended) =>
    this.#change("/apis/batch/v1", "cronjobs", name, MERGE, { spec: { suspend: isSuspended } });
}
