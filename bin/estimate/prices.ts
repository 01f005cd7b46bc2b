/**
 * Prices of AWS in us-east-1, as far as this system uses them: list prices without discounts and
 * without free allowances, in US dollars. Prices change: check each page before relying on a sum.
 */

/** `copy`: read, in a stored copy of the page or in the article that quotes it; `memory`: not read again. */
export type Basis = 'copy' | 'memory';

export type Price = Readonly<{
  usd: number;
  per: string;
  source: string;
  url: string;
  /** A date of the source, or when the price was known or read. */
  asOf: string;
  basis: Basis;
}>;

const page =
  (source: string, url: string, asOf: string, basis: Basis) =>
  (usd: number, per: string): Price => ({ usd, per, source, url, asOf, basis });

/** The copy does not say when it was made; this is when it was read. */
const UNDATED = '2026-11-21 (undated copy)';
/** When what was not read again is known to have stood. */
const KNOWN = '2025-06';

const known = (source: string, path: string) =>
  page(source, `https://aws.amazon.com/${path}/`, KNOWN, 'memory');

const s3 = known('Amazon S3 pricing', 's3/pricing');
const s3Storage = page(
  'Live Streaming on AWS with Amazon S3, cost example 1',
  'https://docs.aws.amazon.com/solutions/latest/live-streaming-on-aws-with-amazon-s3/cost-example-1.html',
  UNDATED,
  'copy',
);
const dynamo = page(
  'Airbyte, Amazon DynamoDB pricing',
  'https://airbyte.com/data-engineering-resources/dynamodb-pricing',
  '2025-07-21',
  'copy',
);
const dynamoStorage = known('Amazon DynamoDB pricing', 'dynamodb/pricing/on-demand');
const sqs = known('Amazon SQS pricing', 'sqs/pricing');
const serverless = page(
  'Appropri8, Deploying a simple API on AWS',
  'https://appropri8-astro.pages.dev/tutorials/2025/12/02/deploying-simple-api-aws/page/7',
  '2025-12-02',
  'copy',
);
const lambdaArm = page(
  'lambda_local_runner, Cost',
  'https://git.mcrn.ar/mariano/lambda_local_runner/src/commit/957e45b8adae23ce50b966346229585b5df18b4d/docs/lambdas-md/lambda-13-cost.md',
  UNDATED,
  'copy',
);
const fargateArm = page(
  'Vantage, AWS Fargate pricing explained',
  'https://www.vantage.sh/blog/fargate-pricing',
  UNDATED,
  'copy',
);
const fargateX86 = page(
  'Wring, AWS Fargate pricing guide',
  'https://www.wring.co/blog/aws-fargate-pricing-guide',
  '2026-03-10',
  'copy',
);
const spot = known('AWS Fargate pricing, Spot', 'fargate/pricing');
const cdn = page(
  'Amazon CloudFront pricing',
  'https://aws.amazon.com/cloudfront/pricing/',
  UNDATED,
  'copy',
);
const cdnRequests = known('Amazon CloudFront pricing', 'cloudfront/pricing');
const metrics = page(
  'SigNoz, CloudWatch pricing',
  'https://signoz.io/guides/cloudwatch-pricing',
  '2026-02-15',
  'copy',
);
const watch = known('Amazon CloudWatch pricing', 'cloudwatch/pricing');
const secrets = known('AWS Secrets Manager pricing', 'secrets-manager/pricing');
const vpc = known('Amazon VPC pricing', 'vpc/pricing');
const ecr = known('Amazon ECR pricing', 'ecr/pricing');

export const US_EAST_1 = {
  s3Put: s3(0.005, '1,000 PUT or LIST requests'),
  s3Get: s3(0.0004, '1,000 GET or HEAD requests'),
  s3StorageGb: s3Storage(0.023, 'GB-month, first 50 TB'),
  dynamoWrite: dynamo(0.625, 'million write request units'),
  dynamoRead: dynamo(0.125, 'million read request units'),
  dynamoStorageGb: dynamoStorage(0.25, 'GB-month'),
  dynamoRecoveryGb: dynamoStorage(0.2, 'GB-month of point-in-time recovery'),
  sqsStandard: sqs(0.4, 'million requests of standard queues'),
  sqsFifo: sqs(0.5, 'million requests of FIFO queues'),
  lambdaRequest: serverless(0.2, 'million requests'),
  lambdaGbSecondArm64: lambdaArm(0.0000133334, 'GB-second on arm64'),
  lambdaGbSecondX86: serverless(0.0000166667, 'GB-second on x86_64'),
  httpApiRequest: serverless(1, 'million requests of 512 KB each'),
  fargateVcpuHourArm64: fargateArm(0.03238, 'vCPU-hour on arm64'),
  fargateGbHourArm64: fargateArm(0.00356, 'GB-hour on arm64'),
  fargateVcpuHourX86: fargateX86(0.04048, 'vCPU-hour on x86_64'),
  fargateGbHourX86: fargateX86(0.004445, 'GB-hour on x86_64'),
  // Spot follows the market; AWS promises up to 70 % off.
  spotVcpuHourArm64: spot(0.00971, 'vCPU-hour on arm64'),
  spotGbHourArm64: spot(0.00107, 'GB-hour on arm64'),
  spotVcpuHourX86: spot(0.01214, 'vCPU-hour on x86_64'),
  spotGbHourX86: spot(0.00133, 'GB-hour on x86_64'),
  publicIpv4Hour: vpc(0.005, 'hour of a public IPv4 address'),
  cdnGb: cdn(0.085, 'GB to viewers in North America and Europe, first 10 TB'),
  cdnRequest: cdnRequests(0.01, '10,000 HTTPS requests'),
  logsGb: watch(0.5, 'GB of logs taken in'),
  customMetric: metrics(0.3, 'month of a metric, by the hour in which it is sent'),
  alarmMetric: watch(0.1, 'month of a metric of an alarm'),
  dashboard: watch(3, 'month of a dashboard'),
  secret: secrets(0.4, 'month of a secret'),
  imageGb: ecr(0.1, 'GB-month of container images'),
} as const satisfies Readonly<Record<string, Price>>;

export type PriceName = keyof typeof US_EAST_1;
export type PriceList = Readonly<Record<PriceName, Price>>;

export const PRICES: Readonly<Record<string, PriceList>> = { 'us-east-1': US_EAST_1 };

/** Monthly free allowances without an end, of what an idle deployment uses. */
export const ALWAYS_FREE = {
  sqsRequests: 1_000_000,
  alarmMetrics: 10,
  dashboards: 3,
} as const;

/** How many units a price's `usd` is for, if not one. */
export const PER: Readonly<Partial<Record<PriceName, number>>> = {
  s3Put: 1_000,
  s3Get: 1_000,
  dynamoWrite: 1_000_000,
  dynamoRead: 1_000_000,
  sqsStandard: 1_000_000,
  sqsFifo: 1_000_000,
  lambdaRequest: 1_000_000,
  httpApiRequest: 1_000_000,
  cdnRequest: 10_000,
};

export const unitUsd = (prices: PriceList, name: PriceName): number =>
  prices[name].usd / (PER[name] ?? 1);
