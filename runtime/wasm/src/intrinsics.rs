//! The one table of host functions: name, signature, who may call it, which protocol feature switches it on.
//! The linker, the whitelist, import checks and the documentation are derived from it.

use crate::args::{Argument, Returned, ValueType};
use crate::host::Host;
use crate::memory::Memory;
use primitives::{Fault, FaultKind};
use rustc_hash::FxHashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use wasmtime::ValRaw;

/// Which actions may call a host function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only actions with a context (most of them).
    ContextAware,
    /// Every action (`CF`).
    ContextFree,
    /// Only context-free actions (`CF-only`).
    ContextFreeOnly,
}

/// Lowered parameter and result types.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signature {
    /// Parameters.
    pub params: Vec<ValueType>,
    /// None or one.
    pub results: Vec<ValueType>,
}

/// A host function over raw values: takes them from the slice and leaves its result in the first one.
pub(crate) type RawFunction<H> =
    Arc<dyn Fn(&mut H, &mut Memory<'_>, &mut [ValRaw]) -> Result<(), <H as Host>::Stop> + Send + Sync>;

/// One host function.
pub struct Intrinsic<H: Host> {
    /// Its name in module `env`.
    pub name: &'static str,
    /// Heading in the documentation.
    pub topic: &'static str,
    /// Who may call it.
    pub kind: Kind,
    /// Only for privileged receivers.
    pub privileged: bool,
    /// Name of the protocol feature that makes it importable, none for genesis.
    pub feature: Option<&'static str>,
    /// Lowered types.
    pub signature: Signature,
    /// What runs; none for `eosio_exit`.
    pub(crate) function: Option<RawFunction<H>>,
}

/// The table.
pub struct Intrinsics<H: Host> {
    entries: Vec<Intrinsic<H>>,
    by_name: FxHashMap<&'static str, usize>,
    topic: &'static str,
}

impl<H: Host> Default for Intrinsics<H> {
    fn default() -> Self {
        Self { entries: Vec::new(), by_name: FxHashMap::default(), topic: "" }
    }
}

impl<H: Host> Intrinsics<H> {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Entries in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Intrinsic<H>> {
        self.entries.iter()
    }

    /// The entry of this name.
    pub fn get(&self, name: &str) -> Option<&Intrinsic<H>> {
        self.by_name.get(name).map(|index| &self.entries[*index])
    }

    /// Heading of the entries that follow.
    pub fn topic(&mut self, topic: &'static str) -> &mut Self {
        self.topic = topic;
        self
    }

    /// Adds a function for actions with a context.
    pub fn context_aware<A>(&mut self, name: &'static str, function: impl HostFunction<H, A>) -> &mut Self {
        self.add(name, Kind::ContextAware, false, function)
    }

    /// Adds a function for all actions.
    pub fn context_free<A>(&mut self, name: &'static str, function: impl HostFunction<H, A>) -> &mut Self {
        self.add(name, Kind::ContextFree, false, function)
    }

    /// Adds a function for context-free actions alone.
    pub fn context_free_only<A>(&mut self, name: &'static str, function: impl HostFunction<H, A>) -> &mut Self {
        self.add(name, Kind::ContextFreeOnly, false, function)
    }

    /// Adds a function for privileged receivers (with a context).
    pub fn privileged<A>(&mut self, name: &'static str, function: impl HostFunction<H, A>) -> &mut Self {
        self.add(name, Kind::ContextAware, true, function)
    }

    /// Adds `eosio_exit(code: i32)`: ends the run at once, cleanly.
    pub fn exit(&mut self, name: &'static str) -> &mut Self {
        let signature = Signature { params: vec![ValueType::I32], results: vec![] };
        self.insert(name, Kind::ContextFree, false, signature, None)
    }

    /// The last added entry is importable only with this protocol feature.
    pub fn since(&mut self, feature: &'static str) -> &mut Self {
        self.entries.last_mut().expect("an entry was added").feature = Some(feature);
        self
    }

    fn add<A>(
        &mut self,
        name: &'static str,
        kind: Kind,
        privileged: bool,
        function: impl HostFunction<H, A>,
    ) -> &mut Self {
        let raw = function.into_raw(move |host: &H| check_access(host, kind, privileged));
        self.insert(name, kind, privileged, raw.0, Some(raw.1))
    }

    fn insert(
        &mut self,
        name: &'static str,
        kind: Kind,
        privileged: bool,
        signature: Signature,
        function: Option<RawFunction<H>>,
    ) -> &mut Self {
        assert!(self.by_name.insert(name, self.entries.len()).is_none(), "host function {name} added twice");
        self.entries.push(Intrinsic { name, topic: self.topic, kind, privileged, feature: None, signature, function });
        self
    }

    /// The table as Markdown, one section per topic.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let mut topic = None;
        for entry in &self.entries {
            if topic != Some(entry.topic) {
                topic = Some(entry.topic);
                let head = "| function | parameters | result | who | since |\n|---|---|---|---|---|";
                let _ = write!(text, "\n## {}\n\n{head}\n", entry.topic);
            }
            let who = match (entry.privileged, entry.kind) {
                (true, _) => "privileged",
                (_, Kind::ContextAware) => "actions with a context",
                (_, Kind::ContextFree) => "all actions",
                (_, Kind::ContextFreeOnly) => "context-free actions",
            };
            let since = entry.feature.unwrap_or("genesis");
            let (params, results) = (types(&entry.signature.params), types(&entry.signature.results));
            let _ = writeln!(text, "| `{}` | {params} | {results} | {who} | {since} |", entry.name);
        }
        text
    }
}

