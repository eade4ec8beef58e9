//! What is made of the list of tables: one case for each, and nothing about any.

/// Makes of the kinds of rows: their common key, and the walk into the past.
macro_rules! rows {
    ($([$($byte:literal),+] $name:ident($key:ty), $field:ident;)+) => {
        /// What a row of a checkpoint is found by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum RowKey {
            $($name($key),)+
        }

        $(
            impl From<$key> for RowKey {
                #[inline]
                fn from(key: $key) -> Self {
                    Self::$name(key)
                }
            }
        )+

        impl RowKey {
            pub fn encode(self) -> Vec<u8> {
                match self {
                    $(Self::$name(key) => {
                        let mut bytes = vec![$($byte),+];
                        key.write(&mut bytes);
                        bytes
                    })+
                }
            }

            pub fn decode(bytes: &[u8]) -> Option<Self> {
                let (key, rest) = match bytes {
                    $([$($byte,)+ rest @ ..] => {
                        let mut rest = rest;
                        (Self::$name(KeyPart::read(&mut rest)?), rest)
                    })+
                    _ => return None,
                };
                rest.is_empty().then_some(key)
            }

            /// The keys of all rows, in no order.
            pub fn all(ledger: &Ledger) -> Vec<Self> {
                let mut keys = Vec::new();
                $(keys.extend(<$key>::all(ledger).map(Self::$name));)+
                keys
            }

            /// As [`CheckpointKey::load`].
            pub fn load(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
                self.name_row(match self {
                    $(Self::$name(key) => key.load(ledger, value),)+
                })
            }

            /// As [`CheckpointKey::unload`].
            pub fn unload(self, ledger: &mut Ledger, comes_back: bool) -> Result<()> {
                self.name_row(match self {
                    $(Self::$name(key) => key.unload(ledger, comes_back),)+
                })
            }

            /// As [`CheckpointKey::restore`].
            pub fn restore(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
                self.name_row(match self {
                    $(Self::$name(key) => key.restore(ledger, value),)+
                })
            }

            /// As [`CheckpointKey::restore_references`].
            pub fn restore_references(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
                self.name_row(match self {
                    $(Self::$name(key) => key.restore_references(ledger, value),)+
                })
            }

            /// Says in an error which row it is of.
            pub fn name_row<T>(self, result: Result<T>) -> Result<T> {
                result.map_err(|error: CheckpointError| error.of_row(|| self.encode()))
            }
        }

        /// The rows of the ledger at the end of an earlier block: the journal is walked from its newest entry towards
        /// its oldest.
        pub(crate) struct AsOf<'a> {
            handles: Handles<'a>,
            /// Rows of blocks that are kept as lists of rows: these are older than all others.
            packed: FxHashMap<RowKey, Option<&'a [u8]>>,
            /// Those of the latest block walked.
            touched: Vec<RowKey>,
            $($field: OldRows<'a, $key>,)+
        }

        impl<'a> AsOf<'a> {
            /// The ledger as it is now.
            pub fn now(ledger: &'a Ledger) -> Self {
                Self {
                    handles: Handles::new(ledger),
                    packed: FxHashMap::default(),
                    touched: Vec::new(),
                    $($field: OldRows::new(ledger),)+
                }
            }

            /// Goes back over a block's entries, newest first; returns the keys of the rows that it changed, ascending.
            pub fn step_block(&mut self, entries: impl Iterator<Item = &'a Undo>) -> Vec<RowKey> {
                $(self.$field.step_block();)+
                entries.for_each(|entry| self.step(entry));
                let mut touched = std::mem::take(&mut self.touched);
                $(touched.extend(self.$field.take_touched().map(RowKey::$name));)+
                touched.sort_unstable();
                touched.dedup();
                touched
            }

            /// A row's packed value as of then.
            pub fn row(&self, key: RowKey) -> Option<Vec<u8>> {
                if let Some(&old) = self.packed.get(&key) {
                    return old.map(<[u8]>::to_vec);
                }
                match key {
                    $(RowKey::$name(key) => self.$field.pack(key, &self.handles),)+
                }
            }
        }

        $(
            impl<'a> RowsBefore<'a, $key> for AsOf<'a> {
                fn rows(&mut self) -> &mut OldRows<'a, $key> {
                    &mut self.$field
                }
            }
        )+

        impl<'a> HandlesBefore<'a> for AsOf<'a> {
            fn handles(&mut self) -> &mut Handles<'a> {
                &mut self.handles
            }
        }
    };
}
pub(super) use rows;

