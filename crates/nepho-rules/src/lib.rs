//! nepho-rules (to be written).
