/** What the live suite of Redis brings up, and what runs in its pod. */
export const ENVIRONMENT = "redis-live";
export const DATA = `${ENVIRONMENT}-data`;
export const APPS = `${ENVIRONMENT}-apps`;
export const NAMES = ["single", "watched", "sharded"] as const;

/** The three modes beside each other, and a pod that may reach them; like index.ts, but nothing else. */
export const PROGRAM = `
const k8s = require("@pulumi/kubernetes");
const random = require("@pulumi/random");
const pulumi = require("@pulumi/pulumi");
const { Environment } = require(process.env.ROOT + "/components/environment");
const { RedisCluster } = require(process.env.ROOT + "/components/redisCluster");
const { link } = require(process.env.ROOT + "/components/lib/network");
const { containerSecurity, podSecurity } = require(process.env.ROOT + "/components/lib/security");
const image = process.env.REDIS_IMAGE;
const opts = { providers: {
  kubernetes: new k8s.Provider("cluster", { kubeconfig: process.env.KUBECONFIG, kubeClientSettings: { qps: 500, burst: 1000 } }),
  random: new random.Provider("random"),
} };
const environment = new Environment("${ENVIRONMENT}", { environment: "${ENVIRONMENT}", concerns: ["data", "apps"], quota: { cpu: "8", memory: "8Gi", pods: 40 } }, opts);
const namespace = environment.namespace("data");
const apps = environment.namespace("apps");
const child = { provider: opts.providers.kubernetes };
const authority = process.env.AUTHORITY;
const common = { environment: "${ENVIRONMENT}", namespace, image, storage: "256Mi", memory: "64Mi", spread: "hard", authority };
const sizes = {
  single: { mode: "standalone", masters: 1, replicas: 0 },
  watched: { mode: "sentinel", masters: 1, replicas: 2 },
  sharded: { mode: "cluster", masters: Number(process.env.MASTERS), replicas: 1 },
};
const writer = { name: "writer", namespace: apps, selector: { test: "writer" } };
const passwords = {};
for (const [name, size] of Object.entries(sizes)) {
  const redis = new RedisCluster(name, { ...common, ...size }, opts);
  for (const { peer, port } of redis.entries) link(writer, peer, port, child);
  passwords[name] = redis.firstPassword;
}
const login = new k8s.core.v1.Secret("login", { metadata: { namespace: apps }, stringData: { ...passwords, "ca.crt": authority } }, child);
new k8s.core.v1.Pod("writer", {
  metadata: { name: "writer", namespace: apps, labels: writer.selector, annotations: { "pulumi.com/skipAwait": "true" } },
  spec: {
    automountServiceAccountToken: false, enableServiceLinks: false, terminationGracePeriodSeconds: 0, securityContext: podSecurity(999),
    containers: [{
      name: "main", image, command: ["sleep", "86400"], securityContext: containerSecurity(),
      resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { cpu: "1", memory: "128Mi" } },
      volumeMounts: [{ name: "login", mountPath: "/login", readOnly: true }, { name: "tmp", mountPath: "/tmp" }],
    }],
    volumes: [{ name: "login", secret: { secretName: login.metadata.name } }, { name: "tmp", emptyDir: {} }],
  },
}, child);
exports.passwords = passwords;
`;

/** Runs in the writer's pod: as NAME HOST PORT WORD…, and where the master is. */
export const CLIENT = `
as() { name=$1 host=$2 port=$3; shift 3; REDISCLI_AUTH=$(cat /login/$name) timeout 2 redis-cli -h "$host" -p "$port" --tls --cacert /login/ca.crt --user app --no-auth-warning "$@" 2>&1; }
now() { cut -d' ' -f1 /proc/uptime; }
place() { case $1 in watched) as watched watched.${DATA}.svc.cluster.local 26379 SENTINEL get-master-addr-by-name watched | head -n 1 ;; *) echo $1.${DATA}.svc.cluster.local ;; esac; }
`;

/** One write after the other until a file appears: when, which, and whether a replica confirmed it. */
export const WRITER = `${CLIENT}
name=$1 mark=$2; rm -f /tmp/stop-$name; i=0
while [ ! -e /tmp/stop-$name ]; do
  i=$((i + 1))
  answer=$(printf 'SET %s:%s %s\\nWAIT 1 1000\\n' $mark $i $i | as $name "$(place $name)" 6379 -c | tr -d '\\r' | tail -n 2 | tr '\\n' ' ')
  echo "$(now) $i $answer"
done`;

export const READER = `${CLIENT}
name=$1 mark=$2; host=$(place $name)
export REDISCLI_AUTH=$(cat /login/$name)
awk -v mark=$mark '{ print "GET " mark ":" $1 }' | redis-cli -c -h "$host" -p 6379 --tls --cacert /login/ca.crt --user app --no-auth-warning | grep -v "^-> Redirected"`;

/** Who takes writes, over and over: for sentinels the number of masters, for a cluster the most often claimed slots. */
export const WATCH = `${CLIENT}
name=$1 count=$2; rm -f /tmp/watched-$name
while [ ! -e /tmp/watched-$name ]; do
  i=0 total=0
  while [ $i -lt $count ]; do
    host=$name-$i.$name-nodes.${DATA}.svc.cluster.local
    if [ $name = watched ]; then as $name $host 6379 INFO replication | grep -q '^role:master' && total=$((total + 1))
    elif as $name $host 6379 CLUSTER INFO | grep -q cluster_state:ok; then
      slots=$(as $name $host 6379 CLUSTER NODES | awk '$3 ~ /myself/ { for (f = 9; f <= NF; f++) if ($f !~ /^\\[/) { split($f, r, "-"); n += (r[2] == "" ? r[1] : r[2]) - r[1] + 1 } } END { print n + 0 }')
      total=$((total + slots))
    fi
    i=$((i + 1))
  done
  echo $total
done`;
