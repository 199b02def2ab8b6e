/** As in `proto/registry/auth/v1/auth.proto`. */
export const SERVICE = 'auth.v1.AuthService';
