//! nepho-collect (to be written).
