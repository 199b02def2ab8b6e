/** As much of a JSON Schema (2020-12) as the documents of this service hold. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** The first value that a schema names by itself. */
const named = (schema: JsonSchema): { readonly value: unknown } | undefined => {
  if (schema.example !== undefined) return { value: schema.example };
  const value = [schema.examples?.[0], schema.const, schema.enum?.[0], schema.default].find(
    (each) => each !== undefined,
  );
  return value === undefined ? undefined : { value };
};

const EMPTY: Readonly<Record<string, unknown>> = { boolean: false, object: {} };

/** Each alternative, one after the other, until one has an example. */
const firstOf = (alternatives: readonly JsonSchema[]): unknown =>
  alternatives.map(exampleOf).find((example) => example !== undefined);

/** Undefined as soon as one field has no example. */
const exampleOfFields = (properties: Readonly<Record<string, JsonSchema>>): object | undefined => {
  const fields = Object.entries(properties).map(([name, property]) => [name, exampleOf(property)] as const);
  return fields.every(([, example]) => example !== undefined) ? Object.fromEntries(fields) : undefined;
};

/**
 * An example of a whole body, made of those of its fields: what a field's own schema says is true wherever it stands.
 * Undefined where some field has none.
 */
export const exampleOf = (schema: JsonSchema): unknown => {
  const known = named(schema);
  if (known !== undefined) return known.value;
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return firstOf(alternatives);
  if (schema.properties !== undefined) return exampleOfFields(schema.properties);
  if (schema.items !== undefined) {
    const item = exampleOf(schema.items);
    return item === undefined ? undefined : [item];
  }
  return typeof schema.type === 'string' ? EMPTY[schema.type] : undefined;
};

const nameOf = ({ title }: JsonSchema, index: number): string =>
  title?.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_') ?? `alternative_${String(index + 1)}`;

/** The examples of a media type: one for each alternative where a body can be one thing or another. */
export const mediaExamples = (schema: JsonSchema): object => {
  const alternatives = schema.example === undefined ? (schema.anyOf ?? schema.oneOf ?? []) : [];
  if (alternatives.length < 2) {
    const example = exampleOf(schema);
    return example === undefined ? {} : { example };
  }
  return {
    examples: Object.fromEntries(
      alternatives.map((alternative, index) => [
        nameOf(alternative, index),
        { summary: alternative.title ?? `Alternative ${String(index + 1)}`, value: exampleOf(alternative) },
      ]),
    ),
  };
};
