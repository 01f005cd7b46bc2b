import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resourcesOf, templatesWith, textOf } from './synthesized.ts';

describe('monitoring stack', () => {
  test('alarms are raised, and sent by mail if an address is given', (t) => {
    const { monitoring } = templatesWith(t);
    const alarms = resourcesOf(monitoring, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) =>
      textOf(Properties.AlarmDescription),
    );
    assert.deepEqual(alarms.toSorted(), [
      'Rivulet dev: AWS throttles functions',
      'Rivulet dev: Back-fill jobs wait for workers',
      'Rivulet dev: Dead letters are left to lie',
      'Rivulet dev: DynamoDB throttles the index',
      'Rivulet dev: Jobs wait for workers',
      'Rivulet dev: Messages failed again and again',
      'Rivulet dev: Segments reach viewers late',
      'Rivulet dev: The HTTP API fails',
    ]);
    monitoring.resourceCountIs('AWS::SNS::Topic', 0);
    const told = templatesWith(t, { alarmEmail: 'a@example.com' }).monitoring;
    told.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'a@example.com',
    });
    for (const [, { Properties }] of resourcesOf(told, 'AWS::CloudWatch::Alarm')) {
      assert.equal((Properties.AlarmActions as unknown[]).length, 1);
    }
  });

  test('dead letters of one queue raise the alarm although the other queues report nothing', (t) => {
    const { monitoring } = templatesWith(t);
    const expressions = resourcesOf(monitoring, 'AWS::CloudWatch::Alarm').flatMap(
      ([, { Properties }]) =>
        (Properties.Metrics as { Expression?: string }[] | undefined)?.flatMap(
          ({ Expression }) => Expression ?? [],
        ) ?? [],
    );
    assert.equal(expressions.length, 3);
    for (const expression of expressions) {
      assert.match(expression, /^SUM\(\[FILL\(m0, 0\)(?:, FILL\(m\d, 0\))+\]\)$/);
    }
  });

  test('one dashboard shows the health of streams', (t) => {
    const { monitoring } = templatesWith(t);
    const dashboards = resourcesOf(monitoring, 'AWS::CloudWatch::Dashboard');
    assert.equal(dashboards.length, 1);
    const body = textOf(dashboards[0]?.[1].Properties.DashboardBody);
    for (const title of [
      'Segments per minute',
      'Upload to playlist, ms',
      'Delay per hop',
      'Jobs and workers',
      'Dead letters',
      'What costs',
    ]) {
      assert.ok(body.includes(title), title);
    }
  });
});
