//! The trusted kernel: plans, what a step does, and the independent checker.
