use proptest::prelude::*;

use super::{Access, Action, Catalogue, GLOBAL_KEYS, KeyType, TEXT, read};
use crate::{Arn, Pattern};

fn action(name: &str) -> Action<'static> {
    Catalogue::embedded().action(name).unwrap_or_else(|| panic!("no {name}"))
}

fn everything() -> Vec<Action<'static>> {
    Catalogue::embedded().matching(&Pattern::new("*")).collect()
}

#[test]
fn the_table_can_be_read() {
    read::catalogue(&TEXT, GLOBAL_KEYS).unwrap();
}

#[test]
fn a_broken_table_is_refused() {
    let service = "service\ts3\tAmazon S3\ntype\tbucket\tarn:${Partition}:s3:::${BucketName}\n";
    for line in ["s3:ListBucket\tLook\tbucket*", "s3:ListBucket\tList\tbuckets*", "key\ts3:prefix\tText"] {
        let text: &'static str = format!("{service}{line}\n").leak();
        let message = read::catalogue(text, "").unwrap_err();
        assert!(message.contains(line), "{message}");
    }
    read::catalogue("s3:ListBucket\tList\n", "").unwrap_err();
}

/// Name, level, some of the resource types and whether they are required, some of the condition keys.
type Fact = (&'static str, Access, &'static [(&'static str, bool)], &'static [&'static str]);

/// From the pages of the Service Authorization Reference.
#[test]
fn facts_of_the_reference() {
    let cases: [Fact; 16] = [
        (
            "s3:GetObject",
            Access::Read,
            &[("object", false), ("accesspointobject", false)],
            &["s3:ExistingObjectTag/${TagKey}", "s3:ResourceAccount", "s3:TlsVersion", "s3:authType"],
        ),
        (
            "s3:ListBucket",
            Access::List,
            &[("bucket", false), ("accesspoint", false)],
            &["s3:prefix", "s3:delimiter", "s3:max-keys"],
        ),
        ("s3:ListAllMyBuckets", Access::List, &[], &["s3:authType"]),
        ("s3:PutBucketPolicy", Access::PermissionsManagement, &[("bucket", true)], &["s3:ResourceAccount"]),
        ("iam:PassRole", Access::Write, &[("role", true)], &["iam:PassedToService", "iam:AssociatedResourceArn"]),
        ("iam:CreateAccessKey", Access::Write, &[("user", true)], &[]),
        (
            "iam:AttachRolePolicy",
            Access::PermissionsManagement,
            &[("role", true)],
            &["iam:PolicyARN", "iam:PermissionsBoundary"],
        ),
        ("ec2:DescribeInstances", Access::List, &[], &["ec2:Region"]),
        ("ec2:CreateTags", Access::Tagging, &[("instance", false)], &["ec2:CreateAction", "aws:TagKeys"]),
        (
            "ec2:RunInstances",
            Access::Write,
            &[("instance", true), ("image", true), ("subnet", true), ("key-pair", false)],
            &["ec2:InstanceType", "ec2:MetadataHttpTokens"],
        ),
        (
            "kms:Decrypt",
            Access::Write,
            &[("key", true)],
            &["kms:EncryptionContext:${EncryptionContextKey}", "kms:ViaService", "kms:CallerAccount"],
        ),
        ("kms:PutKeyPolicy", Access::PermissionsManagement, &[("key", true)], &["kms:BypassPolicyLockoutSafetyCheck"]),
        ("sts:AssumeRole", Access::Write, &[("role", true)], &["sts:ExternalId", "sts:RoleSessionName"]),
        ("sts:GetCallerIdentity", Access::Read, &[], &[]),
        (
            "secretsmanager:GetSecretValue",
            Access::Read,
            &[("Secret", true)],
            &["secretsmanager:VersionStage", "secretsmanager:ResourceTag/${TagKey}"],
        ),
        ("lambda:AddPermission", Access::PermissionsManagement, &[("function", true)], &["lambda:Principal"]),
    ];
    for (name, access, types, keys) in cases {
        let action = action(name);
        assert_eq!(action.access(), access, "{name}");
        assert_eq!(action.without_resource(), types.is_empty(), "{name}");
        let listed: Vec<(&str, bool)> =
            action.resource_types().map(|(of_type, required)| (of_type.name(), required)).collect();
        for of_type in types {
            assert!(listed.contains(of_type), "{name}: {of_type:?} is not in {listed:?}");
        }
        let listed: Vec<&str> = action.condition_keys().collect();
        for key in keys {
            assert!(listed.contains(key), "{name}: {key} is not in {listed:?}");
        }
    }
    assert!(action("ec2:RunInstances").dependent_actions().any(|name| name == "iam:PassRole"));
    assert_eq!(Catalogue::embedded().service("S3").unwrap().title(), "Amazon S3");
}

#[test]
fn names_are_found_in_any_case() {
    let catalogue = Catalogue::embedded();
    for action in everything() {
        let name = action.name();
        assert_eq!(catalogue.action(&name.to_uppercase()).map(Action::name), Some(name));
        assert_eq!(catalogue.action(&name.to_lowercase()), Some(action));
    }
    let mut of_services = 0;
    for service in catalogue.services() {
        assert_eq!(catalogue.service(&service.name().to_uppercase()).unwrap().name(), service.name());
        for action in service.actions() {
            assert_eq!(action.name().split_once(':').unwrap().0, service.name());
            of_services += 1;
        }
    }
    assert_eq!(of_services, everything().len());
    for name in ["s3:GetObjects", "s3", "s3:", ":", "", "nothing:Get", "s3:*"] {
        assert_eq!(catalogue.action(name), None, "{name}");
    }
}

#[test]
fn patterns_of_resource_types_are_arns() {
    let catalogue = Catalogue::embedded();
    for of_type in catalogue.services().flat_map(|service| service.resource_types().collect::<Vec<_>>()) {
        let pattern = of_type.pattern();
        assert!(Arn::of(pattern.text()).is_some(), "{of_type:?}");
        assert!(!pattern.text().contains(['$', '{', '}', '?', ' ']), "{of_type:?} {pattern}");
        assert_eq!(pattern.text().contains('*'), of_type.template().contains(['$', '*']), "{of_type:?}");
    }
}

#[test]
fn patterns_of_resource_types_match_arns_of_the_documentation() {
    for (of, of_type, arn, expected) in [
        ("s3:GetObject", "object", "arn:aws:s3:::amzn-s3-demo-bucket/folder/picture.jpg", true),
        ("s3:GetObject", "object", "arn:aws:s3:::amzn-s3-demo-bucket", false),
        ("s3:ListBucket", "bucket", "arn:aws-cn:s3:::amzn-s3-demo-bucket", true),
        ("iam:PassRole", "role", "arn:aws:iam::123456789012:role/service-role/Build", true),
        ("iam:PassRole", "role", "arn:aws:iam::123456789012:user/Bob", false),
        ("kms:Decrypt", "key", "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", true),
        ("kms:Decrypt", "key", "arn:aws:kms:us-west-2:111122223333:alias/ExampleAlias", false),
        ("ec2:RunInstances", "image", "arn:aws:ec2:us-east-1::image/ami-1a2b3c4d", true),
        ("sqs:SendMessage", "queue", "arn:aws:sqs:us-east-1:123456789012:MyQueue", true),
    ] {
        let mut types = action(of).resource_types().map(|(listed, _)| listed);
        let found = types.find(|listed| listed.name() == of_type).unwrap();
        assert_eq!(found.pattern().matches(arn), expected, "{of} {of_type} {arn}");
    }
}

/// Types from the reference and, for `aws:`, from the IAM user guide's page on global condition context keys.
#[test]
fn condition_keys_have_their_types() {
    for (key, expected) in [
        ("aws:SourceIp", Some(KeyType::IpAddress)),
        ("AWS:sourcearn", Some(KeyType::Arn)),
        ("aws:TagKeys", Some(KeyType::ArrayOfString)),
        ("aws:PrincipalOrgPaths", Some(KeyType::ArrayOfString)),
        ("aws:PrincipalOrgID", Some(KeyType::String)),
        ("aws:MultiFactorAuthPresent", Some(KeyType::Bool)),
        ("aws:MultiFactorAuthAge", Some(KeyType::Numeric)),
        ("aws:CurrentTime", Some(KeyType::Date)),
        ("aws:RequestTag/team", Some(KeyType::String)),
        ("aws:PrincipalTag/${TagKey}", Some(KeyType::String)),
        ("aws:RequestTag/", None),
        ("s3:prefix", Some(KeyType::String)),
        ("S3:Max-Keys", Some(KeyType::Numeric)),
        ("s3:ExistingObjectTag/class", Some(KeyType::String)),
        ("kms:EncryptionContext:app", Some(KeyType::String)),
        ("kms:EncryptionContextKeys", Some(KeyType::ArrayOfString)),
        ("iam:PolicyARN", Some(KeyType::Arn)),
        ("identitystore:UserId", Some(KeyType::String)),
        ("codebuild:secondaryArtifacts/out.location", Some(KeyType::String)),
        ("codebuild:secondaryArtifacts/out.place", None),
        ("aws:SourceIpAddress", None),
        ("token.actions.githubusercontent.com:sub", None),
    ] {
        assert_eq!(Catalogue::embedded().condition_key(key), expected, "{key}");
    }
}

#[test]
fn condition_keys_of_actions() {
    for (name, key, expected) in [
        ("s3:GetObject", "s3:existingobjecttag/class", true),
        ("s3:GetObject", "aws:ResourceTag/class", true),
        ("s3:GetObject", "s3:prefix", false),
        ("s3:ListBucket", "s3:prefix", true),
        ("iam:PassRole", "iam:passedtoservice", true),
        ("iam:PassRole", "iam:PolicyARN", false),
        ("ec2:StopInstances", "ec2:ResourceTag/team", true),
    ] {
        assert_eq!(action(name).has_condition_key(key), expected, "{name} {key}");
    }
    // All that the reference lists with an action or a type has a type of its own.
    for action in everything() {
        let of_types = action.resource_types().flat_map(|(of_type, _)| of_type.condition_keys());
        for key in action.condition_keys().chain(of_types) {
            assert!(Catalogue::embedded().condition_key(key).is_some(), "{action:?} {key}");
        }
    }
}

fn by_loop(pattern: &Pattern) -> Vec<&'static str> {
    let all = everything().into_iter().map(Action::name);
    all.filter(|name| pattern.matches(&name.to_lowercase())).collect()
}

fn matching(pattern: &Pattern) -> Vec<&'static str> {
    Catalogue::embedded().matching(pattern).map(Action::name).collect()
}

#[test]
fn patterns_match_as_a_loop_over_all_does() {
    for text in
        ["*", "s3:*", "s3*", "s3:get*", "*:get*", "s?:*bucket*", "s3:getobject", "s3:g", "zz*", "~", "", "?*", "**"]
    {
        let pattern = Pattern::new(text);
        assert_eq!(matching(&pattern), by_loop(&pattern), "{text}");
    }
    assert_eq!(matching(&Pattern::new("s3:getobject")), ["s3:GetObject"]);
    assert!(matching(&Pattern::new("s3:*acl")).contains(&"s3:PutBucketAcl"));
    assert!(matching(&Pattern::literal("s3:*")).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_pattern_matches_as_a_loop_over_all_does(
        at in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..8, "[*?]{1,2}"), 0..4),
    ) {
        let all = everything();
        let mut text = at.get(&all).name().to_lowercase();
        for (from, length, wildcards) in cuts {
            let from = from.index(text.len());
            text.replace_range(from..text.len().min(from + length), &wildcards);
        }
        let pattern = Pattern::new(&text);
        prop_assert_eq!(matching(&pattern), by_loop(&pattern));
    }
}

/// What the rest of the catalogue says of AWS, it says of actions that there are and of condition keys that they have.
#[test]
fn the_catalogue_names_listed_actions_and_keys() {
    let catalog = nepho_catalog::Catalog::embedded().unwrap();
    let mut unknown = Vec::new();
    for access in catalog.access.values().filter(|access| access.kind.starts_with("aws.")) {
        let parts =
            [&access.read, &access.write, &access.delete, &access.administer_data, &access.administer_configuration];
        for name in parts.into_iter().flatten().flat_map(|group| &group.actions) {
            if matching(&Pattern::new(&name.to_lowercase())).is_empty() {
                unknown.push(format!("{}: {name}", access.kind));
            }
        }
    }
    for escalation in catalog.escalations.values().filter(|escalation| escalation.id.starts_with("aws.")) {
        for permission in escalation.steps.iter().flat_map(|step| step.alternatives()).flatten() {
            let Some(action) = Catalogue::embedded().action(&permission.action) else {
                unknown.push(format!("{}: {}", escalation.id, permission.action));
                continue;
            };
            for key in permission.given.keys().filter(|key| !key.starts_with("aws:") && !action.has_condition_key(key))
            {
                unknown.push(format!("{}: {action:?} with {key}", escalation.id));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}
