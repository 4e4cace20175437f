"""Fills a moto server with a small organisation: three accounts, two regions, about 400 resources.

Every defect has a good twin beside it: a resource of the same kind that is as it should be. Run by
`cargo xtask demo-record`, which then scans the server and keeps the recording as `demo/recording/`.
Needs AWS_ENDPOINT_URL and throw-away credentials in the environment.
"""

import io
import json
import zipfile

import boto3

REGIONS = ["us-east-1", "eu-west-1"]
HOME = "us-east-1"
WORLD = "0.0.0.0/0"


def session_for(account):
    """A session in a member account, by the role that the organisation has there."""
    credentials = boto3.client("sts", region_name=HOME).assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", RoleSessionName="seed"
    )["Credentials"]
    return boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=HOME,
    )


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resources="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def trust(principal, **more):
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


def zipped(text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("main.py", text)
    return buffer.getvalue()


def organisation():
    """The organisation and the ids of its three accounts by name."""
    client = boto3.client("organizations", region_name=HOME)
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    accounts = {"management": boto3.client("sts", region_name=HOME).get_caller_identity()["Account"]}
    for name in ["production", "sandbox"]:
        unit = client.create_organizational_unit(ParentId=root, Name=name)["OrganizationalUnit"]["Id"]
        status = client.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
        accounts[name] = status["AccountId"]
        client.move_account(AccountId=status["AccountId"], SourceParentId=root, DestinationParentId=unit)
    policy = client.create_policy(
        Name="deny-leaving",
        Description="No account leaves the organisation",
        Type="SERVICE_CONTROL_POLICY",
        Content=document({"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}),
    )["Policy"]["PolicySummary"]["Id"]
    client.attach_policy(PolicyId=policy, TargetId=root)
    return accounts


def identities(session, account, good):
    iam = session.client("iam")
    iam.create_account_alias(AccountAlias=f"nimbus-{account}")
    if good:
        iam.update_account_password_policy(
            MinimumPasswordLength=16, RequireSymbols=True, RequireNumbers=True, RequireUppercaseCharacters=True,
            RequireLowercaseCharacters=True, PasswordReusePrevention=24, MaxPasswordAge=90,
        )
    for group, policy in [
        ("developers", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("administrators", "arn:aws:iam::aws:policy/AdministratorAccess"),
        ("auditors", "arn:aws:iam::aws:policy/SecurityAudit"),
    ]:
        iam.create_group(GroupName=group)
        iam.attach_group_policy(GroupName=group, PolicyArn=policy)
    for user, group in [("alice", "developers"), ("bob", "developers"), ("carol", "administrators"), ("dan", "auditors")]:
        iam.create_user(UserName=user, Tags=[{"Key": "team", "Value": "platform"}])
        iam.add_user_to_group(UserName=user, GroupName=group)
        iam.create_login_profile(UserName=user, Password="A-long-Passphrase-42!")
        if user != "bob":
            device = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]["SerialNumber"]
            iam.enable_mfa_device(UserName=user, SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321")
    iam.create_user(UserName="ci-deployer")
    iam.create_access_key(UserName="ci-deployer")
    iam.put_user_policy(UserName="ci-deployer", PolicyName="deploy", PolicyDocument=document(allow(["ecr:*", "ecs:UpdateService"])))
    if not good:
        iam.create_access_key(UserName="ci-deployer")
        iam.create_user(UserName="legacy-admin")
        iam.create_access_key(UserName="legacy-admin")
        everything = iam.create_policy(PolicyName="do-everything", PolicyDocument=document(allow("*")))["Policy"]["Arn"]
        iam.attach_user_policy(UserName="legacy-admin", PolicyArn=everything)
    roles = {}
    for name, principal in [
        ("web-server", {"Service": "ec2.amazonaws.com"}),
        ("batch-worker", {"Service": "ec2.amazonaws.com"}),
        ("functions", {"Service": "lambda.amazonaws.com"}),
        ("tasks", {"Service": "ecs-tasks.amazonaws.com"}),
        ("cluster", {"Service": "eks.amazonaws.com"}),
        ("builds", {"Service": "codebuild.amazonaws.com"}),
    ]:
        roles[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(principal))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=document(allow(["logs:CreateLogStream", "logs:PutLogEvents"])))
    vendor = {"StringEquals": {"sts:ExternalId": "nimbus-7719"}} if good else {}
    more = {"Condition": vendor} if vendor else {}
    iam.create_role(RoleName="vendor-monitoring", AssumeRolePolicyDocument=trust({"AWS": "arn:aws:iam::999988887777:root"}, **more))
    iam.attach_role_policy(RoleName="vendor-monitoring", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
    if not good:
        iam.create_role(RoleName="open-door", AssumeRolePolicyDocument=trust({"AWS": "*"}))
        iam.attach_role_policy(RoleName="batch-worker", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.create_instance_profile(InstanceProfileName="web-server")
    iam.add_role_to_instance_profile(InstanceProfileName="web-server", RoleName="web-server")
    return roles


def keys(session, region, good):
    kms = session.client("kms", region_name=region)
    data = kms.create_key(Description="data", Tags=[{"TagKey": "use", "TagValue": "data"}])["KeyMetadata"]
    kms.create_alias(AliasName="alias/data", TargetKeyId=data["KeyId"])
    kms.enable_key_rotation(KeyId=data["KeyId"])
    other = kms.create_key(Description="legacy exports")["KeyMetadata"]
    if not good:
        kms.put_key_policy(
            KeyId=other["KeyId"], PolicyName="default",
            Policy=document({"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}),
        )
    else:
        kms.enable_key_rotation(KeyId=other["KeyId"])
    return data


def network(session, region, good):
    ec2 = session.client("ec2", region_name=region)
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "main"}])
    subnets = []
    for number, (name, public) in enumerate([("public-a", True), ("public-b", True), ("private-a", False), ("private-b", False)]):
        zone = f"{region}{'ab'[number % 2]}"
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        ec2.create_tags(Resources=[subnet], Tags=[{"Key": "Name", "Value": name}])
        if public and not good:
            ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        subnets.append(subnet)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=WORLD, GatewayId=gateway)
    for subnet in subnets[:2]:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    groups = {}
    for name, port, source in [
        ("web", 443, WORLD), ("bastion", 22, "203.0.113.0/28" if good else WORLD), ("database", 5432, "10.20.0.0/16"),
        ("windows", 3389, "203.0.113.0/28" if good else WORLD), ("internal", 8080, "10.20.0.0/16"), ("unused", 443, "10.20.0.0/16"),
    ]:
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": source}]}]
        )
        groups[name] = group
    if good:
        default = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}])
        group = default["SecurityGroups"][0]
        ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"] or [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group["GroupId"]}]}]) if group["IpPermissions"] else None
        ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"]) if group["IpPermissionsEgress"] else None
        logs = session.client("logs", region_name=region)
        logs.create_log_group(logGroupName="/vpc/flow")
        logs.put_retention_policy(logGroupName="/vpc/flow", retentionInDays=365)
        ec2.create_flow_logs(
            ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL", LogGroupName="/vpc/flow",
            DeliverLogsPermissionArn=f"arn:aws:iam::{session.client('sts').get_caller_identity()['Account']}:role/flow",
        )
        ec2.enable_ebs_encryption_by_default()
    return vpc, subnets, groups


