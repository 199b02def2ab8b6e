import { describe, expect, it } from '@jest/globals';

import { webauthnEnv, toWebauthnConfig, webauthnProblems } from './webauthn.config';

const read = (values: Readonly<Record<string, string>>) =>
  toWebauthnConfig({ PUBLIC_URL: 'http://localhost:3001', ...webauthnEnv.parse(values) });

describe('the relying party of passkeys', () => {
  it('is the host of PUBLIC_URL unless told otherwise', () => {
    expect(read({})).toEqual({ id: 'localhost', name: 'Meqenet', origins: ['http://localhost:3001'] });
    const origins = ['https://app.meqenet.et', 'android:apk-key-hash:1x2Y_z-A', 'https://meqenet.et'];
    expect(
      read({ WEBAUTHN_RP_ID: 'meqenet.et', WEBAUTHN_RP_NAME: 'መቀነት', WEBAUTHN_ORIGINS: origins.join(', ') }),
    ).toEqual({
      id: 'meqenet.et',
      name: 'መቀነት',
      origins,
    });
  });

  it.each(['https://app.example/', 'https://app.example/path', 'HTTPS://app.example', 'app.example', '*', ' , '])(
    'is not used at %j',
    (origin) => {
      expect(webauthnEnv.safeParse({ WEBAUTHN_ORIGINS: origin }).success).toBe(false);
    },
  );

  it.each(['https://meqenet.et', 'Meqenet.et', 'meqenet.et.', '-a.et', 'a..et', 'meqenet.et/', ''])(
    'has no id such as %j',
    (id) => {
      expect(webauthnEnv.safeParse({ WEBAUTHN_RP_ID: id }).success).toBe(false);
    },
  );

  it('fits its origins, as browsers ask', () => {
    const fits = (id: string, origins: string) => webauthnProblems({ WEBAUTHN_RP_ID: id, WEBAUTHN_ORIGINS: origins });
    expect(fits('meqenet.et', 'https://app.meqenet.et,https://meqenet.et,android:apk-key-hash:abc')).toEqual([]);
    for (const origins of ['https://evil.example', 'https://notmeqenet.et', 'https://meqenet.et.evil.example'])
      expect(fits('meqenet.et', origins)).toEqual(['WEBAUTHN_ORIGINS: every host must be WEBAUTHN_RP_ID or below it']);
    expect(webauthnProblems({ WEBAUTHN_RP_ID: 'meqenet.et' })).toHaveLength(1);
  });

  it('is a domain over https in production', () => {
    const problems = (values: Readonly<Record<string, string>>) =>
      webauthnProblems({ NODE_ENV: 'production', ...values });
    expect(problems({ PUBLIC_URL: 'https://auth.meqenet.et' })).toEqual([]);
    expect(problems({})).toEqual([
      expect.stringMatching(/^WEBAUTHN_ORIGINS: must be https/),
      expect.stringMatching(/^WEBAUTHN_RP_ID: must be a domain/),
    ]);
    const values = { PUBLIC_URL: 'https://auth.meqenet.et', WEBAUTHN_ORIGINS: 'http://auth.meqenet.et' };
    expect(problems(values)).toEqual([expect.stringMatching(/^WEBAUTHN_ORIGINS: must be https/)]);
    expect(webauthnProblems({ ...values, NODE_ENV: 'development' })).toEqual([]);
  });
});
