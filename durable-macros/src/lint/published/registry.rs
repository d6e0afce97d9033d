//! Where the source of a published crate is: in cargo's cache, if need be after it was fetched.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The directories of these crates, each of a name and a version, in their order; or why they cannot be had.
///
/// A manifest that names them is written beside what is built, for cargo to find or fetch them. Nothing of it is built.
pub(super) fn sources(crates: &[(&str, &str)]) -> Result<Vec<PathBuf>, String> {
    let manifest = manifest(crates);
    // What is in the cache needs no network.
    let found = cargo(&manifest, &["--offline"]).or_else(|_| cargo(&manifest, &[]))?;
    Ok(crates
        .iter()
        .map(|(name, version)| directory(&found, name, version))
        .collect())
}

fn manifest(crates: &[(&str, &str)]) -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let directory = exe.ancestors().nth(3).unwrap().join("published");
    std::fs::create_dir_all(directory.join("src")).unwrap();
    std::fs::write(directory.join("src/lib.rs"), "").unwrap();
    let mut text = "[package]\nname = \"published\"\nedition = \"2024\"\n[workspace]\n".to_owned();
    text.push_str("[dependencies]\n");
    for (name, version) in crates {
        let line = format!("{name} = {{ version = \"={version}\", default-features = false }}\n");
        text.push_str(&line);
    }
    let manifest = directory.join("Cargo.toml");
    std::fs::write(&manifest, text).unwrap();
    manifest
}

/// What cargo says of all packages of the manifest, each as one object.
fn cargo(manifest: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--quiet"])
        // Crates for other systems need not be fetched.
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .arg("--manifest-path")
        .arg(manifest)
        .args(arguments)
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        let why = text(&output.stderr);
        let is_unknown = ["failed to select", "no matching package"];
        assert!(
            why.contains("offline") || !is_unknown.iter().any(|known| why.contains(known)),
            "the registry was reached, and does not have these crates:\n{why}"
        );
        Err(why)
    }
}

/// Of the many words of cargo only the paths of manifests are needed: `.../name-version/Cargo.toml`.
fn directory(metadata: &str, name: &str, version: &str) -> PathBuf {
    let end = format!("{name}-{version}/Cargo.toml");
    let mut manifests = metadata
        .split("\"manifest_path\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|path| path.ends_with(&format!("/{end}")));
    let found = manifests.next();
    let found = found.unwrap_or_else(|| panic!("cargo knows where {name} {version} is"));
    Path::new(found).parent().unwrap().to_owned()
}

/// That nothing was looked at, where it is seen.
pub(super) fn say_skipped(why: &str) {
    say(&format!(
        "SKIPPED: the published crates are neither in cargo's cache nor can they be fetched:\n{why}"
    ));
}

#[expect(
    clippy::print_stderr,
    reason = "what a test looked at, or that it did not, is to be seen"
)]
pub(super) fn say(text: &str) {
    eprintln!("{text}");
}
