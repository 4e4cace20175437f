//! Names of files and columns that come from kinds and properties.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but letters, digits, `.`, `-` and `_`.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// The file of a kind or relation type: no name leads out of the folder or is too long for a file system.
pub(crate) fn file_name(folder: &str, name: &str) -> String {
    let mut encoded = utf8_percent_encode(name, KEPT).to_string();
    if encoded.len() > 180 {
        let digest = crate::digest::hex(name.as_bytes());
        encoded.truncate(160);
        encoded.push('-');
        encoded.extend(digest.chars().take(16));
    }
    if encoded.starts_with('.') {
        encoded.replace_range(..1, "%2E");
    }
    format!("{folder}/{encoded}.parquet")
}

/// Hands out column names; engines differ in whether they tell upper and lower case apart, so none are told apart.
pub(crate) struct ColumnNames {
    taken: Vec<String>,
}

impl ColumnNames {
    /// With the format's own columns.
    pub fn new(own: &[&str]) -> Self {
        Self { taken: own.iter().map(|name| (*name).to_owned()).collect() }
    }

    /// The name itself where it is free, else with a suffix.
    pub fn take(&mut self, name: &str) -> String {
        let mut free = if name.is_empty() { "property".to_owned() } else { name.to_owned() };
        while self.taken.contains(&free.to_lowercase()) {
            free.push_str("__property");
        }
        self.taken.push(free.to_lowercase());
        free
    }
}

#[cfg(test)]
mod tests {
    use super::{ColumnNames, file_name};

    #[test]
    fn names_stay_in_their_folder() {
        assert_eq!(file_name("kinds", "aws.s3.bucket"), "kinds/aws.s3.bucket.parquet");
        assert_eq!(file_name("kinds", ":A:B"), "kinds/%3AA%3AB.parquet");
        assert_eq!(file_name("kinds", "../../etc/passwd"), "kinds/%2E.%2F..%2Fetc%2Fpasswd.parquet");
        let (long, longer) = (file_name("kinds", &"ü".repeat(300)), file_name("kinds", &"ü".repeat(301)));
        assert!(long.len() < 200 && long != longer);
    }

    #[test]
    fn columns_never_share_a_name() {
        let mut names = ColumnNames::new(&["row", "key"]);
        assert_eq!(names.take("size"), "size");
        assert_eq!(names.take("Row"), "Row__property");
        assert_eq!(names.take("SIZE"), "SIZE__property");
        assert_eq!(names.take(""), "property");
    }
}
