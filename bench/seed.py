"""Fills one account and region of a moto server with about 1,430 resources, for `cargo xtask bench collect`."""

import io
import json
import zipfile

import boto3

session = boto3.Session(region_name="us-east-1")


def names(prefix, count):
    return [f"{prefix}-{number:03}" for number in range(count)]


def trust(service):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]})


def main():
    s3 = session.client("s3")
    for name in names("bench-bucket", 150):
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    iam = session.client("iam")
    for name in names("user", 100):
        iam.create_user(UserName=name)
        iam.create_access_key(UserName=name)
    for name in names("role", 100):
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]["Arn"]
    ec2 = session.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for number in range(20):
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")
    for name in names("group", 100):
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])
    for _ in range(80):
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=8)["VolumeId"]
        ec2.create_snapshot(VolumeId=volume)
    image = "ami-0123456789abcdef0"
    ec2.run_instances(ImageId=image, MinCount=60, MaxCount=60, InstanceType="t3.micro")
    sqs, sns = session.client("sqs"), session.client("sns")
    for name in names("queue", 80):
        sqs.create_queue(QueueName=name)
    for name in names("topic", 60):
        sns.create_topic(Name=name)
    functions = session.client("lambda")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): return 1")
    for name in names("function", 60):
        functions.create_function(FunctionName=name, Runtime="python3.13", Role=role, Handler="main.handler", Code={"ZipFile": buffer.getvalue()})
    dynamo = session.client("dynamodb")
    for name in names("table", 60):
        dynamo.create_table(TableName=name, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
    logs = session.client("logs")
    for name in names("/bench/log", 60):
        logs.create_log_group(logGroupName=name)
    kms = session.client("kms")
    for _ in range(60):
        kms.create_key()
    secrets, ssm = session.client("secretsmanager"), session.client("ssm")
    for name in names("secret", 50):
        secrets.create_secret(Name=name, SecretString="nothing")
    for name in names("/bench/parameter", 50):
        ssm.put_parameter(Name=name, Value="nothing", Type="String")
    rds = session.client("rds")
    for name in names("database", 40):
        rds.create_db_instance(DBInstanceIdentifier=name, Engine="postgres", DBInstanceClass="db.t3.micro", AllocatedStorage=20,
                               MasterUsername="operator", MasterUserPassword="not-a-real-secret")
    ecr = session.client("ecr")
    for name in names("repository", 40):
        ecr.create_repository(repositoryName=name)
    alarms = session.client("cloudwatch")
    for name in names("alarm", 60):
        alarms.put_metric_alarm(AlarmName=name, MetricName="CPUUtilization", Namespace="AWS/EC2", Statistic="Average", Period=300,
                                EvaluationPeriods=1, Threshold=90, ComparisonOperator="GreaterThanThreshold")


if __name__ == "__main__":
    main()
