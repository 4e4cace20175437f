//! Against a running moto server: `NEPHO_MOTO=http://127.0.0.1:5000 cargo nextest run -p nepho-aws`.

#![allow(clippy::print_stdout, reason = "a test says what it skips")]

use std::sync::Arc;

use nepho_aws::credentials::Environment;
use nepho_aws::{AwsClient, ConnectOptions};
use nepho_collect::{Call, Failure, Provider as _};
use serde_json::{Value as Json, json};

async fn ask(client: &AwsClient, service: &str, operation: &str, parameters: Json) -> Result<Json, Failure> {
    let call = Call {
        account: Arc::from("123456789012"),
        region: Arc::from("us-east-1"),
        service: Arc::from(service),
        operation: Arc::from(operation),
        parameters: parameters.as_object().cloned().unwrap_or_default(),
    };
    client.attempt(&call).await
}

#[tokio::test]
async fn reads_moto() {
    let Ok(url) = std::env::var("NEPHO_MOTO") else {
        println!("skipped: NEPHO_MOTO is not set");
        return;
    };
    let environment = Environment::of(&[
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]);
    let options = ConnectOptions { endpoint_url: Some(url), ..ConnectOptions::default() };
    let client = AwsClient::connect_in(&environment, options).await.unwrap();
    let identity = client.identity().await.unwrap();
    assert_eq!((identity.account.as_str(), identity.partition.as_str()), ("123456789012", "aws"));
    let regions = client.regions("123456789012").await.unwrap();
    assert!(regions.iter().any(|region| region.name == "eu-central-1" && region.enabled));

    // One operation of each protocol.
    let vpcs = ask(&client, "ec2", "DescribeVpcs", json!({})).await.unwrap();
    assert_eq!(vpcs["Vpcs"][0]["IsDefault"], true);
    let details = json!({"Filter": ["AWSManagedPolicy"], "MaxItems": 5});
    let details = ask(&client, "iam", "GetAccountAuthorizationDetails", details).await.unwrap();
    assert!(details["Policies"].is_array());
    let keys = ask(&client, "kms", "ListKeys", json!({})).await.unwrap();
    assert!(keys["Keys"].is_array());
    let functions = ask(&client, "lambda", "ListFunctions", json!({})).await.unwrap();
    assert!(functions["Functions"].is_array());
    let buckets = ask(&client, "s3", "ListBuckets", json!({})).await.unwrap();
    assert!(buckets["Buckets"].is_array());
    let absent = ask(&client, "s3", "GetBucketPolicy", json!({"Bucket": "no-such-bucket-here"})).await.unwrap_err();
    assert_eq!(absent.code, "NoSuchBucket");

    client.enter_account("210987654321", "Audit").await.unwrap();
}
