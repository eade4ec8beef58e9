//! Broken bodies to every endpoint of a running node: each gets an answer, a failure one that says what is wrong.

use conformance::answers;
use conformance::served::Served;
use fuzz::run;
use serde_json::Value;

/// Recorded bodies of an endpoint that are used as seeds; the shortest say most.
const SEEDS_MAX: usize = 24;
/// Waits for a block that never comes on a chain that stands still.
const WAITING: &str = "/v1/producer/create_snapshot";
/// Its answer is text for Prometheus.
const METRICS: &str = "/v1/prometheus/metrics";
/// Beneath it a node says how it stands, with another status where it is not well.
const HEALTH: &str = "/v1/node/health";

/// The first byte of an input picks the endpoint, the rest is the body.
fn seeds(paths: &[&str]) -> Vec<Vec<u8>> {
    let recorded = answers::load("api");
    let of_path = |(index, path): (usize, &&str)| {
        let mut bodies: Vec<_> =
            recorded.iter().filter(|asked| asked.path == *path).map(|asked| asked.body()).collect();
        bodies.sort_by_key(Vec::len);
        bodies.dedup();
        bodies.push(b"{\"x\":1}".to_vec());
        let step = bodies.len().div_ceil(SEEDS_MAX);
        let with_index = move |body: &Vec<u8>| [&[index as u8][..], body].concat();
        bodies.iter().step_by(step).map(with_index).collect::<Vec<_>>()
    };
    paths.iter().enumerate().flat_map(of_path).collect()
}

/// An answer is JSON; one of failure says so in itself.
fn check(path: &str, status: u16, body: &[u8]) {
    if path == METRICS && status == 200 {
        assert!(std::str::from_utf8(body).is_ok(), "{path} answers no text");
        return;
    }
    let answer: Value = serde_json::from_slice(body).unwrap_or_else(|error| panic!("{path} answers no JSON: {error}"));
    if path.starts_with(HEALTH) {
        // A node that is not ready is no failure of who asks.
        assert!((status == 200 || status == 503) && answer.is_object(), "{path}: {status} {answer}");
    } else if status >= 400 {
        assert_eq!(answer["code"], status, "{path}");
        assert!(answer["message"].is_string() && answer["error"]["name"].is_string(), "{path}: {answer}");
    } else {
        assert!((200..300).contains(&status), "{path} answers {status}");
    }
}

#[test]
fn endpoints() {
    let served = Served::start(&answers::blocks("api"));
    let paths: Vec<&str> =
        api::endpoints::ENDPOINTS.iter().map(|endpoint| endpoint.path).filter(|path| *path != WAITING).collect();
    assert!(paths.len() < 256, "a byte picks the endpoint");
    run("api", &seeds(&paths), |input| {
        let Some((index, body)) = input.split_first() else { return };
        let path = paths[usize::from(*index) % paths.len()];
        // Whatever happens to be a whole transaction waits for a block, as on nodeos.
        if let Some((status, answer)) = served.ask_in_time(path, body.to_vec()) {
            check(path, status, &answer);
        }
    });
    let (status, answer) = served.ask("/v1/chain/get_info", Vec::new());
    assert_eq!(status, 200, "the node lives: {}", String::from_utf8_lossy(&answer));
}
