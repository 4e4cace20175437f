//! nepho-report (to be written).
