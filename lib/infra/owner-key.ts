/** The deployment's owner key: made by Secrets Manager, seen by nobody on the way. */

import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { type CfnSecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

export class OwnerKey extends Construct {
  readonly secretArn: string;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const secret = new Secret(this, 'Secret', {
      description: 'Owner key: creates, lists and deletes streams',
      // Unreserved in URLs: the key stands in https://x:KEY@host/… as it is.
      generateSecretString: { passwordLength: 40, excludeCharacters: PUNCTUATION },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Encoders are configured with this key by hand; a rotation nobody asked for would stop their streams. The owner changes it with put-secret-value, and functions follow within five minutes.',
    });
    // By its attribute: emulators give the name where CloudFormation's `Ref` gives the ARN.
    this.secretArn = (secret.node.defaultChild as CfnSecret).attrId;
  }
}
