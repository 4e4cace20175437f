//! Any bytes as a query, with an open and with a closed schema: rows or an error, in time.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run query fuzz/corpus/found fuzz/corpus/query -- -dict=fuzz/query.dict -timeout=10`

#![no_main]

#[path = "../../crates/nepho-graph/tests/harness/any_text.rs"]
mod any_text;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use nepho_graph::{Graph, Schema};

static SCHEMAS: LazyLock<[Schema; 2]> = LazyLock::new(|| [Schema::open(), any_text::schema()]);
static GRAPH: LazyLock<Graph> = LazyLock::new(|| any_text::graph(any_text::schema()));

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        SCHEMAS.iter().for_each(|schema| any_text::run(&GRAPH, schema, text));
    }
});
