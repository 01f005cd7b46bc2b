import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Match } from 'aws-cdk-lib/assertions';
import { awsConfig, awsWorkerConfig } from '../../lib/aws/aws-config.ts';
import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import { appWith, resourcesOf, templatesWith, textOf } from './synthesized.ts';

type Variables = Readonly<Record<string, unknown>>;

/** As a process would find it: references become texts. */
const resolved = (variables: Variables): Record<string, string> => ({
  AWS_REGION: 'eu-central-1',
  ...Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      /_QUEUE$/.test(name) ? 'https://sqs.example.com/1/queue' : textOf(value),
    ]),
  ),
});

describe('workers stack', () => {
  test('workers cost nothing while nobody streams: no NAT gateway, no desired count', (t) => {
    const { workers } = templatesWith(t);
    workers.resourceCountIs('AWS::EC2::NatGateway', 0);
    workers.resourceCountIs('AWS::EC2::EIP', 0);
    const endpoints = resourcesOf(workers, 'AWS::EC2::VPCEndpoint');
    for (const [, { Properties }] of endpoints) assert.equal(Properties.VpcEndpointType, 'Gateway');
    assert.equal(endpoints.length, 2);
    const [service] = resourcesOf(workers, 'AWS::ECS::Service');
    assert.equal(service?.[1].Properties.DesiredCount, undefined, 'the scaling decision sets it');
    workers.resourceCountIs('AWS::EC2::FlowLog', 1);
    const [group] = resourcesOf(workers, 'AWS::EC2::SecurityGroup');
    assert.equal(group?.[1].Properties.SecurityGroupIngress, undefined);
  });

  test('all tasks but the first are on Spot', (t) => {
    const strategyOf = (spotPercent: string) => {
      const { workers } = templatesWith(t, { spotPercent });
      return resourcesOf(workers, 'AWS::ECS::Service')[0]?.[1].Properties.CapacityProviderStrategy;
    };
    assert.deepEqual(strategyOf('70'), [
      { Base: 1, CapacityProvider: 'FARGATE', Weight: 30 },
      { CapacityProvider: 'FARGATE_SPOT', Weight: 70 },
    ]);
    assert.deepEqual(strategyOf('0'), [{ Base: 1, CapacityProvider: 'FARGATE', Weight: 100 }]);
  });

  test('a task has a read-only root, the longest stop timeout and a health check', (t) => {
    templatesWith(t).workers.hasResourceProperties('AWS::ECS::TaskDefinition', {
      Cpu: '2048',
      Memory: '4096',
      RuntimePlatform: { CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' },
      ContainerDefinitions: [
        Match.objectLike({
          ReadonlyRootFilesystem: true,
          StopTimeout: 120,
          HealthCheck: Match.objectLike({ Command: ['CMD-SHELL', 'true'] }),
          MountPoints: [{ ContainerPath: '/scratch', ReadOnly: false, SourceVolume: 'scratch' }],
        }),
      ],
    });
  });

  test('image and architecture follow the options', (t) => {
    const containerImage = 'ghcr.io/somebody/rivulet-worker:1.2.3';
    const { workers } = templatesWith(t, { containerImage, architecture: 'x86_64' });
    workers.hasResourceProperties('AWS::ECS::TaskDefinition', {
      RuntimePlatform: Match.objectLike({ CpuArchitecture: 'X86_64' }),
      ContainerDefinitions: [Match.objectLike({ Image: containerImage })],
    });
  });

  test('workers and functions find every setting in their environment that they read', (t) => {
    const { core, workers } = templatesWith(t, { taskCpu: '4096', taskMemory: '8192' });
    for (const [, { Properties }] of resourcesOf(core, 'AWS::Lambda::Function')) {
      const { Variables } = Properties.Environment as { Variables: Variables };
      assert.deepEqual(awsConfig(resolved(Variables)).service, {
        cluster: 'rivulet-dev',
        service: 'rivulet-dev',
      });
    }
    const [task] = resourcesOf(workers, 'AWS::ECS::TaskDefinition');
    const { ContainerDefinitions = [] } = (task?.[1].Properties ?? {}) as {
      ContainerDefinitions?: { Environment: { Name: string; Value: unknown }[] }[];
    };
    const [container] = ContainerDefinitions;
    const variables = Object.fromEntries(
      (container?.Environment ?? []).map(({ Name, Value }) => [Name, Value]),
    );
    const config = awsWorkerConfig(resolved(variables));
    assert.deepEqual(
      [config.jobs, config.stopMs, config.temporaryFolder],
      [4, 120_000, '/scratch'],
    );
    workers.hasResourceProperties('AWS::ECS::Cluster', { ClusterName: 'rivulet-dev' });
    workers.hasResourceProperties('AWS::ECS::Service', { ServiceName: 'rivulet-dev' });
  });

  test('the scaling function knows the limits, and is called at least every five minutes', (t) => {
    const { workers } = templatesWith(t, { maxTasks: '25', minTasks: '1' });
    const [scale] = resourcesOf(workers, 'AWS::Lambda::Function');
    const { Environment } = (scale?.[1].Properties ?? {}) as {
      Environment?: { Variables: Variables };
    };
    assert.deepEqual(JSON.parse(String(Environment?.Variables.RIVULET_SCALING)), {
      min: 1,
      max: 25,
      jobsPerWorker: 2,
      secondsPerJob: 4,
      idleMs: 300_000,
    } satisfies ScalingLimits);
    workers.hasResourceProperties('AWS::Events::Rule', {
      Name: 'rivulet-dev-scaling',
      ScheduleExpression: 'rate(5 minutes)',
    });
  });

  test('without ECS there is no workers stack, and no function refers to one', (t) => {
    const app = appWith(t, { workers: 'none' });
    assert.equal(app.workers, undefined);
    const assembly = app.app.synth();
    const core = JSON.stringify(assembly.getStackByName('rivulet-dev-core').template);
    assert.doesNotMatch(core, /RIVULET_CLUSTER/);
  });
});
