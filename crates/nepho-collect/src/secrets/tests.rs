use std::sync::Arc;

use serde_json::json;

use super::*;

fn redactor(paths: &[(&str, bool)]) -> Redactor {
    let mut all = SecretPaths::default();
    for (path, base64) in paths {
        all.add(&Arc::from("s"), &Arc::from("Op"), path, *base64).unwrap();
    }
    Redactor::new(Arc::new(all), Some("salt".into()))
}

fn token() -> String {
    format!("ghp_{}", "aB3".repeat(12))
}

#[test]
fn replaces_named_places() {
    let secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzKEY12";
    let mut answer = json!({"F": [{"Name": "keep", "Env": {"V": {
        "DB_PASSWORD": "SuperSecret123!", "MODE": "production", "EMPTY": "", "N": 3, "B": true,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPL3", "AWS_SECRET_ACCESS_KEY": secret,
        "PASSWORD_REF": "arn:aws:secretsmanager:us-east-1:1:secret:x", "URL": "postgres://u:hunter22@db/x",
    }}}]});
    let redactor = redactor(&[("F[].Env.V", false)]);
    redactor.redact("1", "s", "Op", &mut answer);
    let text = answer.to_string();
    for planted in ["SuperSecret", "production", "AKIAIOSF", "wJalr", "hunter22", "arn:aws:secretsmanager"] {
        assert!(!text.contains(planted), "{planted} in {text}");
    }
    assert!(text.contains("keep") && text.contains("DB_PASSWORD"));
    let found = findings(answer.pointer("/F/0/Env/V").unwrap());
    let places: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["place"].as_str().unwrap(), one["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(
        places,
        [
            ("DB_PASSWORD", "password"),
            ("AWS_ACCESS_KEY_ID", "aws-access-key-id"),
            ("AWS_SECRET_ACCESS_KEY", "aws-secret-access-key"),
            ("URL", "connection-string")
        ]
    );
    let once = answer.clone();
    redactor.redact("1", "s", "Op", &mut answer);
    assert_eq!(once, answer, "redacting again changes nothing");
}

#[test]
fn names_pairs_by_their_name() {
    let redactor_whole = redactor(&[("e", false)]);
    let redactor_value = redactor(&[("e[].value", false)]);
    for redactor in [redactor_whole, redactor_value] {
        let mut answer = json!({"e": [{"name": "API_TOKEN", "value": "k8Jq72hdYw9ZpX"}, {"name": "X", "value": "y"}]});
        redactor.redact("1", "s", "Op", &mut answer);
        assert_eq!(findings(&answer["e"])[0]["place"], "API_TOKEN");
        assert_eq!(answer["e"][1], json!({"name": "X", "value": "[redacted]"}));
    }
}

#[test]
fn looks_into_base64_text_with_several_secrets() {
    use base64::Engine;
    let script = format!("#!/bin/sh\nexport DB_PASSWORD='Tr0ub4dor&3x'\ngit clone https://{}@github.com/x\n", token());
    let mut answer = json!({"U": {"Value": base64::engine::general_purpose::STANDARD.encode(&script)}});
    redactor(&[("U.Value", true)]).redact("1", "s", "Op", &mut answer);
    let found = findings(&answer["U"]["Value"]);
    let kinds: Vec<_> = found.as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["password", "github-token"]);
}

#[test]
fn catches_tokens_anywhere_and_leaves_the_rest() {
    let mut answer = json!({
        "Description": format!("deploy with {} please", token()),
        "Key": "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----",
        "AccessKeyId": "AKIAIOSFODNN7EXAMPL3",
        "Certificate": "-----BEGIN CERTIFICATE-----\nMIIabc\n-----END CERTIFICATE-----",
        "Name": "my-password-policy",
    });
    redactor(&[]).redact("1", "s", "Op", &mut answer);
    assert!(answer["Description"].as_str().unwrap().starts_with("deploy with [redacted github-token ghp_***40 "));
    assert!(answer["Key"].as_str().unwrap().starts_with("[redacted private-key ***"));
    assert_eq!(answer["AccessKeyId"], "AKIAIOSFODNN7EXAMPL3");
    assert!(answer["Certificate"].as_str().unwrap().contains("MIIabc"));
    assert_eq!(answer["Name"], "my-password-policy");
}

