//! nodeos' block log (blocks.log), version 3, over bytes: a reader and a writer. Files are opened elsewhere.