def machines(session, region, good, subnets, groups, key):
    ec2 = session.client("ec2", region_name=region)
    image = "ami-0123456789abcdef0"
    secret = "#!/bin/sh\nexport DB_PASSWORD=Tr0ub4dor-and-3-more\n" if not good else "#!/bin/sh\nsystemctl start web\n"
    instances = []
    for name, group, subnet, public in [
        ("web-1", "web", 0, True), ("web-2", "web", 1, True), ("bastion", "bastion", 0, True),
        ("worker-1", "internal", 2, False), ("worker-2", "internal", 3, False),
    ]:
        made = ec2.run_instances(
            ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.small", UserData=secret,
            NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnets[subnet], "Groups": [groups[group]], "AssociatePublicIpAddress": public}],
            MetadataOptions={"HttpTokens": "required" if good else "optional", "HttpEndpoint": "enabled"},
            IamInstanceProfile={"Name": "web-server"} if name.startswith("web") else {},
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}, {"Key": "env", "Value": "prod"}]}],
        )["Instances"][0]
        instances.append(made["InstanceId"])
    for number in range(6):
        encrypted = good or number % 2 == 0
        options = {"Encrypted": True, "KmsKeyId": key["Arn"]} if encrypted else {}
        volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=50, **options)["VolumeId"]
        snapshot = ec2.create_snapshot(VolumeId=volume, Description=f"nightly {number}")["SnapshotId"]
        if not good and number == 1:
            ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"])
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    if good:
        ec2.associate_address(AllocationId=address, InstanceId=instances[0])
    made = ec2.create_image(InstanceId=instances[0], Name=f"golden-{region}")["ImageId"]
    if not good:
        ec2.modify_image_attribute(ImageId=made, Attribute="launchPermission", OperationType="add", UserGroups=["all"])
    elb = session.client("elbv2", region_name=region)
    balancer = elb.create_load_balancer(Name="front", Subnets=subnets[:2], SecurityGroups=[groups["web"]], Scheme="internet-facing")["LoadBalancers"][0]["LoadBalancerArn"]
    target = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=ec2.describe_subnets(SubnetIds=subnets[:1])["Subnets"][0]["VpcId"])["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=target, Targets=[{"Id": instances[0]}, {"Id": instances[1]}])
    forward = [{"Type": "forward", "TargetGroupArn": target}]
    if good:
        redirect = [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}]
        elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=redirect)
        elb.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=[
            {"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"}, {"Key": "deletion_protection.enabled", "Value": "true"}])
    else:
        elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)


