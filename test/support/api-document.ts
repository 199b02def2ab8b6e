import type { HttpClient } from './http-client';

/** One operation of the OpenAPI document: tests that walk over the document meet every route, new ones too. */
export interface Operation {
  readonly method: string;
  /** With parameters filled in. */
  readonly path: string;
  readonly pattern: string;
  readonly hasParameters: boolean;
  readonly needsToken: boolean;
  /** The alternatives of its body; none where it takes no body. */
  readonly bodies: readonly BodySchema[];
}

export interface PropertySchema {
  readonly type?: string;
  readonly example?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: PropertySchema;
  /** `null` is a value of it, too. */
  readonly nullable?: boolean;
}
export interface BodySchema {
  readonly properties: Readonly<Record<string, PropertySchema>>;
  readonly required?: readonly string[];
}

interface DocumentedOperation {
  readonly parameters?: readonly { readonly name: string; readonly schema: PropertySchema }[];
  readonly security?: readonly unknown[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: object } } };
}

/** A well-formed id that nothing has. */
export const NOBODYS_ID = '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11';

/** Of "this or null" the document makes alternatives. */
const propertyOf = (schema: PropertySchema & { readonly anyOf?: readonly PropertySchema[] }): PropertySchema => {
  const { anyOf: alternatives } = schema;
  if (alternatives?.length !== 2 || alternatives[1]?.type !== 'null') return schema;
  return { ...alternatives[0], nullable: true };
};

const bodyOf = ({ properties, ...schema }: BodySchema): BodySchema => ({
  ...schema,
  properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, propertyOf(property)])),
});

const bodiesOf = ({ requestBody }: DocumentedOperation): readonly BodySchema[] => {
  if (requestBody === undefined) return [];
  const { schema } = requestBody.content['application/json'];
  return ('anyOf' in schema ? (schema.anyOf as BodySchema[]) : [schema as BodySchema]).map(bodyOf);
};

const valueOf = (name: string, { parameters = [] }: DocumentedOperation): string => {
  const schema = parameters.find((parameter) => parameter.name === name)?.schema;
  const [choice = schema?.example] = schema?.enum ?? [];
  return typeof choice === 'string' ? choice : NOBODYS_ID;
};

export const readOperations = async (http: HttpClient): Promise<Operation[]> => {
  const { body } = await http.get('/api/docs/openapi.json');
  const paths = Object.entries(body.paths as Record<string, Record<string, DocumentedOperation>>);
  return paths.flatMap(([pattern, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => valueOf(name, operation)),
      pattern,
      hasParameters: pattern.includes('{'),
      needsToken: (operation.security ?? []).length > 0,
      bodies: bodiesOf(operation),
    })),
  );
};

/** A body of the documented form, made of the document's own examples. */
export const exampleBody = ({ properties }: BodySchema): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(properties).map(([name, { type, example, enum: choices }]) => [
      name,
      example ?? choices?.[0] ?? (type === 'array' ? [] : type === 'boolean' ? false : 'example'),
    ]),
  );
