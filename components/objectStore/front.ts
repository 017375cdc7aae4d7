import { INSIDE_PORT, METRICS_PATH, PORT, SERVER_PORT } from "./settings";

/** Where the front finds what it uses; a test has it elsewhere. */
export interface FrontPlaces {
  readonly directory: string;
  readonly clients: string;
  readonly inside: string;
  readonly server: string;
}

export const FRONT: FrontPlaces = {
  directory: "/etc/front",
  clients: `:${PORT}`,
  inside: `:${INSIDE_PORT}`,
  server: `127.0.0.1:${SERVER_PORT}`,
};

const FINISH_SECONDS = 20;

/** Of Traefik: it takes up a certificate that was renewed as soon as its file is there. */
export const frontFlags = ({ directory, clients, inside }: FrontPlaces = FRONT): string[] => [
  `--entryPoints.clients.address=${clients}`,
  `--entryPoints.clients.transport.lifeCycle.graceTimeOut=${FINISH_SECONDS}s`,
  // A large object takes as long as it takes.
  "--entryPoints.clients.transport.respondingTimeouts.readTimeout=0s",
  // The names of objects, and the signatures over them, are passed on as they came.
  "--entryPoints.clients.http.sanitizePath=false",
  `--entryPoints.inside.address=${inside}`,
  "--ping=true",
  "--ping.entryPoint=inside",
  `--providers.file.directory=${directory}`,
  "--global.checkNewVersion=false",
  "--global.sendAnonymousUsage=false",
  // The directory has its files twice, as Kubernetes lays them there, and each second one would be a warning.
  "--log.level=ERROR",
  "--log.format=json",
];

const anyOf = (...paths: string[]): string => paths.map((path) => `Path(\`${path}\`)`).join(" || ");

/**
 * What the front does: at the port of the clients it wants a certificate of the authority for clients; inside it answers
 * for the server where somebody must ask who can have none. Of MinIO's own paths clients get to those of its administration
 * alone, which take a key of their own.
 */
export function frontConfig({ directory, server }: FrontPlaces = FRONT): object {
  const at = (file: string): string => `${directory}/${file}`;
  const own = "PathRegexp(`(?i)^/+minio(/|$)`)";
  return {
    tls: {
      stores: { default: { defaultCertificate: { certFile: at("tls.crt"), keyFile: at("tls.key") } } },
      options: {
        default: {
          minVersion: "VersionTLS12",
          clientAuth: { caFiles: [at("clients.crt")], clientAuthType: "RequireAndVerifyClientCert" },
        },
      },
    },
    http: {
      routers: {
        clients: {
          entryPoints: ["clients"],
          rule: `!${own} || PathPrefix(\`/minio/admin/v3/\`)`,
          service: "server",
          tls: {},
        },
        inside: {
          entryPoints: ["inside"],
          rule: `Method(\`GET\`) && (${anyOf("/minio/health/live", "/minio/health/cluster/read", METRICS_PATH)})`,
          service: "server",
        },
      },
      services: {
        server: {
          loadBalancer: {
            servers: [{ url: `https://${server}` }],
            serversTransport: "server",
          },
        },
      },
      serversTransports: {
        server: { serverName: "localhost", rootCAs: [at("ca.crt")], disableHTTP2: true },
      },
    },
  };
}
