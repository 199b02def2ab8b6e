import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import {
  askEmail,
  askPhone,
  confirmEmail,
  confirmPhone,
  EMAIL_CHANGED_SUBJECT,
  EMAIL_REQUESTED_SUBJECT,
  emailCode,
  join,
  letTimePass,
  me,
  PHONE_CHANGED_SUBJECT,
  smsCode,
  smsTo,
} from '../support/contact';
import { eventually } from '../support/eventually';
import { countWorkflows, databaseFootprint } from '../support/footprint';
import { newPerson, newPhone, welcomed } from '../support/people';
import { expectProblem } from '../support/problems';
import { fullProof } from '../support/proofs';
import { useSecondApi } from '../support/second-process';
import { useTestService } from '../support/service';
import { withTemporal } from '../support/temporal';

const INVALID_CODE = { status: 422, code: 'invalid_code' };
const UNAVAILABLE = { status: 503, code: 'service_unavailable' };

const main = useTestService({ env: { TEMPORAL_UPDATE_TIMEOUT: '3s' } });

describe('a code that nobody enters', () => {
  const service = useSecondApi(main, { CONTACT_CHANGE_EXPIRES_IN: '3s' });

  fullProof.each(['phone', 'email'] as const)(
    'expires: the %s stays as it is, and what was kept is dropped',
    async (channel) => {
      const member = await join(service);
      const { token, userId, person } = member;
      const [phone, { email }] = [newPhone(), newPerson()];
      if (channel === 'phone') await askPhone(service, token, phone);
      else await askEmail(service, member, email);
      const code = channel === 'phone' ? await smsCode(service, phone) : await emailCode(service, email);
      await withTemporal(service, async (client) => {
        const result = await client.workflow.getHandle(`${channel}-change/${userId}`).result();
        expect(result).toBe('expired');
      });
      const confirm = channel === 'phone' ? confirmPhone : confirmEmail;
      expectProblem(await confirm(service, token, code), INVALID_CODE);
      expect((await me(service, token)).body).toMatchObject({ phone: null, email: person.email });
      const { rows } = await service.database.query(
        `SELECT status::text, contact_ciphertext, previous_ciphertext, code_hash FROM contact_changes WHERE user_id = $1`,
        [userId],
      );
      expect(rows).toEqual([
        { status: 'EXPIRED', contact_ciphertext: null, previous_ciphertext: null, code_hash: null },
      ]);
      // Another one may be asked for.
      await letTimePass(service, userId);
      const again =
        channel === 'phone' ? await askPhone(service, token, phone) : await askEmail(service, member, email);
      expect(again.status).toBe(202);
    },
  );

  it('is asked for while the one before it is expiring: every code that was promised comes and works', async () => {
    const offsetsMs = Array.from({ length: 7 }, (_, index) => 2_700 + index * 100);
    await Promise.all(
      offsetsMs.map(async (offsetMs) => {
        const { token, userId } = await join(service);
        await askPhone(service, token, newPhone());
        await letTimePass(service, userId);
        await new Promise((resolve) => setTimeout(resolve, offsetMs));
        const phone = newPhone();
        expect((await askPhone(service, token, phone)).status).toBe(202);
        const code = await smsCode(service, phone);
        expect((await confirmPhone(service, token, code)).body.phone).toBe(phone);
      }),
    );
  });
});

describe('while a part is away', () => {
  const service = main;

  fullProof(
    'mail: the address waits for its code; after the change it is not held up by notices',
    async () => {
      const member = await join(service);
      const { email } = newPerson();
      await welcomed(service, member.person);
      await service.stack.mail?.stop();
      expect((await askEmail(service, member, email)).status).toBe(202);
      await service.stack.mail?.start();
      const code = await emailCode(service, email);
      await service.mailbox.waitFor(member.person.email, EMAIL_REQUESTED_SUBJECT, 1, 40_000);
      await service.stack.mail?.stop();
      expect((await confirmEmail(service, member.token, code)).status).toBe(200);
      // The change is over though nobody has been told yet, so the next one is a new workflow.
      await withTemporal(service, async (client) => {
        const handle = client.workflow.getHandle(`email-change/${member.userId}`);
        expect(await handle.result()).toBe('completed');
      });
      await service.stack.mail?.start();
      for (const address of [email, member.person.email])
        await service.mailbox.waitFor(address, EMAIL_CHANGED_SUBJECT, 1, 40_000);
    },
    120_000,
  );

  it('Redis: the phone is changed, and the owner is mailed when it is back', async () => {
    const { token, person } = await join(service);
    await service.mailbox.waitFor(person.email, /Welcome/);
    const phone = newPhone();
    await askPhone(service, token, phone);
    const code = await smsCode(service, phone);
    await service.stack.valkey?.stop();
    try {
      expect((await confirmPhone(service, token, code)).status).toBe(200);
      await smsTo(service, phone, 2);
    } finally {
      await service.stack.valkey?.start();
    }
    await service.mailbox.waitFor(person.email, PHONE_CHANGED_SUBJECT, 1, 40_000);
  }, 90_000);

  fullProof(
    'Temporal: 503, and nothing is done',
    async () => {
      const member = await join(service);
      const before = await databaseFootprint(service);
      await service.stack.temporal?.stop();
      try {
        for (const answer of [
          await askPhone(service, member.token, newPhone()),
          await askEmail(service, member, newPerson().email),
          await confirmPhone(service, member.token, '123456'),
        ]) {
          expectProblem(answer, UNAVAILABLE);
          expect(answer.headers.get('retry-after')).not.toBeNull();
        }
        // A right password may have been hashed anew, which is no part of this.
        const after = await databaseFootprint(service);
        expect(after['contact_changes']).toBe(before['contact_changes']);
      } finally {
        await service.stack.temporal?.start();
      }
    },
    120_000,
  );
});