#[test]
fn harmless_values_give_no_finding() {
    for (name, value) in [
        ("DB_PASSWORD", "changeme"),
        ("SECRET_ARN", "abcdefgh12345678"),
        ("TOKEN", "${TOKEN}"),
        ("SECRET_NAME", "prod/db/main1"),
        ("PASSWORD", "{{resolve:ssm:x}}"),
        ("PASSWORD_ENABLED", "true"),
        ("LOG_LEVEL", "debugging-verbose-1"),
        ("TOKEN_TTL", "36000000"),
        ("DB_PASSWORD_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf"),
        ("Resource", "arn:aws:states:::aws-sdk:secretsmanager:getSecretValue"),
        ("DB_SECRET", "prod/db/password"),
        ("SECRET", "my-app/prod/database"),
        ("PASSWORD_SECRET", "prod-db-credentials"),
        ("AUTH_TOKEN_HEADER", "X-Auth-Token"),
        ("DB_PASSWORD_KEY", "database_password"),
        ("SECRET_CACHE", "memory-cache"),
        ("TOKENIZER", "cl100k_base"),
        ("NOTE", "password:\n  rotated weekly by the team"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ] {
        assert_eq!(detect(Some(name), value), [], "{name}={value}");
    }
}

#[test]
fn secrets_are_found_by_name_and_shape() {
    for (name, value, kind) in [
        ("db_password", "Password1", "password"),
        ("DB_PASSWORD", "correct-horse-battery", "password"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPL3", "aws-access-key-id"),
        ("authtoken", "k8Jq72hdYw9ZpX", "generic-secret"),
        ("SECRET", "prod-7f3k9q2m", "generic-secret"),
        ("script", "export DB_PASSWORD = 'Tr0ub4dor'", "password"),
    ] {
        let kinds: Vec<_> = detect(Some(name), value).iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, [kind], "{name}={value}");
    }
}

#[test]
fn fake_marks_hold_nothing_in_clear() {
    let mut answer = json!({"x": "[redacted my secret is hunter2 and more]"});
    redactor(&[("x", false)]).redact("1", "s", "Op", &mut answer);
    assert_eq!(answer["x"], "[redacted]");
}

#[test]
fn chooses_elements_by_a_field() {
    let mut answer = json!({"O": [
        {"Namespace": "aws:env", "OptionName": "DB_PASSWORD", "Value": "SuperSecret123!"},
        {"Namespace": "aws:managed", "OptionName": "Enabled", "Value": "true"},
        {"OptionName": "unsaid", "Value": "some text"},
    ]});
    redactor(&[("O[?Namespace=='aws:env'].Value", false)]).redact("1", "s", "Op", &mut answer);
    assert!(answer["O"][0]["Value"].as_str().unwrap().starts_with("[redacted password "));
    assert_eq!(answer["O"][1]["Value"], "true");
    assert_eq!(answer["O"][2]["Value"], "[redacted]");
    let mut all = SecretPaths::default();
    for wrong in ["O[?Namespace==aws].Value", "O[?].Value", "O[?A=='b' && C=='d'].Value", "O[?A=='b'", "O[0].Value"] {
        assert!(all.add(&Arc::from("s"), &Arc::from("Op"), wrong, false).is_err(), "{wrong}");
    }
}

#[test]
fn fields_that_promise_a_secret_are_masked_anywhere() {
    let mut answer = json!({
        "logConfiguration": {"options": {"apikey": "0123456789abcdef0123456789abcdef", "awslogs-group": "/ecs/web-1"}},
        "Splunk": {"HECToken": "1a11c111-2222-4333-8b44-5555e5555555"},
        "MasterUserPassword": "Sup3rSecret",
        "FsxAdminPassword": "*****",
        "Options": [{"Name": "LISTENER_PASSWORD", "Value": "hunter2hunter2"}, {"Name": "PORT", "Value": "1521-tcp-1"}],
        "apiKeySource": "AUTHORIZER",
        "PasswordLastUsed": "2026-01-01T00:00:00Z",
        "PasswordResetRequired": "false",
        "KmsKeyId": "1234abcd-12ab-34cd-56ef-1234567890ab",
        "SecretARN": "arn:aws:secretsmanager:us-east-1:1:secret:x1",
        "KeyName": "deploy-2024",
    });
    let before = answer.clone();
    redactor(&[]).redact("1", "s", "Op", &mut answer);
    for masked in ["/logConfiguration/options/apikey", "/Splunk/HECToken", "/MasterUserPassword", "/Options/0/Value"] {
        let text = answer.pointer(masked).unwrap().as_str().unwrap();
        assert!(text.starts_with("[redacted "), "{masked}: {text}");
        *answer.pointer_mut(masked).unwrap() = before.pointer(masked).unwrap().clone();
    }
    assert_eq!(answer, before, "nothing else is masked");
}

#[test]
fn nothing_is_shown_of_what_people_choose() {
    let value = "correct-horse-battery-staple-9";
    let mut answer = json!({"V": {"DB_PASSWORD": value, "API_SECRET": "k8Jq72hdYw9ZpXk8Jq72hdYw9ZpX"}});
    redactor(&[("V", false)]).redact("1", "s", "Op", &mut answer);
    let text = answer.to_string();
    assert!(text.contains("[redacted password ***30 ") && text.contains("[redacted generic-secret ***28 "), "{text}");
    // Older recordings show some.
    let old = json!("[redacted password corr***30 0123456789abcdef]");
    assert_eq!(findings(&old)[0]["sample"], "***30");
    let token = json!("[redacted github-token ghp_***40 0123456789abcdef]");
    assert_eq!(findings(&token)[0]["sample"], "ghp_***40");
}
