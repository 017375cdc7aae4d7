/** Of a stack's outputs, what tells where its applications answer. */
export interface Answering {
  readonly endpoints?: Readonly<Record<string, string>>;
  readonly edge?: { readonly address?: string; readonly hosts?: Readonly<Record<string, string>> };
}

const isInside = (url: string): boolean => /\.svc\.[^/]*$/.test(new URL(url).host);

/**
 * Where people find each application: from outside where there is a way in, from inside the cluster where there is none. What
 * answers without a name server comes first.
 */
export function waysTo({ endpoints = {}, edge }: Answering): [name: string, url: string][] {
  const hosts = edge?.hosts ?? {};
  const all = Object.entries(endpoints);
  return [
    ...all.filter(([, url]) => !isInside(url)),
    ...Object.entries(hosts),
    ...all.filter(([name, url]) => isInside(url) && !hosts[name]),
  ];
}

/** What is said to whoever has just brought a stack up. */
export function welcome(stack: string, outputs: Answering): string {
  const ways = waysTo(outputs);
  const width = Math.max(16, ...ways.map(([name]) => name.length));
  const open = ways.find(([, url]) => url.startsWith("http:") && !isInside(url));
  const hosted = ways.find(([, url]) => url.startsWith("https:") && new URL(url).pathname === "/");
  const { hostname = "" } = hosted ? new URL(hosted[1]) : {};
  return [
    "",
    `${stack} is up:`,
    ...ways.map(([name, url]) => `  ${name.padEnd(width)} ${url}`),
    "",
    "Next:",
    ...(open ? [`  curl ${open[1]}`] : []),
    '  eval "$(npm run -s env)"     then pulumi and kubectl work in this shell',
    ...(hosted && outputs.edge?.address
      ? [`  curl --resolve ${hostname}:443:${outputs.edge.address} --cacert "$SSL_CERT_FILE" ${hosted[1]}`]
      : []),
    `  npm run verify -- --stack ${stack}   whether all holds that the platform promises`,
    `  npm run down -- --stack ${stack}     removes ${stack}; npm run down -- --all the cluster too`,
  ].join("\n");
}