/// Makes of the kinds of entries: the entry of the journal.
macro_rules! entries {
    ($($name:ident($undo:ty), $revert:ident;)+) => {
        /// An entry of the journal.
        #[derive(Debug)]
        pub(crate) enum Undo {
            $($name($undo),)+
            /// All rows that a block changed, as they were before it.
            Rows(PackedRows),
            /// The same, kept by somebody else: [`Ledger::bring_undo`] comes before the block is undone.
            Absent,
        }

        $(
            impl From<$undo> for Undo {
                #[inline]
                fn from(undo: $undo) -> Self {
                    Self::$name(undo)
                }
            }
        )+

        impl Undo {
            /// Bytes on the heap.
            pub fn heap_bytes(&self) -> usize {
                match self {
                    $(Self::$name(undo) => undo.heap_bytes(),)+
                    Self::Rows(rows) => rows.len(),
                    Self::Absent => 0,
                }
            }

            /// Whether an entry of the open block is still needed, given what earlier ones of it say.
            pub fn is_needed(&mut self, seen: &mut FxHashSet<RowKey>) -> bool {
                match self {
                    $(Self::$name(undo) => undo.is_needed(seen),)+
                    Self::Rows(_) | Self::Absent => true,
                }
            }

            /// Says which rows it is of, for deltas.
            pub fn tell<'a>(&'a self, walk: &mut Walk<'a>) {
                match self {
                    $(Self::$name(undo) => undo.tell(walk),)+
                    Self::Rows(_) | Self::Absent => unreachable!("deltas are of a block that was just executed"),
                }
            }

            /// Takes the change back.
            pub fn revert(self, ledger: &mut Ledger) {
                match self {
                    $(Self::$name(undo) => ledger.$revert(undo),)+
                    Self::Rows(_) | Self::Absent => unreachable!("a block that was loaded is undone as a whole"),
                }
            }
        }

        impl<'a> AsOf<'a> {
            fn step(&mut self, entry: &'a Undo) {
                match entry {
                    $(Undo::$name(undo) => undo.step(self),)+
                    Undo::Rows(rows) => rows.iter().for_each(|(key, old)| {
                        self.packed.insert(key, old);
                        self.touched.push(key);
                    }),
                    // Blocks of before the last checkpoint: what undoes them is packed already.
                    Undo::Absent => {}
                }
            }
        }
    };
}
pub(super) use entries;

/// Makes of the tables of deltas: the walk over a block's entries.
macro_rules! deltas {
    ($($field:ident: $table:ty;)+) => {
        /// What the entries of a block say of the rows of each table.
        #[derive(Default)]
        pub(crate) struct Walk<'a> {
            before: Before,
            $($field: Changes<'a, $table>,)+
        }

        impl Walk<'_> {
            /// The rows that the block changed, table by table.
            pub fn rows(&self, ledger: &Ledger) -> Vec<(&'static str, DeltaRows)> {
                vec![$((<$table>::NAME, DeltaRows::of_block(ledger, &self.$field, &self.before)),)+]
            }
        }

        /// All rows, table by table.
        pub(crate) fn all_rows(ledger: &Ledger) -> Vec<(&'static str, DeltaRows)> {
            vec![$((<$table>::NAME, DeltaRows::of_all::<$table>(ledger)),)+]
        }

        impl BeforeOf for Walk<'_> {
            fn before(&mut self) -> &mut Before {
                &mut self.before
            }
        }

        $(
            impl<'a> ChangesOf<'a, $table> for Walk<'a> {
                fn changes(&mut self) -> &mut Changes<'a, $table> {
                    &mut self.$field
                }
            }
        )+
    };
}
pub(super) use deltas;
