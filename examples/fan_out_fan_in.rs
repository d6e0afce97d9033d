//! cargo run --example fan_out_fan_in -- [--db PATH] [--fast]
//!
//! A backup: the files of a small web site are listed, copied side by side, and their bytes are added up. Kill it half-way
//! and run it again: a file whose copy is on record is not copied again. Up to eight copies are made at a time, however
//! many were asked for. The site and its copy are `target/fan_out_fan_in.site` and `target/fan_out_fan_in.backup`; each copy
//! that was really made left a line in the ledger, `target/fan_out_fan_in.ledger`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use durable_examples::{Args, Bar, Ledger, follow, invite, print_result};
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Backup {
    files: usize,
    bytes: u64,
    largest: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[error("`{file}`: {reason}")]
struct FileError {
    file: String,
    reason: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Stage {
    Listing,
    Copying,
}

#[orchestrator]
async fn back_up(site: PathBuf, copy: PathBuf) -> Result<Backup, FileError> {
    set_status(&Stage::Listing);
    let files = list_files(site.clone()).await?;

    // Fan out: all copies are asked for in one turn, and the results stand in the order of the files.
    set_status(&Stage::Copying);
    let copies = files
        .iter()
        .map(|file| copy_file(site.clone(), copy.clone(), file.clone()));
    let sizes = join_all(copies).await;

    // Fan in: only now that all have ended does a file that could not be copied make the backup fail.
    let sizes = sizes.into_iter().collect::<Result<Vec<u64>, _>>()?;
    let bytes = sizes.iter().sum();
    let largest = sizes.iter().zip(&files).max().map(|(_, file)| file.clone());
    Ok(Backup {
        files: files.len(),
        bytes,
        largest,
    })
}

#[activity]
async fn list_files(site: PathBuf, #[state] ledger: &Ledger) -> Result<Vec<String>, FileError> {
    ledger.work().await;
    let failed = |error| failure(&site.display().to_string(), &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&site).map_err(failed)? {
        files.push(
            entry
                .map_err(failed)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    // A directory has no order of its own.
    files.sort();
    Ok(files)
}

/// A second run of the same copy does no harm: it writes the same bytes to the same place.
#[activity(limit = 8)]
async fn copy_file(
    site: PathBuf,
    copy: PathBuf,
    file: String,
    #[state] ledger: &Ledger,
) -> Result<u64, FileError> {
    ledger.work().await;
    let copied = std::fs::create_dir_all(&copy)
        .and_then(|()| std::fs::copy(site.join(&file), copy.join(&file)));
    copied.map_err(|error| failure(&file, &error))
}

fn failure(file: &str, error: &std::io::Error) -> FileError {
    let (file, reason) = (file.to_owned(), error.to_string());
    FileError { file, reason }
}

/// Something to back up: two dozen pages, each a little longer than the one before.
fn write_site(site: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(site)?;
    (1..=24).try_for_each(|n| {
        let text = "All work and no play. ".repeat(100 + n);
        std::fs::write(site.join(format!("page-{n:02}.html")), text)
    })
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args = Args::parse("fan_out_fan_in", &["--fast"])?;
    let pace = Duration::from_millis(if args.has("--fast") { 10 } else { 1000 });
    let beside = |extension| std::path::absolute(args.db().with_extension(extension));
    let (site, copy) = (beside("site")?, beside("backup")?);
    write_site(&site)?;
    let ledger = Ledger::beside(args.db(), pace)?;
    let engine = Engine::builder(args.db()).state(ledger).open().await?;

    let backup = engine.start(back_up(site, copy)).id("backup").await?;
    invite(&backup).await?;
    let bar = Bar::new([Stage::Listing, Stage::Copying]);
    follow(&backup, &bar, async |_| Ok(())).await?;

    let result = backup.result().await?;
    engine.shutdown().await;
    Ok(print_result(&result)?)
}
