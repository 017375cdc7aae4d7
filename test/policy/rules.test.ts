import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { check } from "../../policy/check";
import { validateObject, validateStack } from "../../policy/dispatch";
import { readDocuments } from "../../policy/documents";
import { Gate } from "../../policy/inProgram";
import { OBJECT_RULES, RULE_IDS, SET_RULES } from "../../policy/rules/index";
import { GATES, type Gate as GateName, type RuleFacts } from "../../policy/rules/rule";
import { readSettings } from "../../policy/settings";
import { admission, isReached, places, predicted } from "./admitted";
import { type Case, CASES } from "./cases";

/** Settings under which one rule alone is asked, in the form of the files in config/. */
function only(rule: string, imagesFrom: readonly string[]): Record<"objects" | "stack", object> {
  const levels = (rules: readonly RuleFacts[]): object =>
    Object.fromEntries(rules.map(({ id }) => [id, id === rule ? "mandatory" : "disabled"]));
  return { objects: { levels: levels(OBJECT_RULES), options: { imagesFrom } }, stack: { levels: levels(SET_RULES) } };
}

const tokenOf = ({ apiVersion, kind }: { apiVersion?: unknown; kind?: unknown }): string =>
  `kubernetes:${apiVersion === "v1" ? "core/v1" : String(apiVersion)}:${String(kind)}`;

function byPack({ rule, manifests, origins }: Case): string[] {
  const config = only(rule, origins);
  const found: string[] = [];
  const tellOf = (message: string): unknown => message.startsWith("[") && found.push(message);
  const report = (violation: unknown): unknown => tellOf((violation as { message: string }).message);
  const resources = manifests.map((props, at) => ({ type: tokenOf(props), name: "x", urn: `urn:${at}`, props }));
  const configured = (section: keyof typeof config) => ({ getConfig: (): never => config[section] as never });
  for (const resource of resources) validateObject({ ...resource, ...configured("objects") }, report);
  validateStack({ resources, ...configured("stack") }, report);
  return found;
}

async function byProgram({ rule, manifests, origins }: Case): Promise<string[]> {
  await pulumi.runtime.setMocks(
    { newResource: ({ inputs }) => ({ id: "", state: inputs as object }), call: () => ({}) },
    "platform",
    "dev",
    true,
  );
  const found: string[] = [];
  const gate = new Gate(readSettings(only(rule, origins), "test", "program"), (_, message) =>
    Promise.resolve(void (message.startsWith("[") && found.push(message))),
  );
  for (const props of manifests) await gate.inspect({ custom: true, type: tokenOf(props), name: "x", props, opts: {} });
  await gate.close().catch(() => undefined);
  return found;
}

function byCheck({ rule, manifests, origins }: Case): string[] {
  const text = manifests.map((manifest) => stringify(manifest, { aliasDuplicateObjects: false })).join("---\n");
  const { documents, unreadable } = readDocuments(Buffer.from(text));
  assert.deepEqual(unreadable, []);
  const placed = documents.map((document) => ({ ...document, file: "a.yaml" }));
  return check(placed, readSettings(only(rule, origins), "test", "check"), true).rows.map(({ message }) => message);
}

type Outside = Exclude<GateName, "admission">;
const OUTSIDE = GATES.filter((gate): gate is Outside => gate !== "admission");
const JUDGES: Readonly<Record<Outside, (each: Case) => string[] | Promise<string[]>>> = {
  pack: byPack,
  program: byProgram,
  check: byCheck,
};

const NAMESPACES = ["shop", "dev-apps"];

/** The API server sees one object at a time, of the kinds that it is told to ask about. */
function holdsInApiServer(rule: RuleFacts, { manifests, origins }: Case): void {
  const { objects } = readSettings(only(rule.id, origins), "test", "admission");
  for (const object of manifests.filter((each) => isReached(each))) {
    const found = places(admission(NAMESPACES, objects, { object }));
    assert.deepEqual(found, rule.gates.includes("admission") ? predicted(object, objects) : [], "admission");
  }
}

describe("every rule, at every gate that it holds at", () => {
  for (const rule of [...OBJECT_RULES, ...SET_RULES]) {
    describe(`rule ${rule.id}`, () => {
      const cases = CASES.filter((each) => each.rule === rule.id);
      for (const each of cases) {
        it(`${each.isBroken ? "finds" : "passes"}: ${each.what}`, async () => {
          const said = byCheck(each).sort();
          assert.equal(said.length > 0, each.isBroken, said.join("\n"));
          for (const message of said) assert.ok(message.startsWith(`[${rule.id}] `), message);
          if (each.at !== undefined)
            assert.ok(
              said.some((message) => message.includes(`: ${each.at} `)),
              said.join("\n"),
            );
          for (const gate of OUTSIDE) {
            const found = (await JUDGES[gate](each)).sort();
            assert.deepEqual(found, rule.gates.includes(gate) ? said : [], gate);
          }
          holdsInApiServer(rule, each);
        });
      }
    });
  }

  it("have sound and broken objects to be tried on, and three sets each", () => {
    const count = (rule: string, isBroken: boolean): number =>
      CASES.filter((each) => each.rule === rule && each.isBroken === isBroken).length;
    for (const isBroken of [true, false]) {
      const few = [...OBJECT_RULES.map(({ id }) => [id, 1]), ...SET_RULES.map(({ id }) => [id, 3])] as [
        string,
        number,
      ][];
      assert.deepEqual(
        few.filter(([id, least]) => count(id, isBroken) < least).map(([id]) => id),
        [],
      );
    }
    assert.deepEqual(
      CASES.map(({ rule }) => rule).filter((rule) => !RULE_IDS.includes(rule)),
      [],
    );
  });
});
