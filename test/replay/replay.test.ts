import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { temporal } from '@temporalio/proto';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';

import { createDataConverter } from '../../src/temporal/data-converter';
import * as workflows from '../../src/workflows';
import { DIST_DIR } from '../../tools/project';
import { staticDataKeys } from '../support/static-keys';

import { REPLAY_KEY, REPLAY_KEY_ID } from './replay-keys';

const HISTORIES = join(__dirname, 'histories');
const { History } = temporal.api.history.v1;

const read = (file: string): temporal.api.history.v1.History =>
  History.fromObject(JSON.parse(readFileSync(join(HISTORIES, file), 'utf8')) as object);

const workflowTypeOf = ({ events }: temporal.api.history.v1.IHistory): string =>
  events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '';

/** What the workflows of today make of a history: undefined, or why they cannot continue it. */
const replay = async (history: temporal.api.history.v1.IHistory): Promise<Error | undefined> => {
  const results = Worker.runReplayHistories(
    {
      workflowBundle: { codePath: join(DIST_DIR, 'workflow-bundle.js') },
      dataConverter: createDataConverter(staticDataKeys({ [REPLAY_KEY_ID]: REPLAY_KEY })),
    },
    [{ workflowId: 'registration/replayed', history }],
  );
  for await (const { error } of results) return error;
  throw new Error('Nothing was replayed');
};

describe('recorded histories', () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const files = readdirSync(HISTORIES).filter((file) => file.endsWith('.json'));

  it('exist for every way a registration can go', () => {
    const ways = files
      .filter((file) => file.startsWith('registration-'))
      .map((file) => file.replace(/^registration-v\d+\./, '').replace(/\.json$/, ''));
    expect([...new Set(ways)].sort()).toEqual([
      'cancelled',
      'completed',
      'completed-after-wrong-codes-and-a-resend',
      'expired',
      'expired-while-mail-was-away',
      'taken-fayda-id',
    ]);
  });

  it('exist for every workflow: a new one is recorded by a scenario in record-histories.ts', () => {
    const recorded = files.map((file) => workflowTypeOf(read(file)));
    expect([...new Set(recorded)].sort()).toEqual(Object.keys(workflows).sort());
  });

  it.each(files)('%s is continued by the workflows of today', async (file) => {
    expect(await replay(read(file))).toBeUndefined();
  });

  it('are refused when they do not fit, so this test can fail', async () => {
    const history = read(
      files.find((file) => file.startsWith('registration-') && file.endsWith('.completed.json')) ?? '',
    );
    const scheduled = history.events.find(
      ({ activityTaskScheduledEventAttributes }) => activityTaskScheduledEventAttributes,
    );
    const { activityType } = scheduled?.activityTaskScheduledEventAttributes ?? {};
    if (activityType) activityType.name = 'anotherActivity';
    expect((await replay(history))?.name).toBe('DeterminismViolationError');
  });
});
