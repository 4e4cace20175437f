//! nepho-catalog (to be written).
