/** The workers: one service on Fargate, from zero tasks up, partly on Spot. */

import { Duration, Validations } from 'aws-cdk-lib';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import {
  AwsLogDriverMode,
  type CfnService,
  Cluster,
  ContainerImage,
  ContainerInsights,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
  LogDrivers,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import type { AwsEngineEnvironment, AwsWorkerEnvironment } from '../aws/aws-config.ts';
import { defined } from '../base/defined.ts';
import { logGroup } from './log-group.ts';
import { suppressWildcards } from './nag-suppressions.ts';
import type { DeploymentOptions } from './options.ts';
import { type PermissionScope, taskStatements } from './permissions.ts';
import { workersName } from './stage-names.ts';
import type { WorkerNetwork } from './worker-network.ts';

export type WorkerServiceProps = Readonly<{
  options: DeploymentOptions;
  network: WorkerNetwork;
  engine: AwsEngineEnvironment;
  scope: PermissionScope;
  /** Folder of the Dockerfile and the worker's bundle. */
  imageFolder: string;
  /** Exit code 0 while the worker works. */
  healthCommand: string;
}>;

/** The most that Fargate grants between SIGTERM and SIGKILL, and the warning time of Spot. */
const STOP_SECONDS = 120;
/** What the image calls its one folder that can be written to. */
const SCRATCH = '/scratch';

/** Two jobs share two vCPU best: one encodes while the other one reads or stores. */
export const jobsPerTask = (taskCpu: number): number => Math.max(1, Math.floor(taskCpu / 1024));

/** What one took that made the default ladder of 1080p, measured. */
const JOB_MIB = 680;

/** MiB for all jobs that a worker does at once: urgent ones beside others, and one more of another stream. */
export const leastTaskMemory = (taskCpu: number): number =>
  (2 * jobsPerTask(taskCpu) + 1) * JOB_MIB;

export function workerService(scope: Construct, props: WorkerServiceProps): void {
  const { options, network } = props;
  const name = workersName(options.stage);
  const cluster = new Cluster(scope, 'Cluster', {
    clusterName: name,
    vpc: network.vpc,
    containerInsightsV2: ContainerInsights.ENABLED,
    enableFargateCapacityProviders: true,
  });
  const service = new FargateService(scope, 'Service', {
    cluster: cluster as ICluster,
    serviceName: name,
    taskDefinition: taskOf(scope, props),
    securityGroups: [network.securityGroup],
    vpcSubnets: { subnets: network.vpc.publicSubnets },
    // Without a NAT gateway this is the way out; nothing listens on it.
    assignPublicIp: true,
    minHealthyPercent: 100,
    maxHealthyPercent: 200,
    circuitBreaker: { rollback: true },
    capacityProviderStrategies: strategies(options.spotPercent),
  });
  // The scaling decision sets it; a deploy must not end workers that are at work.
  (service.node.defaultChild as CfnService).desiredCount = undefined;
}

function taskOf(parent: Construct, props: WorkerServiceProps): FargateTaskDefinition {
  const { options, engine, scope, imageFolder, healthCommand } = props;
  const { stage, taskCpu, taskMemory, architecture, containerImage } = options;
  const arm = architecture === 'arm64';
  const platform = arm ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64;
  const task = new FargateTaskDefinition(parent, 'Task', {
    family: workersName(stage),
    cpu: taskCpu,
    memoryLimitMiB: taskMemory,
    runtimePlatform: {
      cpuArchitecture: arm ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64,
      operatingSystemFamily: OperatingSystemFamily.LINUX,
    },
    volumes: [{ name: 'scratch' }],
  });
  for (const statement of taskStatements(scope)) task.addToTaskRolePolicy(statement);
  const container = task.addContainer('Worker', {
    containerName: 'worker',
    image:
      containerImage === undefined
        ? ContainerImage.fromAsset(imageFolder, { platform })
        : ContainerImage.fromRegistry(containerImage),
    readonlyRootFilesystem: true,
    stopTimeout: Duration.seconds(STOP_SECONDS),
    healthCheck: {
      command: ['CMD-SHELL', healthCommand],
      interval: Duration.seconds(30),
      timeout: Duration.seconds(5),
      startPeriod: Duration.seconds(60),
    },
    logging: LogDrivers.awsLogs({
      streamPrefix: 'worker',
      mode: AwsLogDriverMode.NON_BLOCKING,
      logGroup: logGroup(parent, 'Log', stage, 'worker'),
    }),
    environment: defined(environmentOf(engine, taskCpu)) as Record<string, string>,
  });
  const mount = { containerPath: SCRATCH, sourceVolume: 'scratch', readOnly: false };
  container.addMountPoints(mount);
  acknowledge(task, scope, containerImage === undefined);
  return task;
}

function acknowledge(task: FargateTaskDefinition, scope: PermissionScope, ownImage: boolean): void {
  Validations.of(task).acknowledge({
    id: 'AwsSolutions-ECS2',
    reason: 'Names of a bucket, a table and queues; nothing in it is a secret.',
  });
  suppressWildcards(
    task.taskRole,
    taskStatements(scope),
    'Objects and tasks get their names at run time; the role has this prefix alone.',
  );
  if (ownImage && task.executionRole) {
    Validations.of(task.executionRole).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ecr:GetAuthorizationToken is the one action that knows no resources.',
    });
  }
}

/** The first task is never on Spot; those after it are shared out by weight. */
const strategies = (spotPercent: number) => [
  { capacityProvider: 'FARGATE', base: 1, weight: 100 - spotPercent },
  ...(spotPercent > 0 ? [{ capacityProvider: 'FARGATE_SPOT', weight: spotPercent }] : []),
];

const environmentOf = (engine: AwsEngineEnvironment, taskCpu: number): AwsWorkerEnvironment => ({
  ...engine,
  RIVULET_JOBS: String(jobsPerTask(taskCpu)),
  RIVULET_STOP_SECONDS: String(STOP_SECONDS),
  TMPDIR: SCRATCH,
});
