use std::fs;
use std::net::TcpStream;

use durable_runtime::orchestrator;

#[orchestrator]
async fn reads(path: String) -> String {
    let _ = TcpStream::connect("example.com:80").is_ok();
    let _ = std::process::Command::new("date").status().is_ok();
    fs::read_to_string(path).unwrap_or_default()
}

fn main() {}
