//! Servers of many kinds, asked and compared with what others say about them.

mod foreign;
mod hostile;
mod made;
mod openssl_servers;
mod others;
mod servers;
mod starttls;
