//! nepho-aws (to be written).
