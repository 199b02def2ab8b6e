/** Version of the HTTP contract, as the OpenAPI document tells it. */
export const API_VERSION = '1.0.0';
