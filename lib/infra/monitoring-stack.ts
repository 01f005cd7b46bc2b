/** Alarms and the dashboard: apart from the core, as emulators do not know alarms that add up metrics. */

import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { AlarmsAndDashboard } from './alarms-and-dashboard.ts';
import type { CoreStack } from './core-stack.ts';
import type { DeploymentOptions } from './options.ts';
import { stackName } from './stage-names.ts';

export type MonitoringStackProps = Readonly<{ options: DeploymentOptions; core: CoreStack }>;

export class MonitoringStack extends Stack {
  constructor(scope: Construct, { options, core }: MonitoringStackProps) {
    const { stage, alarmEmail } = options;
    super(scope, stackName(stage, 'monitoring'), { description: `Rivulet ${stage}: alarms` });
    const { queues, functions, api, table } = core;
    new AlarmsAndDashboard(this, 'AlarmsAndDashboard', {
      stage,
      alarmEmail,
      queues,
      functions,
      api,
      table,
    });
  }
}
