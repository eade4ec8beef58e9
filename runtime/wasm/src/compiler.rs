//! Code that is ready to run: from the cache, or compiled. Any thread can do it, while contracts run elsewhere.

use std::sync::Arc;

use primitives::{Checksum256, Fault};

use crate::engine::{Artefact, CodeCache, Engine, not_runnable};
use crate::interpreter::{Code, translate};
use crate::rewrite::{Image, image};
use crate::tier::{Tier, Tiers};

/// Makes code ready to run. Cheap to clone.
#[derive(Clone)]
pub struct Compiler {
    pub(crate) engine: Engine,
    cache: Arc<dyn CodeCache>,
}

/// Code that is ready to run, or the fault that each of its runs ends with.
pub struct Loaded {
    tier: Tier,
    /// Whether it stays as it is, however much it is used.
    settled: bool,
    result: Result<(Image, Form), Fault>,
}

/// What runs.
pub(crate) enum Form {
    /// In the first tier.
    Interpreted(Arc<Code>),
    /// In the optimised tier.
    Compiled(wasmtime::Module),
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Loaded").field(&self.tier).field(&self.result.as_ref().map(drop)).finish()
    }
}

impl Loaded {
    /// How it was compiled.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// Whether it is not to be optimised: it is, or it cannot be.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled
    }

    pub(crate) fn into_result(self) -> Result<(Image, Form), Fault> {
        self.result
    }
}

impl Compiler {
    /// Compiles for `engine` what `cache` lacks.
    pub fn new(engine: Engine, cache: Arc<dyn CodeCache>) -> Self {
        Self { engine, cache }
    }

    /// Makes code ready to run: finds it in the cache, or translates it for the first tier. `code` are the original bytes.
    pub fn load(&self, code_hash: &Checksum256, code: &[u8]) -> Loaded {
        match self.engine.tiers() {
            Tiers::First => None,
            Tiers::ByUse => self.cached(code_hash),
            Tiers::Optimised => self.optimise(code_hash, code),
        }
        .unwrap_or_else(|| first(code))
    }

    /// Optimises code and keeps that in the cache; nothing for code that would take too long, which stays in the first
    /// tier.
    pub fn optimise(&self, code_hash: &Checksum256, code: &[u8]) -> Option<Loaded> {
        self.cached(code_hash).or_else(|| {
            let artefact = self.engine.optimise(code).ok()??;
            self.cache.put(&Artefact::key(code_hash), &artefact.to_bytes());
            self.loaded(artefact)
        })
    }

    /// Optimises code, or makes it ready to stay in the first tier where it cannot be.
    pub fn settle(&self, code_hash: &Checksum256, code: &[u8]) -> Loaded {
        self.optimise(code_hash, code).unwrap_or_else(|| Loaded { settled: true, ..first(code) })
    }

    fn cached(&self, code_hash: &Checksum256) -> Option<Loaded> {
        self.loaded(Artefact::from_bytes(&self.cache.get(&Artefact::key(code_hash))?)?)
    }

    fn loaded(&self, artefact: Artefact) -> Option<Loaded> {
        let module = self.engine.load(&artefact)?;
        Some(Loaded { tier: Tier::Optimised, settled: true, result: Ok((artefact.image, Form::Compiled(module))) })
    }
}

/// Code for the first tier, in time that grows with its length alone.
fn first(code: &[u8]) -> Loaded {
    let translated = translate(code).map_err(not_runnable);
    let result = translated.map(|(module, code)| (image(&module), Form::Interpreted(Arc::new(code))));
    Loaded { tier: Tier::First, settled: false, result }
}
