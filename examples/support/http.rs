//! As much of HTTP as a client of the examples needs: one request to a connection, JSON both ways.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a server answered.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body; text if it is not JSON, null if there is none.
    pub body: Value,
    headers: Vec<(String, String)>,
}

impl Answer {
    /// The value of a header, whose name is written in lower case; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// A member of the body, which is an object; null if it has none of that name.
    pub fn member(&self, name: &str) -> &Value {
        self.body.get(name).unwrap_or(&Value::Null)
    }

    fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let (first, headers) = head.split_once("\r\n")?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_lowercase(), value.trim().to_owned()))
        };
        let body = match body {
            "" => Value::Null,
            body => serde_json::from_str(body).unwrap_or_else(|_| Value::from(body)),
        };
        Some(Self {
            status: first.split(' ').nth(1)?.parse().ok()?,
            body,
            headers: headers.split("\r\n").filter_map(header).collect(),
        })
    }
}

/// Asks the server that `url` names, an `http` URL with a port; `headers` are whole lines.
///
/// # Errors
/// If the server cannot be reached, or what it says is not HTTP.
pub async fn ask(method: &str, url: &str, headers: &[&str], body: &str) -> io::Result<Answer> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut lines = vec![
        format!("{method} /{path} HTTP/1.1"),
        format!("content-length: {}", body.len()),
        "connection: close".to_owned(),
    ];
    lines.extend(headers.iter().map(|line| (*line).to_owned()));
    if !headers.iter().any(|line| line.starts_with("host:")) {
        lines.push(format!("host: {host}"));
    }
    let request = format!("{}\r\n\r\n{body}", lines.join("\r\n"));
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Answer::parse(&text).ok_or_else(|| io::Error::other(format!("this is no HTTP: {text}")))
}

/// Gets `url`.
///
/// # Errors
/// As [`ask`].
pub async fn get(url: &str) -> io::Result<Answer> {
    ask("GET", url, &[], "").await
}

/// Posts JSON to `url`.
///
/// # Errors
/// As [`ask`].
pub async fn post(url: &str, body: &Value) -> io::Result<Answer> {
    let headers = ["content-type: application/json"];
    ask("POST", url, &headers, &body.to_string()).await
}

/// A moment as JSON has it by custom: ISO 8601, UTC, to the second; one before 1970 as the begin of 1970.
pub fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = seconds.as_secs();
    let (mut day, second) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    while day >= days_of_year(year) {
        day -= days_of_year(year);
        year += 1;
    }
    let february = days_of_year(year) - 337;
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let day = day + 1;
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn days_of_year(year: u64) -> u64 {
    let is_leap = year.is_multiple_of(400) || year.is_multiple_of(4) && !year.is_multiple_of(100);
    if is_leap { 366 } else { 365 }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_answer_is_its_status_its_headers_and_its_body() {
        let text = "HTTP/1.1 202 Accepted\r\nRetry-After: 5\r\n\r\n{\"id\":\"a\"}";
        let answer = Answer::parse(text).unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (202, "5"));
        assert_eq!(answer.member("id"), "a");
        assert_eq!(answer.member("name"), &Value::Null);
        assert_eq!(answer.header("location"), "");
        assert_eq!(Answer::parse("hello"), None);
    }

    #[test]
    fn moments_are_written_with_leap_years() {
        let told = |seconds: u64| utc(UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 999));
        assert_eq!(told(0), "1970-01-01T00:00:00Z");
        assert_eq!(told(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(told(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(told(1_767_225_600), "2026-01-01T00:00:00Z");
        assert_eq!(told(4_107_542_400), "2100-03-01T00:00:00Z");
    }
}
