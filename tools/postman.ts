import { convertV2 } from 'openapi-to-postmanv2';

/** Always the same: Postman takes a collection with the id of another one for a newer version of it. */
const COLLECTION_ID = '5b2f4c0e-8a51-4f0f-9a7e-2f6d9c1b7e10';

const VARIABLES = [
  { key: 'baseUrl', value: 'http://localhost:3001', description: 'Where the service is reached' },
  { key: 'accessToken', value: '', description: 'Kept from whatever answers with tokens' },
  { key: 'refreshToken', value: '', description: 'Kept from whatever answers with tokens' },
];
const BEARER = { type: 'bearer', bearer: [{ key: 'token', value: '{{accessToken}}', type: 'string' }] };

/** After every answer: later requests use the tokens of the last one that had any. */
const KEEP_TOKENS = [
  'const { accessToken, refreshToken } = pm.response.headers.get("Content-Type") === "application/json" ? pm.response.json() : {};',
  'if (accessToken) pm.collectionVariables.set("accessToken", accessToken);',
  'if (refreshToken) pm.collectionVariables.set("refreshToken", refreshToken);',
];

/** What a user fills in where it is needed; sent by default it would be wrong. */
const OPTIONAL_HEADERS: ReadonlySet<string> = new Set([
  'X-Request-Id',
  'X-Device-Token',
  'X-Device-Id',
  'Accept-Language',
]);

interface Header {
  key: string;
  value: string;
  disabled?: boolean;
}
interface SavedAnswer {
  id?: string;
  code?: number;
  originalRequest?: object;
}
interface Item {
  id?: string;
  item?: Item[];
  request?: { header?: Header[]; auth?: object | null; body?: { raw?: string } };
  response?: SavedAnswer[];
}
interface Collection {
  item: Item[];
  info: { _postman_id?: string };
  event?: object[];
  variable?: object[];
  auth?: object;
}

const convert = (document: string): Promise<Collection> =>
  new Promise((resolve, reject) => {
    const options = {
      folderStrategy: 'Tags' as const,
      parametersResolution: 'Example' as const,
      keepImplicitHeaders: false,
      includeAuthInfoInExample: false,
      disableOptionalParameters: true,
    };
    convertV2({ type: 'string', data: document }, options, (error, result) => {
      const collection = result?.result === true ? result.output?.[0]?.data : undefined;
      if (collection === undefined)
        reject(new Error(`No collection could be made: ${error?.message ?? result?.reason ?? ''}`));
      else resolve(collection as Collection);
    });
  });

const tidyHeader = (header: Header): Header => {
  if (header.key === 'Idempotency-Key') return { ...header, value: '{{$guid}}', disabled: false };
  return OPTIONAL_HEADERS.has(header.key) ? { ...header, disabled: true } : header;
};

const tidy = (item: Item): Item => {
  delete item.id;
  item.item?.forEach(tidy);
  if (item.request === undefined) return item;
  const { request } = item;
  request.header = (request.header ?? []).map(tidyHeader);
  request.auth = request.auth == null ? { type: 'noauth' } : BEARER;
  // Of errors the document tells; here they would be most of the file.
  item.response = (item.response ?? []).filter(({ code = 0 }) => code < 300);
  for (const answer of item.response) {
    delete answer.id;
    delete answer.originalRequest;
  }
  return item;
};

/** A Postman collection of a document, by openapi-to-postmanv2: the same whenever the document is. */
export const renderPostmanCollection = async (document: string): Promise<string> => {
  const collection = await convert(document);
  collection.item.forEach(tidy);
  collection.info._postman_id = COLLECTION_ID;
  collection.variable = VARIABLES;
  collection.auth = BEARER;
  collection.event = [{ listen: 'test', script: { type: 'text/javascript', exec: KEEP_TOKENS } }];
  return `${JSON.stringify(collection, null, 2)}\n`;
};
