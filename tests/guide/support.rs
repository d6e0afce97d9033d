//! The world around the snippets: pages and paths. What the guide shows takes it for granted.

use std::path::{Path, PathBuf};

pub(crate) mod web {
    #[derive(Debug, thiserror::Error)]
    #[error("there is no such page")]
    pub(crate) struct NotFound;

    pub(crate) async fn get(url: &str) -> Result<String, NotFound> {
        tokio::task::yield_now().await;
        match url {
            "https://example.org" => Ok("one two three".to_owned()),
            _ => Err(NotFound),
        }
    }

    pub(crate) async fn put(url: &str, _words: usize) -> Result<(), NotFound> {
        get(url).await.map(|_| ())
    }
}

/// A path at which nothing is yet.
#[expect(clippy::expect_used, reason = "a test that has no file fails")]
pub(crate) fn fresh_db(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("guide-{name}.redb"));
    if path.exists() {
        std::fs::remove_file(&path).expect("the file is ours");
    }
    path
}
