/**
 * Stands in, in the functions' bundles, for parts of the AWS SDK that no function uses but every
 * client brings along: a third of a bundle, and of the time that a cold start takes to load it.
 */

type Credentials = Readonly<{
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}>;

/** For `@aws-sdk/credential-provider-node`: Lambda gives the role's credentials in the environment. */
export const defaultProvider = () => async (): Promise<Credentials> => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    throw new Error('There are no credentials in the environment of this function.');
  }
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
  };
};

/** For `@smithy/core/event-streams`: of S3 only SelectObjectContent answers with one. */
export const resolveEventStreamSerdeConfig = <Config>(config: Config): Config => config;

export const eventStreamSerdeProvider = (): never => {
  throw new Error('This bundle has no event streams.');
};

export class EventStreamSerde {
  constructor() {
    eventStreamSerdeProvider();
  }
}

/** For `@aws-sdk/endpoint-cache`: DynamoDB's endpoints are discovered only if a client asks for it. */
export class EndpointCache {}
