/** Alarms and the dashboard: apart from the core, as emulators do not know alarms that add up metrics. */

import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { AlarmsAndDashboard, type AlarmsAndDashboardProps } from './alarms-and-dashboard.ts';
import { stackName } from './stage-names.ts';

export class MonitoringStack extends Stack {
  constructor(scope: Construct, props: AlarmsAndDashboardProps) {
    const { stage } = props.options;
    super(scope, stackName(stage, 'monitoring'), { description: `Rivulet ${stage}: alarms` });
    new AlarmsAndDashboard(this, 'AlarmsAndDashboard', props);
  }
}
