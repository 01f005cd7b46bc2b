/** Names that two stacks must agree on, and the tag that all resources carry. */

export const PROJECT = 'rivulet';

export const STACK_PARTS = ['core', 'workers', 'edge', 'monitoring'] as const;
export type StackPart = (typeof STACK_PARTS)[number];

export const stackName = (stage: string, part: StackPart): string => `${PROJECT}-${stage}-${part}`;

/** Of the cluster and of the service in it: functions count and scale workers by these names. */
export const workersName = (stage: string): string => `${PROJECT}-${stage}`;

/** The schedule that requests scaling: the core lets it send, the workers' stack makes it. */
export const scalingRuleName = (stage: string): string => `${PROJECT}-${stage}-scaling`;

/** The schedule that has all streams checked for what has expired. */
export const retentionRuleName = (stage: string): string => `${PROJECT}-${stage}-retention`;

/** Metrics that functions and workers report. */
export const METRICS_NAMESPACE = 'Rivulet';

export const LOG_DAYS = 30;
