/**
 * Where workers run: public subnets without anything that listens. A NAT gateway would cost more
 * each month than an evening of streaming; S3 and DynamoDB are reached by free gateway endpoints.
 */

import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { logGroup } from './log-group.ts';

export type WorkerNetwork = Readonly<{ vpc: IVpc; securityGroup: SecurityGroup }>;

export function workerNetwork(scope: Construct, stage: string): WorkerNetwork {
  const log = logGroup(scope, 'FlowLog', stage, 'network');
  // The CDK's types do not know exact optional properties.
  const vpc = new Vpc(scope, 'Vpc', {
    maxAzs: 2,
    natGateways: 0,
    subnetConfiguration: [{ name: 'workers', subnetType: SubnetType.PUBLIC, cidrMask: 20 }],
    gatewayEndpoints: {
      S3: { service: GatewayVpcEndpointAwsService.S3 },
      DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
    },
    flowLogs: {
      // What was refused is what one wants to know; the rest is our own traffic to AWS.
      Rejected: {
        destination: FlowLogDestination.toCloudWatchLogs(log),
        trafficType: FlowLogTrafficType.REJECT,
      },
    },
  }) as IVpc;
  const securityGroup = new SecurityGroup(scope, 'SecurityGroup', {
    vpc,
    description: 'Workers: nothing connects to them, they call AWS',
    allowAllOutbound: false,
  });
  securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS APIs');
  return { vpc, securityGroup };
}
