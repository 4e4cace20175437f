//! What a conformance suite reports.

/// The outcome of one suite.
#[derive(Debug, Default)]
pub struct SuiteResult {
    /// Its name.
    pub name: String,
    /// How many cases passed.
    pub passed: usize,
    /// Ids of the cases that failed.
    pub failed: Vec<String>,
    /// How many cases are outside of what the product does.
    pub not_applicable: usize,
}
