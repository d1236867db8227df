//! The ledger: what the running program reported, line by line. The lines themselves are the
//! protocol's, [`repro::protocol`].

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use repro::protocol::Event;

use crate::error::{Error, IoContext as _, Result};
use crate::os::bounded;
use crate::outcome::{Checkpoint, Metric};

/// All that a stage reported.
#[derive(Debug, Default, PartialEq)]
pub struct Ledger {
    /// Metrics by name.
    pub metrics: BTreeMap<String, Metric>,
    /// Checkpoints in order.
    pub checkpoints: Vec<Checkpoint>,
    /// Words drawn from each stream.
    pub streams: BTreeMap<String, u64>,
}

/// No line of the protocol comes near it; a longer one is not a ledger's.
const LONGEST_LINE: u64 = 1 << 20;

impl Ledger {
    /// Reads the file that a stage left; none is an empty ledger.
    ///
    /// # Errors
    /// When a line is not the protocol's.
    pub fn read(path: &Path) -> Result<Self> {
        use std::io::Read as _;
        let mut ledger = Self::default();
        let mut lines = match bounded::open(path) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(ledger),
            Err(error) => return Err(Error::io("read", path, &error)),
        };
        let mut number = 0;
        let mut line = Vec::new();
        loop {
            number += 1;
            line.clear();
            let read = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).at("read", path)?;
            if read == 0 {
                return Ok(ledger);
            }
            ledger.line(&line).map_err(|why| {
                Error::training(format!(
                    "line {number} of the ledger that the program wrote is not of the protocol: {why}"
                ))
                .hint("the lines are described in the README of repro-ml under “The ledger”")
            })?;
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let event: Event = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        match event {
            Event::Metric { name, .. } | Event::Checkpoint { name, .. } | Event::Stream { name, .. }
                if name.is_empty() =>
            {
                return Err("what it reports has no name".to_owned());
            }
            Event::Open { protocol, .. } if protocol != repro::protocol::VERSION => {
                return Err(format!(
                    "it speaks version {protocol}, this cargo repro version {}",
                    repro::protocol::VERSION
                ));
            }
            Event::Metric {
                name,
                kind,
                value,
                bits,
            } => {
                let mut metric = Metric { kind, value, bits };
                if !metric.is_consistent() {
                    return Err(format!("value and bits of the metric {name} do not agree"));
                }
                if metric.number().is_some_and(|number| !number.is_nan()) {
                    metric = Metric::written(&metric.value); // Python writes 1e-07 for 1e-7
                }
                if self.metrics.insert(name.clone(), metric).is_some() {
                    return Err(format!("the metric {name} comes twice"));
                }
            }
            Event::Checkpoint { name, digest } => {
                let digest = digest.parse().map_err(|error| format!("{error}"))?;
                self.checkpoints.push(Checkpoint { name, digest });
            }
            Event::Stream { name, words } => {
                let sum = self.streams.entry(name).or_default();
                // A lock is TOML, whose whole numbers end there.
                let limit = i64::MAX.unsigned_abs();
                *sum = sum.checked_add(words).filter(|sum| *sum <= limit).ok_or("nobody draws so many words")?;
            }
            Event::Open { .. } | Event::Param { .. } | Event::Data { .. } | Event::Artifact { .. } | Event::Close => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<Ledger, String> {
        let mut ledger = Ledger::default();
        lines.lines().try_for_each(|line| ledger.line(line.as_bytes()))?;
        Ok(ledger)
    }

    #[test]
    fn what_the_runtime_writes_is_read_back() {
        let metric = serde_json::to_string(&Event::metric("accuracy", 0.94)).unwrap();
        let ledger = read(&metric).unwrap();
        assert_eq!(ledger.metrics["accuracy"], Metric::new(0.94));
    }

    #[test]
    fn a_metric_whose_value_and_bits_disagree_is_refused() {
        let line = r#"{"event":"metric","name":"a","value":"1.0","bits":"0000000000000000"}"#;
        assert!(read(line).unwrap_err().contains("do not agree"));
    }

    #[test]
    fn what_has_no_name_is_refused() {
        for line in [
            r#"{"event":"metric","name":"","value":"1.0","bits":"3ff0000000000000"}"#,
            r#"{"event":"stream","name":"","words":1}"#,
        ] {
            assert!(read(line).unwrap_err().contains("no name"));
        }
    }

    #[test]
    fn a_newer_protocol_is_refused() {
        let line = r#"{"event":"open","protocol":2,"runtime":"x"}"#;
        assert!(read(line).unwrap_err().contains("version 2"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_whatever_break_the_reader(bytes: Vec<u8>) {
            let mut ledger = Ledger::default();
            let _ = ledger.line(&bytes);
        }
    }
}
