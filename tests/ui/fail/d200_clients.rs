//! Clients of networks and databases, files, streams: the types are not known, the names of their methods are.

use durable_runtime::helper;

struct Client;

impl Client {
    async fn send(&self) -> Result<String, String> {
        Ok(String::new())
    }

    async fn fetch_one(&self, query: &str) -> Result<u64, String> {
        Ok(u64::from(query.is_empty()))
    }

    async fn read_to_end(&self, bytes: &mut Vec<u8>) -> usize {
        bytes.len()
    }

    async fn next(&mut self) -> Option<u64> {
        None
    }
}

#[helper]
async fn asks(mut client: Client) -> Result<u64, String> {
    let answer = client.send().await?;
    let mut bytes = answer.into_bytes();
    let read = client.read_to_end(&mut bytes).await;
    let row = client.fetch_one("select 1").await?;
    let item = client.next().await.unwrap_or_default();
    Ok(row + item + u64::from(read > 0))
}

fn main() {}
