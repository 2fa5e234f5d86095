// Asks for an HTTP URL from 50 tasks at once by HTTP/1.0, and prints each different outcome; the second argument is the time-out in ms.
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn fetch(place: String, path: String) -> std::io::Result<String> {
    let mut made = TcpStream::connect(&place).await?;
    made.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await?;
    let mut text = String::new();
    made.read_to_string(&mut text).await?;
    Ok(text.split("\r\n\r\n").nth(1).unwrap_or("").trim().to_string())
}

async fn attempt(place: String, path: String, limit: Duration) -> String {
    match tokio::time::timeout(limit, fetch(place, path)).await {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => error.to_string(),
        Err(late) => late.to_string(),
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let url = words.next().expect("a URL");
    let limit = Duration::from_millis(words.next().map_or(20_000, |text| text.parse().expect("a number")));
    let rest = url.strip_prefix("http://").expect("an HTTP URL");
    let (host, path) = rest.split_once('/').map_or((rest, "/".into()), |(host, path)| (host, format!("/{path}")));
    let place = if host.contains(':') { host.to_string() } else { format!("{host}:80") };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let outcomes = runtime.block_on(async {
        let tasks: Vec<_> = (0..50).map(|_| tokio::spawn(attempt(place.clone(), path.clone(), limit))).collect();
        let mut outcomes = BTreeMap::new();
        for task in tasks {
            *outcomes.entry(task.await.expect("an outcome")).or_insert(0) += 1;
        }
        outcomes
    });
    for (outcome, count) in outcomes {
        println!("{count} times {outcome}");
    }
    runtime.shutdown_background();
}
