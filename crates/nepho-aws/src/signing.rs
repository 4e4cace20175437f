//! Signature Version 4, through `aws-sigv4`.

use std::time::SystemTime;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign as sign_request,
};
use aws_sigv4::sign::v4;

use crate::credentials::Credentials;

/// A request that can't be signed: an impossible address or header.
#[derive(Debug, thiserror::Error)]
#[error("the request can't be signed: {0}")]
pub struct SigningError(String);

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// GET, POST …
    pub method: &'a str,
    /// The whole address.
    pub url: &'a str,
    /// Headers so far.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
}

/// The headers that sign a request. S3 signs paths as they are; all others sign them encoded twice and normalised.
pub fn sign(
    request: Unsigned<'_>,
    credentials: &Credentials,
    region: &str,
    name: &str,
    time: SystemTime,
) -> Result<Vec<(String, String)>, SigningError> {
    let mut settings = SigningSettings::default();
    if matches!(name, "s3" | "s3-outposts" | "s3express") {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let identity = credentials.to_identity().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(name)
        .time(time)
        .settings(settings)
        .build()
        .map_err(|error| SigningError(error.to_string()))?;
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let signable = SignableRequest::new(request.method, request.url, headers, SignableBody::Bytes(request.body))
        .map_err(|error| SigningError(error.to_string()))?;
    let (instructions, _) =
        sign_request(signable, &parameters.into()).map_err(|error| SigningError(error.to_string()))?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(headers: &[(String, String)]) -> &str {
        let authorization = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        authorization.unwrap().1.rsplit_once("Signature=").unwrap().1
    }

    fn at(text: &str) -> SystemTime {
        crate::protocol::timestamp::to_system(text.parse().unwrap()).unwrap()
    }

    /// The worked example of the IAM user guide, "Create a signed AWS API request" (2015-08-30 suite).
    #[test]
    fn documented_iam_example() {
        let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None);
        let headers = [("content-type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8".to_owned())];
        let request = Unsigned {
            method: "GET",
            url: "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
            headers: &headers,
            body: b"",
        };
        let signed = sign(request, &credentials, "us-east-1", "iam", at("2015-08-30T12:36:00Z")).unwrap();
        assert_eq!(signature(&signed), "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
    }

    /// The examples of the S3 API reference, "Signature calculations for the authorization header".
    #[test]
    fn documented_s3_examples() {
        let credentials =
            Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None, None);
        let range = [("range".to_owned(), "bytes=0-9".to_owned())];
        let cases = [
            ("/test.txt", range.as_slice(), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
            ("/?lifecycle", &[], "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            ("/?max-keys=2&prefix=J", &[], "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ];
        for (path, headers, expected) in cases {
            let url = format!("https://examplebucket.s3.amazonaws.com{path}");
            let request = Unsigned { method: "GET", url: &url, headers, body: b"" };
            let signed = sign(request, &credentials, "us-east-1", "s3", at("2013-05-24T00:00:00Z")).unwrap();
            assert_eq!(signature(&signed), expected, "{path}");
        }
    }

    #[test]
    fn session_tokens_are_sent() {
        let credentials = Credentials::new("AKID", "secret", Some("token".to_owned()), None);
        let request = Unsigned { method: "GET", url: "https://iam.amazonaws.com/", headers: &[], body: b"" };
        let signed = sign(request, &credentials, "us-east-1", "iam", SystemTime::now()).unwrap();
        assert!(
            signed.iter().any(|(name, value)| name.eq_ignore_ascii_case("x-amz-security-token") && value == "token")
        );
    }
}
