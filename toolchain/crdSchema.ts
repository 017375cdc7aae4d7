/** As much of an OpenAPI v3 schema as has schemas below it. */
export interface Schema {
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema | Schema[];
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  not?: Schema;
  [keyword: string]: unknown;
}

interface Version {
  name: string;
  served: boolean;
  storage: boolean;
  schema?: { openAPIV3Schema?: Schema };
  [field: string]: unknown;
}

export interface CustomResourceDefinition {
  apiVersion: string;
  kind: string;
  metadata: { name: string; annotations?: Record<string, string>; [field: string]: unknown };
  spec: { group: string; versions: Version[]; [field: string]: unknown };
}

/**
 * A definition without what only its readers need: descriptions are most of its size, and the engine writes all of its
 * state anew at every step. A version that is neither served nor stored goes as well: nobody can meet it on a cluster that
 * began without it.
 */
export function leanDefinition({
  apiVersion,
  kind,
  metadata,
  spec,
}: CustomResourceDefinition): CustomResourceDefinition {
  const kept = { ...metadata };
  delete kept["creationTimestamp"];
  const versions = spec.versions
    .filter(({ served, storage }) => served || storage)
    .map((version) => {
      const schema = version.schema?.openAPIV3Schema;
      return schema ? { ...version, schema: { openAPIV3Schema: withoutDescriptions(schema) } } : version;
    });
  return { apiVersion, kind, metadata: kept, spec: { ...spec, versions } };
}

/** Only where the keyword stands: a property may be called `description` too. */
export function withoutDescriptions(full: Schema): Schema {
  const schema = { ...full };
  delete schema.description;
  const { properties, additionalProperties, items, not } = schema;
  if (properties)
    schema.properties = Object.fromEntries(
      Object.entries(properties).map(([name, below]) => [name, withoutDescriptions(below)]),
    );
  if (typeof additionalProperties === "object") schema.additionalProperties = withoutDescriptions(additionalProperties);
  if (items) schema.items = Array.isArray(items) ? items.map(withoutDescriptions) : withoutDescriptions(items);
  if (not) schema.not = withoutDescriptions(not);
  for (const keyword of ["allOf", "anyOf", "oneOf"] as const) {
    const choices = schema[keyword];
    if (choices) schema[keyword] = choices.map(withoutDescriptions);
  }
  return schema;
}
