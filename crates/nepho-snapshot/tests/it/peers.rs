//! Other engines read it.
