//! `boreas net`: the node's connections to other nodes.

use anyhow::bail;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::json::pretty;
use crate::session::{Session, say};

/// What is asked of the node's network.
#[derive(Subcommand)]
pub enum Net {
    /// Start a new connection to a peer
    Connect {
        /// HOST:PORT
        host: String,
    },
    /// Close a connection
    Disconnect {
        /// HOST:PORT
        host: String,
    },
    /// Show a connection
    Status {
        /// HOST:PORT
        host: String,
    },
    /// Show all connections
    Peers,
}

impl Net {
    /// Asks and prints.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Connect { host } => session.show("/v1/net/connect", &json!(host)),
            Self::Disconnect { host } => session.show("/v1/net/disconnect", &json!(host)),
            Self::Status { host } => match session.call("/v1/net/status", &json!(host))? {
                Value::Null => bail!("there is no connection to {host}: boreas net peers shows those that there are"),
                status => say(pretty(&status)),
            },
            Self::Peers => session.show("/v1/net/connections", &Value::Null),
        }
    }
}
