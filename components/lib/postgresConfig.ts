import type { AppDatabase } from "../postgres/service";
import {
  LEAST_MEMORY,
  MODES,
  type PostgresMode,
  RESERVED_CONNECTIONS,
  RESERVED_NAMES,
  REPLICAS,
  type ServerSize,
  roleOf,
} from "../postgres/settings";
import { type Fields, type Reader, isCidrList, isText } from "./configReader";
import type { Faults } from "./faults";
import { bytes } from "./quantities";

/** Servers of our own, or those of somebody else. */
export type PostgresConfig = OwnPostgres | { readonly external: ExternalConfig };

export interface OwnPostgres extends ServerSize {
  readonly external?: undefined;
  readonly mode: PostgresMode;
  /** Copies of the server that takes the writes. */
  readonly replicas: number;
}

export interface ExternalConfig {
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  readonly ca?: string;
}

type Databases = Readonly<Record<string, { readonly postgres?: AppDatabase }>>;

const KEYS = ["mode", "replicas", "storage", "memory", "connections", "external"];
const LEAST_STORAGE = "512Mi";
const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const CERTIFICATE = /^-----BEGIN CERTIFICATE-----\n[^]*-----END CERTIFICATE-----\s*$/;
const IDENTIFIER = /^[a-z_][a-z0-9_]{0,62}$/;

/** A key that is declared has a value: that of the project where a stack names none. */
const isEmpty = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).length === 0;

/** `platform:postgres`, without which there is none, checked together with the applications that use it. */
export function parsePostgres(
  place: string,
  value: unknown,
  apps: Databases,
  reader: Reader,
  faults: Faults,
): PostgresConfig | undefined {
  if (value === undefined || isEmpty(value)) {
    for (const [app, { postgres }] of Object.entries(apps))
      if (postgres) faults.add(`platform:apps.${app}.postgres`, postgres, `nothing, as there is no ${place}`);
    return undefined;
  }
  const given = reader.object(place, value, KEYS);
  checkNames(apps, faults);
  if (given.external === undefined) return parseOwn(place, given, apps, reader, faults);
  for (const key of KEYS)
    if (key !== "external" && given[key] !== undefined)
      faults.add(`${place}.${key}`, given[key], "nothing, as external says that somebody else runs it");
  return { external: parseExternal(`${place}.external`, given.external, reader, faults) };
}

function parseOwn(place: string, given: Fields, apps: Databases, reader: Reader, faults: Faults): OwnPostgres {
  const mode = reader.oneOf(`${place}.mode`, given.mode ?? "single", MODES);
  const { least, most, usual } = REPLICAS[mode];
  const size = (key: "storage" | "memory", fallback: string, floor: string): string => {
    const found = reader.size(`${place}.${key}`, given[key], fallback);
    if ((bytes(found) ?? 0) < (bytes(floor) ?? 0)) faults.add(`${place}.${key}`, found, `at least ${floor}`);
    return found;
  };
  const connections = reader.integer(`${place}.connections`, given.connections ?? 50, 20, 1000);
  const taken = Object.values(apps).reduce((sum, { postgres }) => sum + (postgres?.connections ?? 0), 0);
  if (taken + RESERVED_CONNECTIONS > connections)
    faults.add(
      `${place}.connections`,
      connections,
      `at least ${taken + RESERVED_CONNECTIONS}: ${taken} for the applications, ${RESERVED_CONNECTIONS} for the platform`,
    );
  return {
    mode,
    replicas: reader.integer(`${place}.replicas`, given.replicas ?? usual, least, most, ` in mode ${mode}`),
    storage: size("storage", "2Gi", LEAST_STORAGE),
    memory: size("memory", LEAST_MEMORY[mode], LEAST_MEMORY[mode]),
    connections,
  };
}

function parseExternal(place: string, value: unknown, reader: Reader, faults: Faults): ExternalConfig {
  const { host, port, addresses, ca } = reader.object(place, value, ["host", "port", "addresses", "ca"]);
  const isHost = isText(host) && HOST.test(host);
  if (!isHost) faults.add(`${place}.host`, host, 'the name in its certificate, such as "db.example.com"');
  if (!isCidrList(addresses))
    faults.add(`${place}.addresses`, addresses, 'the address ranges of the host, such as ["203.0.113.7/32"]');
  const isCertificate = isText(ca) && CERTIFICATE.test(ca);
  if (ca !== undefined && !isCertificate) faults.add(`${place}.ca`, ca, "certificates in PEM");
  return {
    host: isHost ? host : "",
    port: reader.integer(`${place}.port`, port ?? 5432, 1, 65_535),
    addresses: isCidrList(addresses) ? addresses : [],
    ca: isCertificate ? ca : undefined,
  };
}

/** What an application's entry says under `postgres`: true, or more. */
export function parseAppDatabase(
  app: string,
  place: string,
  value: unknown,
  reader: Reader,
  faults: Faults,
): AppDatabase | undefined {
  if (value === undefined || value === false) return undefined;
  const { database = roleOf(app), connections = 10 } =
    value === true ? {} : reader.object(place, value, ["database", "connections"]);
  const isName = isText(database) && IDENTIFIER.test(database) && !database.startsWith("pg_");
  if (!isName)
    faults.add(`${place}.database`, database, "a name of lower-case letters, digits and underscores, not pg_…");
  return {
    database: isName ? database : "",
    connections: reader.integer(`${place}.connections`, connections, 1, 1000),
  };
}

/** Each has a role and a database of its own, and none is the platform's. */
function checkNames(apps: Databases, faults: Faults): void {
  const owners = new Map<string, string>();
  for (const [app, { postgres }] of Object.entries(apps)) {
    if (!postgres) continue;
    const place = `platform:apps.${app}`;
    const role = roleOf(app);
    if (RESERVED_NAMES.includes(role) || role.startsWith("pg_"))
      faults.add(place, app, `another name, as ${role} is a role of Postgres or of the platform's`);
    const { database } = postgres;
    if (RESERVED_NAMES.includes(database))
      faults.add(`${place}.postgres.database`, database, "a name that neither Postgres nor the platform has");
    const owner = owners.get(database);
    if (owner) faults.add(`${place}.postgres.database`, database, `a database of its own, as ${owner} has this one`);
    owners.set(database, app);
  }
}
