//! An example that serves, as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Child;

use crate::program::Program;

/// A running server; killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts `program`, whose first line ends with the address at which it serves; `listen` is where it is to do so.
    ///
    /// # Panics
    /// If it does not say where it serves.
    pub fn start(program: &Program, db: &Path, listen: &str) -> Self {
        let mut child = program.spawn(db, &[("LISTEN", listen)]);
        let stdout = child.stdout.as_mut().expect("stdout is a pipe");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("stdout is text");
        let Some((_, address)) = line.trim().rsplit_once(' ') else {
            let mut complaint = String::new();
            let mut stderr = child.stderr.take().expect("stderr is a pipe");
            let read = stderr.read_to_string(&mut complaint);
            read.expect("stderr is text");
            panic!("it does not serve: {complaint}");
        };
        let address = address.to_owned();
        Self { child, address }
    }

    /// The address that its first line names.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Kills it, as hard as can be.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }
}
