//! The untrusted search for the order with the fewest restarts, and its bound.