fn types(types: &[ValueType]) -> String {
    types.iter().map(|value| format!("{value:?}").to_lowercase()).collect::<Vec<_>>().join(", ")
}

/// nodeos' preconditions.hpp: context first, privilege second.
fn check_access<H: Host>(host: &H, kind: Kind, privileged: bool) -> Result<(), Fault> {
    match kind {
        Kind::ContextAware if host.is_context_free() => {
            return Err(Fault::new(FaultKind::UNACCESSIBLE_API, "only context free api's can be used in this context"));
        }
        Kind::ContextFreeOnly if !host.is_context_free() => {
            return Err(Fault::new(FaultKind::UNACCESSIBLE_API, "this API may only be called from context_free apply"));
        }
        _ => {}
    }
    if privileged && !host.is_privileged() {
        let receiver = host.receiver();
        return Err(Fault::new(
            FaultKind::UNACCESSIBLE_API,
            format!("{receiver} does not have permission to call this API"),
        ));
    }
    Ok(())
}

/// A plain Rust function over typed arguments: `fn(&mut H, &mut Memory, A, B, ...) -> Result<R, H::Stop>`.
pub trait HostFunction<H: Host, A>: Send + Sync + 'static {
    /// Its signature and the raw form that takes arguments (last one first, as eos-vm does), refuses overlapping
    /// new-style spans, asks `access` and calls.
    fn into_raw(self, access: impl Fn(&H) -> Result<(), Fault> + Send + Sync + 'static) -> (Signature, RawFunction<H>);
}

fn refuse_overlap(ranges: &[Option<(u32, u32)>]) -> Result<(), Fault> {
    for (index, left) in ranges.iter().enumerate() {
        for right in &ranges[index + 1..] {
            if let (Some(left), Some(right)) = (left, right)
                && overlap(*left, *right)
            {
                return Err(Fault::new(FaultKind::WASM_EXCEPTION, "pointers not allowed to alias"));
            }
        }
    }
    Ok(())
}

/// Whether two ranges share a byte; an empty one inside another counts as nodeos counts it (is_aliasing).
fn overlap(mut left: (u32, u32), mut right: (u32, u32)) -> bool {
    if left.0 > right.0 {
        std::mem::swap(&mut left, &mut right);
    }
    let left_end = u64::from(left.0) + u64::from(left.1);
    let right_end = u64::from(right.0) + u64::from(right.1);
    left_end > u64::from(right.0) && left_end.min(right_end) != u64::from(right.0)
}

macro_rules! host_function {
    ($($arg:ident)*) => {
        #[allow(non_snake_case, unused_variables, unused_mut, unused_assignments, reason = "arities from one macro")]
        impl<H, F, R, $($arg),*> HostFunction<H, (R, $($arg,)*)> for F
        where
            H: Host,
            F: Fn(&mut H, &mut Memory<'_>, $($arg),*) -> Result<R, H::Stop> + Send + Sync + 'static,
            R: Returned,
            $($arg: Argument,)*
        {
            fn into_raw(
                self,
                access: impl Fn(&H) -> Result<(), Fault> + Send + Sync + 'static,
            ) -> (Signature, RawFunction<H>) {
                let signature = Signature {
                    params: <[&[ValueType]]>::concat(&[$($arg::LOWERED),*]),
                    results: R::LOWERED.to_vec(),
                };
                let raw = move |host: &mut H, memory: &mut Memory<'_>, values: &mut [ValRaw]| {
                    let mut at = 0;
                    $(let $arg = { let from = at; at += $arg::LOWERED.len(); from..at };)*
                    host_function!(@take memory values [$($arg)*] []);
                    refuse_overlap(&[$($arg.exclusive_range()),*])?;
                    access(host)?;
                    let result = self(host, memory, $($arg),*)?;
                    if !R::LOWERED.is_empty() {
                        values[0] = result.raw();
                    }
                    Ok(())
                };
                (signature, Arc::new(raw))
            }
        }
    };
    // Takes the arguments last one first.
    (@take $memory:ident $values:ident [] [$($last:ident)*]) => {
        $(let $last: $last = <$last as Argument>::take(&$values[$last], $memory)?;)*
    };
    (@take $memory:ident $values:ident [$first:ident $($rest:ident)*] [$($last:ident)*]) => {
        host_function!(@take $memory $values [$($rest)*] [$first $($last)*]);
    };
}
host_function!();
host_function!(A);
host_function!(A B);
host_function!(A B C);
host_function!(A B C D);
host_function!(A B C D E);
host_function!(A B C D E G);
host_function!(A B C D E G I);
host_function!(A B C D E G I J);