describe('without anybody to send SMS', () => {
  const service = useSecondApi(main, { SMS_PROVIDER: 'none' });

  it('a change of the phone is refused before anything is begun, one of the address is not', async () => {
    const member = await join(service);
    await welcomed(service, member.person);
    const [before, workflows] = [await databaseFootprint(service), await countWorkflows(service)];
    expectProblem(await askPhone(service, member.token, newPhone()), { status: 503, code: 'sms_unavailable' });
    expect(await databaseFootprint(service)).toEqual(before);
    expect(await countWorkflows(service)).toBe(workflows);
    expect((await askEmail(service, member, newPerson().email)).status).toBe(202);
  });
});

describe('with a gateway', () => {
  interface Taken {
    readonly to: string;
    readonly text: string;
    readonly key: string | undefined;
    readonly authorization: string | undefined;
  }
  const taken: Taken[] = [];
  /** What it answers next; 202 when there is nothing left. */
  const answers: number[] = [];
  let gateway: Server | undefined;
  const options = {
    env: { SMS_PROVIDER: 'http', SMS_HTTP_URL: '', SMS_HTTP_TOKEN: 'a-token-of-the-gateway', SMS_DAILY_LIMIT: '4' },
  };
  beforeAll(async () => {
    gateway = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const status = answers.shift() ?? 202;
        const { 'idempotency-key': key, authorization } = request.headers;
        const { to, text } = JSON.parse(body) as { to: string; text: string };
        if (status === 202) taken.push({ to, text, key: String(key), authorization });
        response.writeHead(status).end();
      });
    }).listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    options.env.SMS_HTTP_URL = `http://127.0.0.1:${String((gateway.address() as AddressInfo).port)}/sms`;
  });
  const service = useTestService(options);
  afterAll(() => {
    gateway?.close();
  });

  const takenFor = (phone: string) => taken.filter(({ to }) => to === phone);
  const waitForSms = (phone: string, count = 1) =>
    eventually(`${String(count)} SMS`, async () => takenFor(phone).length >= count && takenFor(phone));

  it('that fails for a while the SMS comes once, and the number is changed', async () => {
    const { token } = await join(service);
    const phone = newPhone();
    answers.push(503, 429);
    expect((await askPhone(service, token, phone)).status).toBe(202);
    const [sms] = await waitForSms(phone);
    expect(sms).toMatchObject({
      key: expect.stringMatching(/^[0-9a-f]{32}$/),
      authorization: 'Bearer a-token-of-the-gateway',
    });
    const code = /\d{6}/.exec(sms?.text ?? '')?.[0] ?? '';
    expect((await confirmPhone(service, token, code)).body.phone).toBe(phone);
    await waitForSms(phone, 2);
    expect(new Set(takenFor(phone).map(({ key }) => key)).size).toBe(2);
  });

  it('that refuses the number the person may ask for another one', async () => {
    const { token, userId } = await join(service);
    const [bad, good] = [newPhone(), newPhone()];
    answers.push(422);
    await askPhone(service, token, bad);
    await eventually('the refusal', async () => answers.length === 0);
    await letTimePass(service, userId);
    expect((await askPhone(service, token, good)).status).toBe(202);
    await waitForSms(good);
    expect(takenFor(bad)).toEqual([]);
  });

  it('the budget of a day is kept over all accounts', async () => {
    expect((await askPhone(service, (await join(service)).token, newPhone())).status).toBe(202);
    const refused = await askPhone(service, (await join(service)).token, newPhone());
    expectProblem(refused, { status: 503, code: 'sms_unavailable' });
    expect(refused.headers.get('retry-after')).not.toBeNull();
  });
});
