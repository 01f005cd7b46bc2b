/**
 * Prices of AWS in us-east-1, as far as this system uses them: list prices without discounts and
 * without free allowances, in US dollars. Prices change: check each page before relying on a sum.
 */

/** `copy`: read, in a stored copy of the page or in the article that quotes it; `memory`: not read again. */
export type Basis = 'copy' | 'memory';

export type Sourced = Readonly<{
  source: string;
  url: string;
  /** A date of the source, or when the price was known or read. */
  asOf: string;
  basis: Basis;
}>;

export type Price = Sourced &
  Readonly<{
    /** Of so many units. */
    usd: number;
    units: number;
    unit: string;
    /** What `usd` is for, in words. */
    per: string;
  }>;

/** The copy does not say when it was made; this is when it was read. */
const UNDATED = '2026-11-21 (undated copy)';
/** When what was not read again is known to have stood. */
const KNOWN = '2025-06';

export function copied(source: string, url: string, asOf = UNDATED): Sourced {
  return { source, url, asOf, basis: 'copy' };
}

export function recalled(source: string, url: string, asOf = KNOWN): Sourced {
  return { source, url, asOf, basis: 'memory' };
}

function pricesOf(sourced: Sourced) {
  return (usd: number, per: string, unit: string, units = 1): Price => {
    return { ...sourced, usd, per, unit, units };
  };
}

const known = (source: string, path: string) =>
  pricesOf(recalled(source, `https://aws.amazon.com/${path}/`));

const read = (source: string, url: string, asOf?: string) => pricesOf(copied(source, url, asOf));

const s3 = known('Amazon S3 pricing', 's3/pricing');
const s3Storage = read(
  'Live Streaming on AWS with Amazon S3, cost example 1',
  'https://docs.aws.amazon.com/solutions/latest/live-streaming-on-aws-with-amazon-s3/cost-example-1.html',
);
const dynamo = read(
  'Airbyte, Amazon DynamoDB pricing',
  'https://airbyte.com/data-engineering-resources/dynamodb-pricing',
  '2025-07-21',
);
const dynamoStorage = known('Amazon DynamoDB pricing', 'dynamodb/pricing/on-demand');
const sqs = known('Amazon SQS pricing', 'sqs/pricing');
const serverless = read(
  'Appropri8, Deploying a simple API on AWS',
  'https://appropri8-astro.pages.dev/tutorials/2025/12/02/deploying-simple-api-aws/page/7',
  '2025-12-02',
);
const lambdaArm = read(
  'lambda_local_runner, Cost',
  'https://git.mcrn.ar/mariano/lambda_local_runner/src/commit/957e45b8adae23ce50b966346229585b5df18b4d/docs/lambdas-md/lambda-13-cost.md',
);
const fargateArm = read(
  'Vantage, AWS Fargate pricing explained',
  'https://www.vantage.sh/blog/fargate-pricing',
);
const fargateX86 = read(
  'Wring, AWS Fargate pricing guide',
  'https://www.wring.co/blog/aws-fargate-pricing-guide',
  '2026-03-10',
);
const spot = known('AWS Fargate pricing, Spot', 'fargate/pricing');
const cdn = read('Amazon CloudFront pricing', 'https://aws.amazon.com/cloudfront/pricing/');
const cdnRequests = known('Amazon CloudFront pricing', 'cloudfront/pricing');
const metrics = read(
  'SigNoz, CloudWatch pricing',
  'https://signoz.io/guides/cloudwatch-pricing',
  '2026-02-15',
);
const watch = known('Amazon CloudWatch pricing', 'cloudwatch/pricing');
const secrets = known('AWS Secrets Manager pricing', 'secrets-manager/pricing');
const vpc = known('Amazon VPC pricing', 'vpc/pricing');
const ecr = known('Amazon ECR pricing', 'ecr/pricing');

const MILLION = 1_000_000;

export const US_EAST_1 = {
  s3Put: s3(0.005, '1,000 PUT or LIST requests', 'requests', 1_000),
  s3Get: s3(0.0004, '1,000 GET or HEAD requests', 'requests', 1_000),
  s3StorageGb: s3Storage(0.023, 'GB-month, first 50 TB', 'GB-months'),
  dynamoWrite: dynamo(0.625, 'million write request units', 'write units', MILLION),
  dynamoRead: dynamo(0.125, 'million read request units', 'read units', MILLION),
  dynamoStorageGb: dynamoStorage(0.25, 'GB-month', 'GB-months'),
  dynamoRecoveryGb: dynamoStorage(0.2, 'GB-month of point-in-time recovery', 'GB-months'),
  sqsStandard: sqs(0.4, 'million requests of standard queues', 'requests', MILLION),
  sqsFifo: sqs(0.5, 'million requests of FIFO queues', 'requests', MILLION),
  lambdaRequest: serverless(0.2, 'million requests', 'requests', MILLION),
  lambdaGbSecondArm64: lambdaArm(0.0000133334, 'GB-second on arm64', 'GB-seconds'),
  lambdaGbSecondX86: serverless(0.0000166667, 'GB-second on x86_64', 'GB-seconds'),
  httpApiRequest: serverless(1, 'million requests of 512 KB each', 'requests of 512 KB', MILLION),
  fargateVcpuHourArm64: fargateArm(0.03238, 'vCPU-hour on arm64', 'vCPU-hours'),
  fargateGbHourArm64: fargateArm(0.00356, 'GB-hour on arm64', 'GB-hours'),
  fargateVcpuHourX86: fargateX86(0.04048, 'vCPU-hour on x86_64', 'vCPU-hours'),
  fargateGbHourX86: fargateX86(0.004445, 'GB-hour on x86_64', 'GB-hours'),
  // Spot follows the market; AWS promises up to 70 % off.
  spotVcpuHourArm64: spot(0.00971, 'vCPU-hour on arm64', 'vCPU-hours'),
  spotGbHourArm64: spot(0.00107, 'GB-hour on arm64', 'GB-hours'),
  spotVcpuHourX86: spot(0.01214, 'vCPU-hour on x86_64', 'vCPU-hours'),
  spotGbHourX86: spot(0.00133, 'GB-hour on x86_64', 'GB-hours'),
  publicIpv4Hour: vpc(0.005, 'hour of a public IPv4 address', 'hours'),
  cdnGb: cdn(0.085, 'GB to viewers in North America and Europe, first 10 TB', 'GB'),
  cdnRequest: cdnRequests(0.01, '10,000 HTTPS requests', 'requests', 10_000),
  logsGb: watch(0.5, 'GB of logs taken in', 'GB'),
  customMetric: metrics(0.3, 'month of a metric, by the hour in which it is sent', 'metric-months'),
  alarmMetric: watch(0.1, 'month of a metric of an alarm', 'metrics'),
  dashboard: watch(3, 'month of a dashboard', 'dashboards'),
  secret: secrets(0.4, 'month of a secret', 'secrets'),
  imageGb: ecr(0.1, 'GB-month of container images', 'GB-months'),
} as const satisfies Readonly<Record<string, Price>>;

export type PriceName = keyof typeof US_EAST_1;
export type PriceList = Readonly<Record<PriceName, Price>>;

export const PRICES: Readonly<Record<string, PriceList>> = { 'us-east-1': US_EAST_1 };

/** Monthly free allowances without an end, of what an idle deployment uses. */
export const ALWAYS_FREE = { sqsRequests: MILLION, alarmMetrics: 10, dashboards: 3 } as const;
