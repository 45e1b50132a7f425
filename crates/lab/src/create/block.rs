//! A block of loopback addresses that nobody else uses.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use crate::LabError;
use crate::place::now_micros;

/// Addresses of one fleet, all in 127.0.0.0/8.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    first: u32,
}

impl Block {
    /// Finds a block in which `ports` are free on the first `hosts` addresses.
    ///
    /// Where it looks first depends on the directory and the moment, so that two fleets do not meet.
    pub(crate) fn find(dir: &Path, hosts: usize, ports: &[u16]) -> Result<Block, LabError> {
        let mut seed = now_micros() ^ (u64::from(std::process::id()) << 32);
        for byte in dir.as_os_str().as_encoded_bytes() {
            seed = (seed ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut last = io::Error::from(ErrorKind::AddrInUse);
        let mut tried = String::new();
        for _ in 0..TRIES {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let [_, _, _, _, a, b, ..] = seed.to_be_bytes();
            // 127.0, 127.1 and 127.255 have users of their own.
            let a = 2 + a % 240;
            let block = Block {
                first: u32::from(Ipv4Addr::new(127, a, b, 0)),
            };
            match block.is_free(hosts, ports) {
                Ok(()) => return Ok(block),
                Err((address, error)) => (tried, last) = (address, error),
            }
        }
        Err(LabError::PortTaken {
            address: tried,
            source: last,
        })
    }

    /// The address of the host with this number.
    pub(crate) fn address(self, number: usize) -> Ipv4Addr {
        let number = u32::try_from(number).unwrap_or(u32::MAX / 512);
        Ipv4Addr::from(self.first + (number / PER_BLOCK) * 256 + number % PER_BLOCK + FIRST)
    }

    fn is_free(self, hosts: usize, ports: &[u16]) -> Result<(), (String, io::Error)> {
        for number in 0..hosts {
            for port in ports {
                let address = (self.address(number), *port);
                TcpListener::bind(address).map_err(|e| (format!("{}:{port}", address.0), e))?;
            }
        }
        Ok(())
    }
}

const TRIES: usize = 32;
const FIRST: u32 = 11;
const PER_BLOCK: u32 = 240;
