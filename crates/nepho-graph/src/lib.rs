//! nepho-graph (to be written).
