//! Known ways from a permission to more permissions, as far as one identity policy shows them. The identity analyzer
//! judges whole identities; this is what a rule on one policy document can say.
//!
//! The methods are those catalogued at <https://pathfinding.cloud> and in Rhino Security Labs' research.

/// Name of the method, and the actions that must all be allowed on all resources of their type. `iam:PassRole` with a
/// condition on `iam:PassedToService` counts where the method's service is among the values.
pub const METHODS: &[(&str, Option<&str>, &[&str])] = &[
    ("iam:AddUserToGroup", None, &["iam:AddUserToGroup"]),
    ("iam:AttachGroupPolicy", None, &["iam:AttachGroupPolicy"]),
    ("iam:AttachRolePolicy", None, &["iam:AttachRolePolicy"]),
    ("iam:AttachUserPolicy", None, &["iam:AttachUserPolicy"]),
    ("iam:CreateAccessKey", None, &["iam:CreateAccessKey"]),
    ("iam:CreateLoginProfile", None, &["iam:CreateLoginProfile"]),
    ("iam:CreatePolicyVersion", None, &["iam:CreatePolicyVersion"]),
    ("iam:PutGroupPolicy", None, &["iam:PutGroupPolicy"]),
    ("iam:PutRolePolicy", None, &["iam:PutRolePolicy"]),
    ("iam:PutUserPolicy", None, &["iam:PutUserPolicy"]),
    ("iam:SetDefaultPolicyVersion", None, &["iam:SetDefaultPolicyVersion"]),
    ("iam:UpdateAssumeRolePolicy", None, &["iam:UpdateAssumeRolePolicy"]),
    ("iam:UpdateLoginProfile", None, &["iam:UpdateLoginProfile"]),
    ("lambda:UpdateFunctionCode", None, &["lambda:UpdateFunctionCode"]),
    ("lambda:UpdateFunctionConfiguration", None, &["lambda:UpdateFunctionConfiguration"]),
    ("sts:AssumeRole", None, &["sts:AssumeRole"]),
    (
        "iam:PassRole+autoscaling:CreateAutoScalingGroup",
        Some("ec2.amazonaws.com"),
        &["iam:PassRole", "autoscaling:CreateAutoScalingGroup", "ec2:CreateLaunchTemplate"],
    ),
    (
        "iam:PassRole+bedrock-agentcore:CreateCodeInterpreter",
        Some("bedrock-agentcore.amazonaws.com"),
        &["iam:PassRole", "bedrock-agentcore:CreateCodeInterpreter", "bedrock-agentcore:InvokeCodeInterpreter"],
    ),
    (
        "iam:PassRole+cloudformation:CreateStack",
        Some("cloudformation.amazonaws.com"),
        &["iam:PassRole", "cloudformation:CreateStack"],
    ),
    (
        "iam:PassRole+codebuild:CreateProject",
        Some("codebuild.amazonaws.com"),
        &["iam:PassRole", "codebuild:CreateProject", "codebuild:StartBuild"],
    ),
    (
        "iam:PassRole+datapipeline:CreatePipeline",
        Some("datapipeline.amazonaws.com"),
        &["iam:PassRole", "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"],
    ),
    ("iam:PassRole+ec2:RunInstances", Some("ec2.amazonaws.com"), &["iam:PassRole", "ec2:RunInstances"]),
    (
        "iam:PassRole+ecs:RunTask",
        Some("ecs-tasks.amazonaws.com"),
        &["iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:RunTask"],
    ),
    ("iam:PassRole+glue:CreateDevEndpoint", Some("glue.amazonaws.com"), &["iam:PassRole", "glue:CreateDevEndpoint"]),
    (
        "iam:PassRole+glue:CreateJob",
        Some("glue.amazonaws.com"),
        &["iam:PassRole", "glue:CreateJob", "glue:StartJobRun"],
    ),
    (
        "iam:PassRole+lambda:CreateFunction",
        Some("lambda.amazonaws.com"),
        &["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"],
    ),
    (
        "iam:PassRole+lambda:CreateEventSourceMapping",
        Some("lambda.amazonaws.com"),
        &["iam:PassRole", "lambda:CreateFunction", "lambda:CreateEventSourceMapping"],
    ),
    (
        "iam:PassRole+sagemaker:CreateNotebookInstance",
        Some("sagemaker.amazonaws.com"),
        &["iam:PassRole", "sagemaker:CreateNotebookInstance", "sagemaker:CreatePresignedNotebookInstanceUrl"],
    ),
    (
        "iam:PassRole+ssm:StartAutomationExecution",
        Some("ssm.amazonaws.com"),
        &["iam:PassRole", "ssm:StartAutomationExecution"],
    ),
];