def buckets(session, account, region, good, key):
    s3 = session.client("s3", region_name=region)
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    if good:
        block = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
        if region == HOME:
            control = session.client("s3control", region_name=region)
            # The account id in front of the host name leads nowhere on loopback.
            control.meta.events.register("request-created.s3-control", lambda request, **_: setattr(request, "url", request.url.replace(f"{account}.", "", 1)))
            control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration=block)
    for purpose in ["logs", "uploads", "website", "exports", "backups", "artifacts"]:
        name = f"nimbus-{account}-{region}-{purpose}"
        s3.create_bucket(Bucket=name, **place)
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "purpose", "Value": purpose}]})
        arn = f"arn:aws:s3:::{name}"
        tls = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
        if good:
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
            s3.put_bucket_policy(Bucket=name, Policy=document(tls))
        if good or purpose in ("backups", "logs"):
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["Arn"]}, "BucketKeyEnabled": True}]})
        if not good and purpose == "exports":
            s3.put_bucket_policy(Bucket=name, Policy=document({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{arn}/*"}))
        if not good and purpose == "uploads":
            s3.put_bucket_acl(Bucket=name, ACL="public-read-write")
        if not good and purpose == "website":
            s3.put_bucket_policy(Bucket=name, Policy=document(
                {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": f"{arn}/*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}}}))


def databases(session, region, good, key, subnets):
    rds = session.client("rds", region_name=region)
    rds.create_db_subnet_group(DBSubnetGroupName="main", DBSubnetGroupDescription="main", SubnetIds=subnets[2:])
    for name, engine in [("orders", "postgres"), ("customers", "mysql"), ("reports", "postgres")]:
        safe = good or name == "reports"
        encryption = {"StorageEncrypted": True, "KmsKeyId": key["Arn"]} if safe else {"StorageEncrypted": False}
        rds.create_db_instance(
            DBInstanceIdentifier=name, Engine=engine, DBInstanceClass="db.t3.medium", AllocatedStorage=20, MasterUsername="operator",
            MasterUserPassword="not-a-real-secret-77", PubliclyAccessible=not safe, MultiAZ=safe, BackupRetentionPeriod=14 if safe else 0,
            DeletionProtection=safe, DBSubnetGroupName="main", AutoMinorVersionUpgrade=safe, CopyTagsToSnapshot=safe, **encryption,
        )
        rds.create_db_snapshot(DBInstanceIdentifier=name, DBSnapshotIdentifier=f"{name}-before-migration")
    if not good:
        rds.modify_db_snapshot_attribute(DBSnapshotIdentifier="customers-before-migration", AttributeName="restore", ValuesToAdd=["all"])
    dynamo = session.client("dynamodb", region_name=region)
    for name in ["sessions", "carts", "events"]:
        dynamo.create_table(
            TableName=name, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST", DeletionProtectionEnabled=good,
        )
        if good:
            dynamo.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    efs = session.client("efs", region_name=region)
    options = {"Encrypted": True, "KmsKeyId": key["Arn"]} if good else {"Encrypted": False}
    efs.create_file_system(CreationToken="shared", Tags=[{"Key": "Name", "Value": "shared"}], **options)


def serverless(session, account, region, good, roles):
    functions = session.client("lambda", region_name=region)
    for name in ["checkout", "thumbnails", "webhook"]:
        variables = {"LOG_LEVEL": "info"}
        if not good and name == "checkout":
            variables["STRIPE_API_KEY"] = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
        functions.create_function(
            FunctionName=name, Runtime="python3.13" if good else "python3.8", Role=roles["functions"], Handler="main.handler",
            Code={"ZipFile": zipped("def handler(event, context):\n    return 1\n")}, Environment={"Variables": variables},
            TracingConfig={"Mode": "Active" if good else "PassThrough"},
        )
    if not good:
        functions.add_permission(FunctionName="webhook", StatementId="anyone", Action="lambda:InvokeFunction", Principal="*")
    sqs = session.client("sqs", region_name=region)
    for name in ["orders", "emails", "audit"]:
        attributes = {"KmsMasterKeyId": "alias/data"} if good else {"SqsManagedSseEnabled": "false"}
        if not good and name == "orders":
            attributes["Policy"] = document({"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"})
        sqs.create_queue(QueueName=name, Attributes=attributes)
    sns = session.client("sns", region_name=region)
    for name in ["alerts", "deployments"]:
        topic = sns.create_topic(Name=name, Attributes={"KmsMasterKeyId": "alias/data"} if good else {})["TopicArn"]
        if not good and name == "deployments":
            sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document(
                {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sns:Publish", "sns:Subscribe"], "Resource": topic}))
    ecr = session.client("ecr", region_name=region)
    for name in ["shop/web", "shop/worker"]:
        ecr.create_repository(
            repositoryName=name, imageTagMutability="IMMUTABLE" if good else "MUTABLE", imageScanningConfiguration={"scanOnPush": good})
    if not good:
        ecr.set_repository_policy(repositoryName="shop/web", policyText=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}]}))
    ecs = session.client("ecs", region_name=region)
    ecs.create_cluster(clusterName="shop", settings=[{"name": "containerInsights", "value": "enabled" if good else "disabled"}])
    ecs.register_task_definition(
        family="web", networkMode="awsvpc" if good else "host", executionRoleArn=roles["tasks"], taskRoleArn=roles["tasks"],
        containerDefinitions=[{
            "name": "web", "image": f"{account}.dkr.ecr.{region}.amazonaws.com/shop/web:1", "memory": 512, "privileged": not good,
            "readonlyRootFilesystem": good, "user": "1000" if good else "root",
            "environment": [{"name": "MODE", "value": "prod"}] + ([] if good else [{"name": "GITHUB_TOKEN", "value": "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"}]),
        }],
    )
    secrets = session.client("secretsmanager", region_name=region)
    for name in ["shop/database", "shop/partner"]:
        secrets.create_secret(Name=name, SecretString="not-a-real-secret", **({"KmsKeyId": "alias/data"} if good else {}))
    ssm = session.client("ssm", region_name=region)
    ssm.put_parameter(Name="/shop/endpoint", Value="https://example.com", Type="String")
    ssm.put_parameter(Name="/shop/token", Value="not-a-real-token", Type="SecureString" if good else "String")
    kinesis = session.client("kinesis", region_name=region)
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    if good:
        kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId="alias/data")


def watching(session, account, good, key):
    """Trail, configuration recorder, detectors."""
    bucket = f"nimbus-{account}-{HOME}-logs"
    logs = session.client("logs", region_name=HOME)
    logs.create_log_group(logGroupName="/trail")
    if good:
        logs.put_retention_policy(logGroupName="/trail", retentionInDays=400)
    session.client("s3", region_name=HOME).put_bucket_policy(Bucket=bucket, Policy=document(
        {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": ["s3:PutObject", "s3:GetBucketAcl"], "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"], "Condition": {"StringEquals": {"aws:SourceAccount": account}}}))
    trail = session.client("cloudtrail", region_name=HOME)
    if good:
        trail.create_trail(Name="all", S3BucketName=bucket, IsMultiRegionTrail=True, IncludeGlobalServiceEvents=True, EnableLogFileValidation=True)
        trail.start_logging(Name="all")
        for region in REGIONS:
            session.client("guardduty", region_name=region).create_detector(Enable=True, FindingPublishingFrequency="FIFTEEN_MINUTES")
            config = session.client("config", region_name=region)
            config.put_configuration_recorder(ConfigurationRecorder={
                "name": "default", "roleARN": f"arn:aws:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
                "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}})
            config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": bucket})
            config.start_configuration_recorder(ConfigurationRecorderName="default")
    else:
        trail.create_trail(Name="only-here", S3BucketName=bucket, IsMultiRegionTrail=False, IncludeGlobalServiceEvents=False)


def main():
    accounts = organisation()
    for name, account in accounts.items():
        session = boto3.Session(region_name=HOME) if name == "management" else session_for(account)
        good = name != "sandbox"
        roles = identities(session, account, good)
        for region in REGIONS if name != "management" else [HOME]:
            key = keys(session, region, good)
            _vpc, subnets, groups = network(session, region, good)
            buckets(session, account, region, good, key)
            if name != "management":
                machines(session, region, good, subnets, groups, key)
                databases(session, region, good, key, subnets)
                serverless(session, account, region, good, roles)
        watching(session, account, good, key)
        print(f"{name}: {account}")


if __name__ == "__main__":
    main()
