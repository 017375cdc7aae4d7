import assert from "node:assert/strict";
import fc from "fast-check";
import { type Layout, SLOTS, checkName, layoutOf, sandboxDir } from "../../../sandbox/layout";

interface Range {
  readonly first: number;
  readonly last: number;
}

const numberOf = (ip: string): number => ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

function range(cidr: string): Range {
  const [ip = "", prefix = "32"] = cidr.split("/");
  const size = 2 ** (32 - Number(prefix));
  const first = numberOf(ip);
  assert.equal(first % size, 0, `${cidr} does not start where its prefix says`);
  return { first, last: first + size - 1 };
}

const overlap = (one: Range, other: Range): boolean => one.first <= other.last && other.first <= one.last;
const within = (inner: Range, outer: Range): boolean => inner.first >= outer.first && inner.last <= outer.last;
const machines = ({ hostIp }: Layout): Range => range(hostIp.replace(/\.\d+$/, ".0/24"));
const rangesOf = (layout: Layout): Range[] => [
  machines(layout),
  ...[layout.loadBalancerCidr, layout.serviceCidr, layout.podCidr].map(range),
];

const slot = fc.integer({ min: 0, max: SLOTS - 1 });
const at = (slotNumber: number): Layout => layoutOf("name", slotNumber, "/cache/name");

describe("a sandbox's addresses", () => {
  it("never meet those of another slot", () => {
    fc.assert(
      fc.property(slot, slot, (one, other) => {
        fc.pre(one !== other);
        assert.notEqual(at(one).bridge, at(other).bridge);
        for (const own of rangesOf(at(one)))
          for (const foreign of rangesOf(at(other))) assert.ok(!overlap(own, foreign), `slots ${one} and ${other}`);
      }),
    );
  });

  it("keep machines, load balancers, services and pods apart", () => {
    fc.assert(
      fc.property(slot, (number) => {
        const ranges = rangesOf(at(number));
        ranges.forEach((one, index) => ranges.slice(index + 1).forEach((other) => assert.ok(!overlap(one, other))));
      }),
    );
  });

  it("stay in the range that no router forwards", () => {
    const reserved = range("198.18.0.0/15");
    fc.assert(fc.property(slot, (number) => rangesOf(at(number)).every((each) => within(each, reserved))));
  });

  it("lie in the range they belong to, each once", () => {
    fc.assert(
      fc.property(slot, (number) => {
        const layout = at(number);
        const hosts = [layout.hostIp, layout.controlPlaneIp, ...layout.nodes.map(({ ip }) => ip)];
        assert.equal(new Set(hosts).size, hosts.length);
        for (const ip of hosts) assert.ok(within(range(ip), machines(layout)), ip);
        for (const ip of [layout.kubernetesServiceIp, layout.dnsIp])
          assert.ok(within(range(ip), range(layout.serviceCidr)), ip);
        // Kubernetes gives its own API the first address of the range.
        assert.equal(numberOf(layout.kubernetesServiceIp), range(layout.serviceCidr).first + 1);
        for (const index of [1, 254])
          assert.ok(within(range(layout.loadBalancerIp(index)), range(layout.loadBalancerCidr)));
      }),
    );
  });

  it("give each node pods of its own", () => {
    fc.assert(
      fc.property(slot, (number) => {
        const { nodes, podCidr } = at(number);
        const pods = nodes.map((node) => range(node.podCidr));
        assert.ok(pods.every((each) => within(each, range(podCidr))));
        pods.forEach((one, index) => pods.slice(index + 1).forEach((other) => assert.ok(!overlap(one, other))));
      }),
    );
  });

  it("come with link names that the kernel takes", () => {
    fc.assert(
      fc.property(slot, (number) => {
        const { bridge, nodes } = at(number);
        for (const { name } of [...nodes, { name: "cp" }]) assert.ok(`${bridge}-${name}`.length <= 15, name);
      }),
    );
  });

  it("are refused for a slot that is none", () => {
    for (const number of [-1, SLOTS, 1.5, NaN])
      assert.throws(() => at(number), new RegExp(`sandbox slot ${number} is outside 0\\.\\.${SLOTS - 1}`));
  });
});

describe("a sandbox's nodes", () => {
  it("stand in three zones and two regions", () => {
    const { nodes } = at(0);
    assert.deepEqual(
      [3, 3, 2],
      [nodes, [...new Set(nodes.map((node) => node.zone))], [...new Set(nodes.map((node) => node.region))]].map(
        (each) => each.length,
      ),
    );
  });
});

describe("a sandbox's name", () => {
  it("is short and made of lower-case letters, digits and dashes", () => {
    for (const name of ["a", "platform", "a-1", "x".repeat(20)]) assert.equal(checkName(name), name);
  });

  it("is refused otherwise, with what is allowed", () => {
    for (const name of ["", "A", "1a", "-a", "a-", "a_b", "a b", "a\n", "x".repeat(21), "a/b", "..", "ä"])
      assert.throws(() => checkName(name), /is not usable: take 1 to 20 lower-case letters, digits and dashes/, name);
  });

  it("never leads out of the cache", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        try {
          assert.match(sandboxDir(name), /\/sandboxes\/[a-z][a-z0-9-]*$/);
        } catch (error) {
          assert.match((error as Error).message, /is not usable/);
        }
      }),
    );
    assert.throws(() => sandboxDir("../../etc"), /is not usable/);
  });
});
