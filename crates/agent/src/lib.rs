//! The operating system's side: files, processes, TLS dials.
